"""The web simulator: a phone in the browser for development and rehearsal, never for citizens."""
