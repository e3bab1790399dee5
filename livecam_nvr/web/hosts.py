"""Who a request thinks it talks to, and which web page it comes from. Pure.

A web page on the internet must not get in through its visitor's browser, which can reach the port: neither by a
name that was made to point here (DNS rebinding: the request carries that name as Host) nor by sending from its own
place (the request carries a foreign Origin).
"""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

_PORTS = {"http": "80", "https": "443"}
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::(?P<port>\d{1,5}))?")
# Names that nobody can register on the internet: RFC 6761, RFC 6762, RFC 8375, and .internal, which ICANN has
# reserved; the others are what home routers use and are not delegated.
_PRIVATE = (".localhost", ".local", ".home.arpa", ".internal", ".lan", ".home", ".localdomain")


def host_name(header: str) -> str | None:
    """The Host header's name without the port (IPv6 in brackets, RFC 3986); None if it is not a host."""
    found = _HOST.fullmatch(header)
    return found["name"].lower() if found else None


def is_ours(name: str, machine: str) -> bool:
    """Whether a host's name can mean this machine and nothing on the internet.

    Args:
        name: As `host_name` gives it.
        machine: This machine's own name.
    """
    bare = name.rstrip(".")
    if bare.startswith("["):
        return True
    try:
        ip_address(bare)
    except ValueError:
        return "." not in bare or bare.endswith(_PRIVATE) or bare == machine.lower()
    return True


def is_same_origin(origin: str | None, scheme: str, host: str) -> bool:
    """Whether a request's Origin is the page that we serve; True if there is none (not a browser).

    Args:
        origin: The header.
        scheme: `http` or `https`, as the browser sees it.
        host: The Host header, as the browser sends it.
    """
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    theirs, ours = _HOST.fullmatch(parts.netloc), _HOST.fullmatch(host)
    if theirs is None or ours is None or parts.scheme != scheme:
        return False
    # Proxies name the scheme's own port, browsers do not; it is the same (RFC 6454, section 4).
    usual = _PORTS[scheme]
    return theirs["name"].lower() == ours["name"].lower() and (theirs["port"] or usual) == (ours["port"] or usual)
