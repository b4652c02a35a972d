"""The rules of the dialogue, one room per concept: no platform client, no Rasa, no web framework."""
