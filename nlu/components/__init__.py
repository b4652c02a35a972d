"""Our own parts inside Rasa: the input channel, the tracker store that forgets, text features."""
