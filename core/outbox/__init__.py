"""Everything that leaves: the channel port, the outbound rows, and what became of each attempt."""
