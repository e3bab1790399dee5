"""What the broker is told, and when."""
