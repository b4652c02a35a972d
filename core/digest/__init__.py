"""The chair's digest: one page of what a session is about, what is new, and what was promised and not done."""
