"""What a request brings to show who asks: a session, a token, a name with a password, a ticket.

What is brought on purpose (the Authorization header, `?ticket=`) comes before the cookie, which browsers send by
themselves, and if it is wrong, no other helps.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterator

from aiohttp import web

from livecam_nvr.core.access import Client, Door, Gate
from livecam_nvr.domain.access import Principal, not_signed_in
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.access_caller import TICKET, Caller
from livecam_nvr.web.proxies import client_address

COOKIE = web.AppKey("COOKIE", str)
"""What the session's cookie is called: all ports of a host share their cookies."""
_MOST_COOKIES = 4


class RefusedError(LivecamError):
    """What was brought is wrong, or not valid any more. `shown` says what it was, without a secret."""

    def __init__(self, shown: str) -> None:
        error = not_signed_in()
        super().__init__(error.kind, error.message, error.hint)
        self.shown = shown


async def identify(request: web.Request, gate: Gate, ticket_path: str | None) -> Caller | None:
    """Who asks; None if nothing was brought, or a session that is over. In a demo that is its own principal.

    Args:
        request: The request.
        gate: Whom to ask.
        ticket_path: The path that a ticket has to be for; None: no ticket helps.

    Raises:
        ThrottledError: Too many wrong passwords before.
        LivecamError: INVALID if the same thing was brought twice; UNAUTHENTICATED if what was brought is wrong (a
            RefusedError, unless it is a password or a token: of those the gate keeps account itself).
    """
    client = Client(client_address(request), Door.HTTP)
    shown = await _by_header(request, gate, client)
    text = _only(request.query.getall(TICKET, []), "tickets")
    if text is not None:
        holder = None if ticket_path is None else gate.ticket(text, ticket_path)
        if holder is None:
            raise RefusedError("a ticket")
        return Caller(shown, client) if shown else Caller(holder, client, text)
    if shown:
        return Caller(shown, client)
    for secret in session_secrets(request):
        principal = gate.session(secret)
        if principal is not None:
            return Caller(principal, Client(client.address, Door.PAGE))
    return Caller(gate.demo, client) if gate.demo else None


def session_secrets(request: web.Request) -> Iterator[str]:
    """What the session's cookie holds. There may be several of one name, for several paths (RFC 6265, 5.4)."""
    name = request.app[COOKIE]
    found = 0
    for header in request.headers.getall("Cookie", []):
        for pair in header.split(";"):
            key, equals, value = pair.strip().partition("=")
            if key == name and equals and found < _MOST_COOKIES:
                found += 1
                yield value.strip('"')


async def _by_header(request: web.Request, gate: Gate, client: Client) -> Principal | None:
    header = _only(request.headers.getall("Authorization", []), "Authorization headers")
    if header is None:
        return None
    scheme, _, rest = header.strip().partition(" ")
    match scheme.lower():
        case "bearer":
            principal = gate.token(rest.strip(), client)
            if principal is None:
                raise not_signed_in()
            return principal
        case "basic":
            pair = _name_and_password(rest.strip())
            if pair is None:
                raise RefusedError("a password")
            return await gate.password(*pair, client)
        case _:
            raise RefusedError("something unknown")


def _name_and_password(text: str) -> tuple[str, str] | None:
    """RFC 7617; UTF-8, as we ask for."""
    try:
        name, colon, password = b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (name, password) if colon else None


def _only(values: list[str], what: str) -> str | None:
    """Where there are two, whoever stands between may have looked at the other one."""
    if len(values) > 1:
        raise LivecamError(ErrorKind.INVALID, f"the request has several {what}", "send one")
    return values[0] if values else None
