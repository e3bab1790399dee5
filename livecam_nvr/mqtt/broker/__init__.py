"""The connection to the broker, and whose place it is."""
