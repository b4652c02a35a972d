"""Rehearsal before the real day: fake platforms, synthetic citizens, and the run that ties them together."""
