"""livecam-nvr: a dependable camera service for the home."""

__version__ = "0.1.0"
