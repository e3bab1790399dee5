"""docs/ref/http.md names every route."""

import re
from pathlib import Path

from aiohttp.web import RouteDef, StaticDef

from livecam_nvr.web.routes import access_routes, past_routes, routes

DOCUMENT = (Path(__file__).parents[3] / "docs" / "ref" / "http.md").read_text()


def test_every_route_is_documented_once() -> None:
    headings = re.findall(r"^### `(.+?)`$", DOCUMENT, re.MULTILINE)
    table = [ruled.route for ruled in (*routes(), *past_routes(), *access_routes())]
    paths = [f"{route.method} {_as_written(route.path)}" for route in table if isinstance(route, RouteDef)]
    statics = [f"GET {route.prefix}/{{file}}" for route in table if isinstance(route, StaticDef)]
    assert sorted(headings) == sorted(paths + statics)


def _as_written(path: str) -> str:
    """Without the patterns of the parts: `{run:\\d{1,15}}` is `{run}`."""
    return re.sub(r"\{(\w+):(?:[^{}]|\{[^{}]*\})*\}", r"{\1}", path).replace("{camera_id}", "{id}")
