"""Readings on a VictoriaMetrics server."""
