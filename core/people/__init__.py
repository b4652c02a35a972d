"""Who writes to us and who may read it: units, contacts, consent, erasure, staff."""
