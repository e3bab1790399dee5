"""What the service does, free of any library: events, ports, recording, health."""
