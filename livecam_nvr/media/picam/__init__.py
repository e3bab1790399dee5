"""Raspberry Pi cameras: a child process each, in which picamera2 runs, and its driver in the service."""
