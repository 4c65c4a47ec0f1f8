"""The uplink: empties the buffer into the sink."""
