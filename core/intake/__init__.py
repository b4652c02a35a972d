"""A citizen's message becomes a concern: receiving, typed choices, dialogue steps, the record."""
