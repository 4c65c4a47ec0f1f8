"""Faults: real processes are killed, cut off, filled up and lied to; afterwards every reading must be accounted for."""
