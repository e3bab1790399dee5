"""web.rules and what the guard makes of them."""

from collections.abc import Sequence

import pytest
from aiohttp import web

from livecam_nvr.core.access import Deed
from livecam_nvr.domain.access import Kind, Principal, Role
from livecam_nvr.web.access_guard import ForbiddenError, demand_role, ticket_path
from livecam_nvr.web.routes import access_routes, past_routes, routes
from livecam_nvr.web.rules import ADMIN, OPEN, OPERATOR, VIEWER, Rule, Ruled, RuleTable, get, post

CAMERA = "/api/cameras/{camera_id}"


async def handler(_request: web.Request) -> web.Response:
    return web.Response()


def everything() -> Sequence[Ruled]:
    return [*routes(), *past_routes(), *access_routes()]


def test_a_table_knows_its_routes_and_no_others() -> None:
    app, table = web.Application(), RuleTable()
    table.add(app, [get("/a", handler, VIEWER), post("/a", handler, OPERATOR, Deed.MODE)])
    app.router.add_get("/a/b", handler)
    found = {}
    for route in app.router.routes():
        rule = table.rule_of(route)
        assert route.resource is not None
        found[f"{route.method} {route.resource.canonical}"] = rule and rule.least
    assert found == {
        "GET /a": Role.VIEWER,
        "HEAD /a": Role.VIEWER,
        "POST /a": Role.OPERATOR,
        "GET /a/b": None,
        "HEAD /a/b": None,
    }


def test_a_camera_in_the_address_is_always_looked_at() -> None:
    assert get(f"{CAMERA}/x", handler, VIEWER).rule.camera == "camera_id"
    assert post(f"{CAMERA}/x", handler, OPERATOR).rule.camera == "camera_id"
    assert get("/x", handler, VIEWER).rule.camera == ""


# They change nothing of the camera: that is how WebRTC is watched.
WHEP = f"{CAMERA}/whep"
WATCHING = {f"POST {WHEP}", *(f"{method} {WHEP}/{{session:[0-9a-f-]{{1,64}}}}" for method in ("PATCH", "DELETE"))}


def test_whatever_changes_a_camera_or_what_is_kept_is_noted() -> None:
    silent = {
        f"{ruled.route.method} {ruled.route.path}"
        for ruled in everything()
        if isinstance(ruled.route, web.RouteDef) and ruled.route.method != "GET" and ruled.rule.deed is None
    }
    # These are noted by the desk itself.
    by_the_desk = {"session", "setup", "tickets", "users", "tokens"}
    silent -= {"POST /api/settings/check"}  # changes nothing
    silent -= WATCHING
    assert {name.split("/")[2] for name in silent} == by_the_desk


def test_no_address_that_changes_something_is_open_or_for_viewers_but_ones_own_session() -> None:
    weak = {
        f"{ruled.route.method} {ruled.route.path}"
        for ruled in everything()
        if isinstance(ruled.route, web.RouteDef)
        and ruled.route.method != "GET"
        and (ruled.rule.least is None or not ruled.rule.least.includes(Role.OPERATOR))
    }
    assert weak == {
        "POST /api/session",
        "DELETE /api/session",
        "POST /api/session/password",
        "POST /api/setup",
        "POST /api/tickets",
        *WATCHING,
    }


@pytest.mark.parametrize(
    ("rule", "role", "cameras", "fine"),
    [
        (VIEWER, Role.VIEWER, None, True),
        (VIEWER, Role.ADMIN, {"cam0"}, True),
        (OPERATOR, Role.WATCHER, None, False),
        (OPERATOR, Role.OPERATOR, {"cam0"}, True),
        (ADMIN, Role.OPERATOR, None, False),
        (ADMIN, Role.ADMIN, None, True),
        (ADMIN, Role.ADMIN, {"cam0"}, False),
        (OPEN, Role.VIEWER, {"cam0"}, True),
    ],
)
def test_roles(rule: Rule, role: Role, cameras: set[str] | None, fine: bool) -> None:
    limit = None if cameras is None else frozenset(cameras)
    principal = Principal(Kind.USER, "anna", role, limit)
    if fine:
        demand_role(rule, principal)
    else:
        with pytest.raises(ForbiddenError, match="anna may not"):
            demand_role(rule, principal)


@pytest.mark.parametrize(
    ("folder", "path", "wanted"),
    [
        (None, "/api/cameras/cam0/snapshot.jpg", "/api/cameras/cam0/snapshot.jpg"),
        ("", "/api/cameras/cam0/hls/index.m3u8", "/api/cameras/cam0/hls/index.m3u8"),
        ("playback", "/api/cameras/cam0/playback.m3u8", "/api/cameras/cam0/playback/playback.m3u8"),
    ],
)
def test_what_a_ticket_has_to_be_for(folder: str | None, path: str, wanted: str) -> None:
    assert ticket_path(Rule(Role.VIEWER, folder=folder), path) == wanted


def test_there_are_tickets_only_for_what_is_looked_at() -> None:
    with_tickets = {ruled.route.path for ruled in everything() if isinstance(ruled.route, web.RouteDef)
                    and ruled.route.method == "GET" and ruled.rule.has_tickets}  # fmt: skip
    assert f"{CAMERA}/snapshot.jpg" in with_tickets
    assert with_tickets.isdisjoint({"/", "/past", "/api/users", "/api/tokens", "/api/audit", "/api/session"})
