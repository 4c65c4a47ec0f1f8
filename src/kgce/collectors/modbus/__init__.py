"""Modbus devices: registers in, batches out."""
