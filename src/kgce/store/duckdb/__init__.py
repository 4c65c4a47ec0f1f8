"""Readings in one file of this machine."""
