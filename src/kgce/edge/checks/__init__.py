"""The checks: what leaves the gateway is marked, never repaired."""
