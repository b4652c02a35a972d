"""Citizens' phones: adapters, webhooks, turns, sending, the simulator, entry points."""
