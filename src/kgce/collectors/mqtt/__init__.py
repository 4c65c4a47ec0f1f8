"""MQTT subscriptions: JSON messages in, batches out."""
