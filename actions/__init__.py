"""What Rasa calls: thin custom actions that read the tracker, call core and return its replies."""
