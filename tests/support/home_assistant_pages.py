"""Home Assistant's pages in a real browser, and what people paste into it."""

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page
from ruamel.yaml import YAML
from support.browser import PATIENCE_MS
from support.home_assistant import HomeAssistant

PASTE = Path(__file__).parents[2] / "homeassistant"
DASHBOARD = "livecam-nvr"
VIEWS = ("live", "wall", "state", "camera-0", "camera-1")
_NEVER = 9_999_999_999_999

# Home Assistant's cards live in shadow trees, which no selector of CSS looks into.
_WALK = """
() => {
  const found = { errors: [], cards: 0, stills: 0, videos: 0 };
  const wrong = /^(hui-error-card|hui-warning|hui-error-badge|hui-warning-element|hui-error-heading-badge)$/;
  const walk = (node) => {
    if (wrong.test(node.localName || "")) {
      found.errors.push(node.localName + " " + JSON.stringify(node._config || node.config || null) + " " +
        ((node.shadowRoot || node).textContent || "").trim().slice(0, 200));
    }
    if (node.localName === "hui-card") found.cards += 1;
    if (node.localName === "img" && node.naturalWidth > 100) found.stills += 1;
    if (node.localName === "video" && node.readyState > 1 && node.currentTime > 0) found.videos += 1;
    for (const child of (node.shadowRoot || node).childNodes || []) walk(child);
    if (node.shadowRoot) for (const child of node.childNodes) walk(child);
  };
  walk(document.documentElement);
  return found;
}
"""


async def paste_dashboard(ha: HomeAssistant) -> None:
    """Makes a dashboard as a person does, with the raw configuration editor."""
    if DASHBOARD not in [found["url_path"] for found in await ha.ask("lovelace/dashboards/list")]:
        about = {"title": "Cameras", "icon": "mdi:cctv", "require_admin": False, "show_in_sidebar": True}
        await ha.ask("lovelace/dashboards/create", url_path=DASHBOARD, mode="storage", **about)
    config = YAML(typ="safe", pure=True).load((PASTE / "dashboards" / "livecam-nvr.yaml").read_text())
    await ha.ask("lovelace/config/save", url_path=DASHBOARD, config=config)


def copy_blueprints(ha: HomeAssistant) -> None:
    """Copies them where the README says."""
    target = ha.folder / "blueprints" / "automation" / "livecam_nvr"
    shutil.copytree(PASTE / "blueprints" / "automation" / "livecam_nvr", target, dirs_exist_ok=True)


@asynccontextmanager
async def signed_in(browser: Browser, ha: HomeAssistant, **context: Any) -> AsyncIterator[Page]:
    """A page whose browser is signed in to Home Assistant; `context` is Playwright's."""
    tokens = {
        "access_token": ha.token,
        "token_type": "Bearer",
        "refresh_token": "",
        "expires_in": 86400,
        "expires": _NEVER,
        "hassUrl": ha.url,
        "clientId": f"{ha.url}/",
    }
    stored = {"hassTokens": json.dumps(tokens), "dockedSidebar": '"always_hidden"'}
    script = "".join(f"localStorage.setItem({json.dumps(k)}, {json.dumps(v)});" for k, v in stored.items())
    opened = await browser.new_context(locale="en-GB", **context)
    try:
        opened.set_default_timeout(PATIENCE_MS)
        await opened.add_init_script(script)
        yield await opened.new_page()
    finally:
        await opened.close()


@dataclass(frozen=True)
class Look:
    """What a page shows: cards with an error, cards in all, still pictures, videos that play."""

    errors: list[str]
    cards: int
    stills: int
    videos: int


async def look(page: Page) -> Look:
    """What it shows now."""
    return Look(**await page.evaluate(_WALK))
