"""The office's view of concerns: found, read one by one, judged; never a citizen's own dialogue."""
