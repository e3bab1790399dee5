"""A web server on a free port."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from fakes.web_service import Site, http, running


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Two cameras without a picture yet."""
    async with running(tmp_path) as site:
        yield site


@pytest.fixture
async def client(site: Site) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of `site`."""
    async with http(site) as session:
        yield session
