"""Simulated M-Bus: meters of four kinds behind a TCP port or a pseudo terminal."""
