"""Topics: which concerns one answer would settle, what to call them, who put them together."""
