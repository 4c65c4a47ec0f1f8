"""Remote configuration: signed versions over MQTT, tried before they are kept, undone when the gateway gets worse."""
