"""Readings on an InfluxDB server of any generation."""
