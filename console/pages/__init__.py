"""The pages of the console, one module a journey; rules live in `core`."""
