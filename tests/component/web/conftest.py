"""A web server on a free port."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import CookieJar
from fakes.web_service import Site, http, running

from livecam_nvr.domain.access import Role


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


@pytest.fixture
def guarded(site: Site) -> Site:
    """A site with anna, who may do anything, ben, who may watch cam1, and olga, who operates that."""
    site.gate.demo = None
    site.gate.let_in("anna", Role.ADMIN)
    site.gate.let_in("ben", Role.WATCHER, ["cam1"])
    site.gate.let_in("olga", Role.OPERATOR, ["cam1"])
    return site


@pytest.fixture
async def visitor(guarded: Site) -> AsyncIterator[aiohttp.ClientSession]:
    """Keeps cookies and comes from the page."""
    headers = {"Origin": guarded.url, "User-Agent": "Mozilla/5.0"}
    async with aiohttp.ClientSession(guarded.url, cookie_jar=CookieJar(unsafe=True), headers=headers) as session:
        yield session


@pytest.fixture
async def program(guarded: Site) -> AsyncIterator[aiohttp.ClientSession]:
    """Keeps nothing."""
    async with http(guarded) as session:
        yield session
