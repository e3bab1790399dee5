"""The whole service, with each media server, and a real broker."""

from support.fixtures import broker, make_service, server

__all__ = ["broker", "make_service", "server"]
