"""Training data: written examples, and rules that make their variants."""
