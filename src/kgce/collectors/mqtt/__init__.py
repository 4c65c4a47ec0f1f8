"""MQTT devices: JSON payloads in, batches out."""
