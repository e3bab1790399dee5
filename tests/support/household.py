"""A web server whose users are real: accounts in a store, sessions, tickets; and a browser's pages on it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fakes.web_service import Site
from playwright.async_api import Browser, Page
from support.browser import PATIENCE_MS

from livecam_nvr.access.audit import FileAuditLog
from livecam_nvr.access.passwords import Cost, Hasher
from livecam_nvr.access.service import AccessService
from livecam_nvr.config.models import ListenConfig
from livecam_nvr.core.access import Client, Door
from livecam_nvr.domain.access import Role
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.web.keys import WebAccess, WebPorts
from livecam_nvr.web.server import WebServer

CONSOLE = Client("", Door.CLI)
_QUICK = Cost(rounds=1, memory_kib=64, lanes=1)


def password_of(name: str) -> str:
    """Everybody's own."""
    return f"the password of {name}"


class Household:
    """What the tests take hold of."""

    def __init__(self, site: Site, access: AccessService) -> None:
        self.site = site
        self.access = access

    @property
    def url(self) -> str:
        """With a slash at its end."""
        return self.site.url + "/"

    async def add(self, name: str, role: Role, cameras: list[str] | None = None) -> None:
        await self.access.add_user(name, password_of(name), role, cameras, by="test", client=CONSOLE)


@asynccontextmanager
async def household(
    folder: Path,
    *people: tuple[str, Role],
    demo: bool = False,
    cameras: list[str] | None = None,
    trusted: tuple[str, ...] = (),
    refit: Callable[[Site], WebPorts] | None = None,
) -> AsyncIterator[Household]:
    """A service that listens, with these users; without any, it asks for the first password.

    `refit` says what the server gets instead of the site's own ports.
    """
    site = Site(folder, cameras or ["cam0", "cam1"])
    clock = SystemClock()
    audit = FileAuditLog(folder / "access" / "audit.sqlite", clock)
    access = AccessService(
        folder / "access", clock, site.bus, audit, camera_ids=list(site.hubs), demo=demo, hasher=Hasher(_QUICK)
    )
    listen = ListenConfig(http_port=site.port, trusted_proxies=trusted)
    ports = site.ports if refit is None else refit(site)
    site.server = WebServer(listen, ports, access=WebAccess(access, access, audit))
    await audit.start()
    await access.start()
    try:
        found = Household(site, access)
        for name, role in people:
            await found.add(name, role)
        await site.server.start()
        yield found
    finally:
        await site.close()
        await access.stop()
        await audit.stop()


@asynccontextmanager
async def visitor(browser: Browser, **how: Any) -> AsyncIterator[Page]:
    """A page of somebody with a browser of their own; what it complains of fails the test, but refusals."""
    complaints: list[str] = []
    context = await browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **how})
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    # A refusal is listed as an error by the browser itself.
    page.on(
        "console",
        lambda m: (
            complaints.append(m.text)
            if m.type in ("error", "warning") and not m.text.startswith(("Failed to load", "WebSocket connection"))
            else None
        ),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page
        assert complaints == []
    finally:
        await context.close()


async def sign_in(page: Page, name: str, password: str | None = None) -> None:
    """Fills in the sign-in that is shown, and sends it."""
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password", exact=True).fill(password_of(name) if password is None else password)
    await page.get_by_role("button", name="Sign in").click()


async def signed_in(page: Page, url: str, name: str) -> None:
    """Opens a page of the service as this user."""
    await page.goto(url)
    await sign_in(page, name)
    await page.get_by_role("button", name=f"{name}: account").wait_for()
