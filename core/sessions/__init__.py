"""Dated dialogue sessions: plan, open for collecting, close; and which one a concern goes to."""
