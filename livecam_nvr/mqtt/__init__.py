"""Home Assistant over MQTT: connection, discovery, states, commands."""
