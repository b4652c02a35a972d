"""Adapters: one platform each behind the channel port; HTTP becomes our events and errors here only."""
