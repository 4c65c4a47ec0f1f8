"""The uplink's language: what gateways say to the centre, what the centre answers, and the centre's ear."""
