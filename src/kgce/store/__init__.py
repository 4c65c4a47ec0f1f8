"""Stores: what keeps readings and the registry."""
