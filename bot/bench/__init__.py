"""Measurements of speed, each beside a baseline in the same run; `nghedan bench …` prints them."""
