"""Refuses what other web pages send through their visitors' browsers, and puts the security headers on answers."""

import socket
from ipaddress import ip_address

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from livecam_nvr.web.hosts import host_name, is_ours, is_same_origin

SERVER = "livecam-nvr"
SECURITY = {
    "Server": SERVER,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
NOTHING = "default-src 'none'; frame-ancestors 'none'"
_READS = frozenset({"GET", "HEAD"})


def page_policy(host: str) -> str:
    """The page's Content-Security-Policy: own files only, nothing inline.

    `'self'` covers WebSockets in newer browsers only, so they are named.
    """
    return (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src 'self';"
        " style-src 'self'; img-src 'self' blob:; media-src 'self' blob:;"
        f" connect-src 'self' ws://{host} wss://{host}"
    )


def asked_host(request: web.Request) -> str:
    """The Host header, port and all; `localhost` for old clients that send none."""
    hosts = request.headers.getall("Host", ["localhost"])
    return hosts[0] if len(hosts) == 1 else ""


def guard(listen_address: str) -> Middleware:
    """The middleware that refuses.

    A Host that could be a name on the internet is refused for everything while only this machine is served, else
    for what changes something (behind a name of one's own, watching is allowed). A foreign Origin is refused for
    what changes something and for WebSockets, which no browser protects by itself.
    """
    only_here = ip_address(listen_address).is_loopback
    machine = socket.gethostname()

    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        changes = request.method not in _READS
        host = asked_host(request)
        name = host_name(host)
        if name is None:
            raise web.HTTPBadRequest(text="the Host header is not a host name")
        if (only_here or changes) and not is_ours(name, machine):
            raise web.HTTPForbidden(
                text=f"this service is not called {name!r}; use localhost, its IP address or its name at home"
            )
        if changes or request.headers.get("Upgrade"):
            origins = request.headers.getall("Origin", [None])
            if not all(is_same_origin(origin, host) for origin in origins):
                raise web.HTTPForbidden(text="this is only open to the service's own page, not to other web sites")
        return await handler(request)

    return refuse


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal on_response_prepare."""
    del request
    response.headers.update(SECURITY)
    response.headers.setdefault("Content-Security-Policy", NOTHING)
    response.headers.setdefault("Cache-Control", "no-store")
