"""What Home Assistant's MQTT discovery is told."""
