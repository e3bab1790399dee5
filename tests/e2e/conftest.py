"""The whole service, with each media server, and a real broker."""

from pathlib import Path

import pytest
from support.fixtures import broker, make_service, server

__all__ = ["broker", "make_service", "server"]

# What takes a minute on a quiet machine is not hanging when it takes ten on another one.
_HANGS_S = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives each of these tests more time than others."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(_HANGS_S))
