"""Simulated EV chargers on the ocpp library's own charge-point client, versions 1.6 and 2.0.1."""
