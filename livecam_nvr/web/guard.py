"""Refuses what other web pages send through their visitors' browsers, and puts the security headers on answers."""

import socket
from ipaddress import ip_address

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDict

from livecam_nvr.web.hosts import host_name, is_ours, is_same_origin
from livecam_nvr.web.proxies import Seen, seen

SERVER = "livecam-nvr"
# No Strict-Transport-Security: it would hold for all ports of this name, also for those of other programs in the
# home that speak plain HTTP, and with a certificate of one's own it locks out who loses it. Proxies may add it.
_ALWAYS = {
    "Server": SERVER,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_USUALLY = {
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
SECURITY = {**_USUALLY, **_ALWAYS}
"""For answers that never become a response of ours."""
_READS = frozenset({"GET", "HEAD"})
_VERSIONS = (HttpVersion11, HttpVersion10)


def page_headers(view: Seen) -> dict[str, str]:
    """What a page's answer has instead of the usual headers: own files only, nothing inline.

    `'self'` covers WebSockets in newer browsers only, so they are named. Nobody may show a page in a frame but
    Home Assistant, whose ingress does just that, from the same origin.
    """
    ancestors = "'self'" if view.framed else "'none'"
    policy = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}; script-src 'self';"
        " style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; manifest-src 'self';"
        f" connect-src 'self' ws://{view.host} wss://{view.host}"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Frame-Options": "SAMEORIGIN" if view.framed else "DENY",
        "Cache-Control": "no-cache",
    }


def guard(listen_address: str, *, encrypted: bool = False, open_to_all: bool = False) -> Middleware:
    """The middleware that refuses.

    - A Host that could be a name on the internet (DNS rebinding): for everything while only this machine is
      served, and for what changes something while nobody has to sign in. Where they have to, a foreign name has
      nobody's cookie. Not asked of a trusted proxy, which knows its names, nor under TLS, where the browser has
      compared the name with the certificate.
    - A foreign Origin, for what changes something and for WebSockets, which no browser protects by itself.
    - Plain HTTP on an encrypted port: what reads is sent to https.

    Args:
        listen_address: Where the server listens.
        encrypted: Whether it speaks https there.
        open_to_all: Whether everybody is let in without a sign-in.
    """
    only_here = ip_address(listen_address).is_loopback
    machine = socket.gethostname()

    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.version not in _VERSIONS:
            raise web.HTTPBadRequest(text="only HTTP/1.1 is spoken here")
        changes = request.method not in _READS
        view = seen(request)
        name = host_name(view.host)
        if name is None:
            raise web.HTTPBadRequest(text="the Host header is not a host name")
        if encrypted and not request.secure:
            return _to_https(request, view, changes)
        if (only_here or (changes and open_to_all)) and not (view.proxied or request.secure):
            _check_name(name, machine)
        if changes or request.headers.get("Upgrade"):
            origins = request.headers.getall("Origin", [None])
            if not all(is_same_origin(origin, view.scheme, view.host) for origin in origins):
                raise web.HTTPForbidden(text=_foreign(request, view))
        if view.base and request.match_info.http_exception is not None:
            _check_base(request, view.base)
        return await handler(request)

    return refuse


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Signal on_response_prepare."""
    del request
    harden(response.headers)


def harden(headers: CIMultiDict[str]) -> None:
    """Puts the security headers on; of those in which pages differ, the ones that are there stay."""
    headers.update(_ALWAYS)
    for name, value in _USUALLY.items():
        headers.setdefault(name, value)


def _check_name(name: str, machine: str) -> None:
    if not is_ours(name, machine):
        raise web.HTTPForbidden(
            text=f"this service is not called {name!r}; use localhost, its IP address or its name at home"
        )


def _foreign(request: web.Request, view: Seen) -> str:
    message = "this is only open to the service's own page, not to other web sites"
    if not view.proxied and any(name in request.headers for name in ("X-Forwarded-For", "X-Forwarded-Proto")):
        message += "; if that page came through a reverse proxy, name its address in listen.trusted_proxies"
    return message


def _check_base(request: web.Request, base: str) -> None:
    """A proxy that leaves its folder on the path is told so: nothing would be found."""
    if request.rel_url.raw_path.startswith(f"{base}/"):
        raise web.HTTPNotFound(text=f"the proxy has to take its folder {base} off the path before it asks here")


def _to_https(request: web.Request, view: Seen, changes: bool) -> web.Response:
    if changes or view.proxied:
        # What it held has been readable on the way already; and a proxy would be sent round in circles.
        raise web.HTTPBadRequest(text="this port speaks https only: the address has to begin with https://")
    return web.Response(status=308, headers={"Location": f"https://{view.host}{request.rel_url.raw_path_qs}"})
