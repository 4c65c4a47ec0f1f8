"""Devices that speak MQTT by themselves: from a device's truth to the messages of one round."""
