"""Detectors of what is odd about figures."""
