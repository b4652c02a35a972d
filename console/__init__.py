"""The staff's web console."""
