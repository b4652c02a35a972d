"""Announcements to the subscribers of a unit: forecast first, then one row per recipient."""
