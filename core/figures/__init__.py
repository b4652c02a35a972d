"""Figures of concerns over units, fields, states and time; counts only, never words."""
