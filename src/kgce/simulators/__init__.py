"""Buildings whose devices answer like real ones."""
