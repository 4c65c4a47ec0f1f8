"""EV chargers that connect to us: an OCPP 1.6J and 2.0.1 central system."""
