"""docs/ref/http.md names every route."""

import re
from pathlib import Path

from aiohttp.web import RouteDef, StaticDef

from livecam_nvr.web.routes import routes

DOCUMENT = (Path(__file__).parents[3] / "docs" / "ref" / "http.md").read_text()


def test_every_route_is_documented() -> None:
    headings = re.findall(r"^### `(.+?)`", DOCUMENT, re.MULTILINE)
    paths = {f"{route.method} {_as_written(route.path)}" for route in routes() if isinstance(route, RouteDef)}
    statics = {f"GET {route.prefix}/{{file}}" for route in routes() if isinstance(route, StaticDef)}
    assert set(headings) == paths | statics


def _as_written(path: str) -> str:
    """Without the patterns of the parts: `{run:\\d{1,15}}` is `{run}`."""
    return re.sub(r"\{(\w+):(?:[^{}]|\{[^{}]*\})*\}", r"{\1}", path).replace("{camera_id}", "{id}")
