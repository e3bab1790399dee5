"""A walk through all pages of a running service, as tests and pictures of them take it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Page
from support.service import Service
from support.waiting import until

NAME_OF = {"cam0": "Front door", "cam1": "Garden"}


_WITH_A_PICTURE = """[...document.querySelectorAll('.tile')].filter((tile) =>
  tile.querySelector('video').readyState > 1 || !tile.querySelector('canvas').hidden)"""
# Where on the lanes a moment is, some seconds before the newest one that both cameras have; 0 if there is none.
_RECORDED_X = """async () => {
  const newest = async (id) => (await (await fetch(`api/cameras/${id}/timeline`)).json()).spans.at(-1);
  const spans = await Promise.all(["cam0", "cam1"].map(newest));
  if (!spans.every(Boolean)) return 0;
  const [begins, ends] = ["begin_utc_s", "end_utc_s"].map((edge) => spans.map((span) => span[edge]));
  const [begin, end] = [Math.max(...begins) + 1, Math.min(...ends) - 4];
  const lanes = document.getElementById("lanes");
  const [left, right] = [Number(lanes.dataset.begin), Number(lanes.dataset.end)];
  const moment = Math.max(begin, end - 5);
  return moment < end && moment > left ? ((moment - left) / (right - left)) * lanes.clientWidth : 0;
}"""


@dataclass(frozen=True)
class Stop:
    """A page in a state that is worth looking at."""

    name: str
    path: str
    arrive: Callable[[Page], Awaitable[None]]


async def _true(page: Page, script: str) -> None:
    # Not Playwright's own waiting: it evaluates in the page, whose policy forbids that.
    async def true() -> bool:
        return bool(await page.evaluate(script))

    await until(true, script)


async def _form(page: Page) -> None:
    await page.locator("form [type=submit] > span").first.wait_for()


async def _live(page: Page) -> None:
    # Whether the pictures are late is a matter of the machine.
    await _true(page, f"{_WITH_A_PICTURE}.length === 2")


async def _details(page: Page) -> None:
    await _live(page)
    await page.locator(".tile .details").first.click()
    await page.locator(".tile .figures dd").first.wait_for()
    await page.locator(".tile .addresses summary").first.click()


async def _account(page: Page) -> None:
    await _live(page)
    await page.locator(".account .who").click()
    await page.locator(".account .menu").wait_for()


async def _password(page: Page) -> None:
    await _account(page)
    await page.locator(".account .menu button").first.click()
    await page.locator("dialog[open]").wait_for()


async def _past(page: Page) -> None:
    await _true(page, "document.querySelectorAll('.lane .covered:not(:empty)').length === 2")
    await page.locator('[data-span="600"]').click()
    for _ in range(3):
        await page.locator('[data-zoom="0.5"]').click()
    await page.locator("#now").click()
    x = float(str(await until(lambda: page.evaluate(_RECORDED_X), "some footage of both")))
    await page.locator("#lanes").click(position={"x": x, "y": 60})
    await _true(page, "[...document.querySelectorAll('.seat video')].every((one) => one.readyState > 1)")
    await page.locator('[data-do="play"]').click()
    await page.locator("#select").click()
    await page.locator("#selection").wait_for()


async def _calendar(page: Page) -> None:
    await _true(page, "document.querySelectorAll('.lane .covered:not(:empty)').length === 2")
    await page.locator("#day").click()
    await page.locator("#calendar .held").first.wait_for()


async def _system(page: Page) -> None:
    await page.locator("main h2").first.wait_for()
    await _true(page, "!document.querySelector('[aria-busy=true]')")


async def _wall(page: Page) -> None:
    await _live(page)


FRESH = (Stop("setup", "setup", _form),)
"""Only while there is no user."""
OUTSIDE = (Stop("signin", "signin", _form),)
"""Without a sign-in."""
INSIDE = (
    Stop("live", "", _live),
    Stop("live-details", "", _details),
    Stop("live-account", "", _account),
    Stop("live-password", "", _password),
    Stop("past", "past", _past),
    Stop("past-calendar", "past", _calendar),
    Stop("system", "system", _system),
    *(
        Stop(f"system-{part}", f"system#{part}", _system)
        for part in ("settings", "users", "tokens", "log", "audit")
    ),
    Stop("wall", "wall", _wall),
)


async def served(folder: Path) -> AsyncIterator[Service]:
    """Two cameras, each with a finished file; nobody has a password yet."""
    cameras = [
        {"id": camera_id, "name": name, "kind": "test", "size": "640x360", "fps": 15, "bitrate_kbps": 600}
        for camera_id, name in NAME_OF.items()
    ]
    service = Service(folder, cameras=cameras)
    await service.start()
    try:

        async def recorded() -> bool:
            return all(camera["recording"]["last_segment"] for camera in (await service.status())["cameras"])

        await until(recorded, "a finished file of each camera")
        yield service
    finally:
        await service.stop()


async def visit(page: Page, url: str, stop: Stop) -> None:
    """Goes there anew."""
    await page.goto("about:blank")  # the same page with another fragment would not be loaded again
    await page.goto(f"{url}/{stop.path}")
    await stop.arrive(page)
