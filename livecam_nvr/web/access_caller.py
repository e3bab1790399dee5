"""Who stands behind a request that was let in, and which of the cameras are theirs."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote

from aiohttp import web

from livecam_nvr.core.access import Client
from livecam_nvr.domain.access import Principal
from livecam_nvr.domain.errors import LivecamError, unknown_camera

TICKET = "ticket"
"""The parameter of a query that holds one."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was let in, for one request."""

    principal: Principal
    client: Client
    ticket: str = ""
    """What they came with, if that is all they came with: links in the answer have to carry it on."""
    since_s: float = field(default_factory=time.monotonic)
    """When their credential was looked at; monotonic."""

    def whom(self) -> str:
        """For logs and ledgers: `anna (192.168.1.5)`."""
        return f"{self.principal.words} ({self.client.address})" if self.client.address else self.principal.words


CALLER = web.RequestKey("CALLER", Caller)


class ForeignError(LivecamError):
    """It exists, but belongs to cameras that are not theirs; its words are those for what does not exist."""

    @classmethod
    def like(cls, error: LivecamError) -> "ForeignError":
        """With the words of an error for what does not exist."""
        return cls(error.kind, error.message, error.hint)


def caller_of(request: web.Request) -> Caller:
    """Who asks; every request to an address that is not open to everybody has somebody."""
    return request[CALLER]


def carried(request: web.Request) -> str:
    """What has to stand behind the addresses in a playlist so that whoever has it can have what it names."""
    caller = caller_of(request)
    return f"?{TICKET}={quote(caller.ticket)}" if caller.ticket else ""


def theirs(request: web.Request, camera_ids: Iterable[str]) -> list[str]:
    """Those of some cameras that the caller may know of."""
    principal = caller_of(request).principal
    return [camera_id for camera_id in camera_ids if principal.sees(camera_id)]


def demand_theirs(request: web.Request, camera_ids: Iterable[str], known: Iterable[str]) -> None:
    """Refuses cameras that are not theirs, and tells those without all cameras no other names.

    Args:
        request: The request.
        camera_ids: What is asked for.
        known: All that the service has.

    Raises:
        LivecamError: NOT_FOUND, as if they did not exist; a ForeignError if they do.
    """
    principal = caller_of(request).principal
    if principal.cameras is None:
        return
    known = tuple(known)
    mine = theirs(request, known)
    for camera_id in camera_ids:
        if camera_id not in mine:
            error = unknown_camera(camera_id, mine)
            raise ForeignError.like(error) if camera_id in known else error
