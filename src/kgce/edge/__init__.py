"""The gateway runtime: sources, checks, buffer, sink."""
