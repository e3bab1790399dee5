"""Who may use which address: a rule for every route. A route without one is refused."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

from livecam_nvr.core.access import Deed
from livecam_nvr.domain.access import Role

_CAMERA = "{camera_id}"
RECORDING_PATH = "path"
"""The part of an address that is the path of a recording: the first part of that names its camera."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may use a route, and what is noted of that."""

    least: Role | None
    """The weakest role that may; None: everybody, whatever they come with."""
    camera: str = ""
    """Which part of the address names a camera, which then has to be theirs."""
    whole: bool = False
    """Only for those who may see all cameras."""
    deed: Deed | None = None
    """What the audit log calls it."""
    page: bool = False
    """Whoever is nobody is sent to the sign-in."""
    query: tuple[str, ...] = ()
    """Of a page: which parts of its query the sign-in leads back with."""
    folder: str | None = None
    """Of a playlist: where, seen from its own folder, all that it names lies. A ticket for it is one for that."""

    @property
    def has_tickets(self) -> bool:
        """Whether a link can be made for it that opens it without a sign-in (if it is a GET)."""
        return self.least is not None and self.least is not Role.ADMIN and not self.page


OPEN = Rule(None)
VIEWER = Rule(Role.VIEWER)
WATCHER = Rule(Role.WATCHER)
OPERATOR = Rule(Role.OPERATOR)
ADMIN = Rule(Role.ADMIN, whole=True)
"""Whoever may not see all cameras must not give that to others."""


class Ruled(NamedTuple):
    """A route and its rule."""

    route: web.RouteDef | web.StaticDef
    rule: Rule


def get(path: str, handler: Handler, rule: Rule, *, endless: bool = False) -> Ruled:
    """A route for GET, and HEAD unless the answer has no end."""
    return Ruled(web.get(path, handler, allow_head=not endless), _with_camera(path, rule))


def post(path: str, handler: Handler, rule: Rule, deed: Deed | None = None) -> Ruled:
    """A route for POST."""
    return Ruled(web.post(path, handler), replace(_with_camera(path, rule), deed=deed))


def patch(path: str, handler: Handler, rule: Rule) -> Ruled:
    """A route for PATCH."""
    return Ruled(web.patch(path, handler), _with_camera(path, rule))


def delete(path: str, handler: Handler, rule: Rule, deed: Deed | None = None) -> Ruled:
    """A route for DELETE."""
    return Ruled(web.delete(path, handler), replace(_with_camera(path, rule), deed=deed))


def static(prefix: str, folder: Path) -> Ruled:
    """Files that are nobody's secret."""
    return Ruled(web.static(prefix, folder), OPEN)


def _with_camera(path: str, rule: Rule) -> Rule:
    """No route that names a camera can forget to ask whose it is."""
    return replace(rule, camera="camera_id") if _CAMERA in path else rule


class RuleTable:
    """The rules of an application's routes."""

    def __init__(self) -> None:
        # By the resource itself and not by what it is called: no two can be confused.
        self._rules: dict[tuple[web.AbstractResource | None, str], Rule] = {}

    def add(self, app: web.Application, table: Iterable[Ruled]) -> None:
        """Adds routes with their rules to the application."""
        for route, rule in table:
            for added in app.add_routes([route]):
                self._rules[added.resource, added.method] = rule

    def rule_of(self, route: web.AbstractRoute) -> Rule | None:
        """The rule of the route that a request was led to. HEAD is what GET is."""
        return self._rules.get((route.resource, "GET" if route.method == "HEAD" else route.method))


RULES = web.AppKey("RULES", RuleTable)
