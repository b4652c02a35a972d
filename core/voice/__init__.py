"""Voice notes: transcribed on this machine or typed by staff, and confirmed before the words count."""
