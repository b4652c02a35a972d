"""The agenda of questions: what is asked, in which order, what is not listed and why; numbered snapshots."""
