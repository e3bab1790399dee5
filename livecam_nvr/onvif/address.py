"""Where a camera's ONVIF is: reads addresses, and corrects those that cameras tell of themselves."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from livecam_nvr.domain.errors import ErrorKind, LivecamError

# ONVIF Core Specification, "Device management service": its entry point is always this.
_ENTRY = "/onvif/device_service"
# XML 1.0 has no way to write most control characters, and HTTP none at all (RFC 9110, section 5.5).
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_PRINTABLE_URL = re.compile(r"[\x21-\x7e]{1,1024}")


@dataclass(frozen=True, slots=True)
class OnvifAddress:
    """A camera's device service, and who asks."""

    scheme: str
    host: str
    port: int | None
    path: str
    user: str = ""
    password: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """Without credentials."""
        return f"{self.scheme}://{self.place}{self.path}"

    @property
    def place(self) -> str:
        """`host` or `host:port`, as it stands in URLs."""
        return _place(self.host, self.port)

    def as_user(self, user: str, password: str) -> "OnvifAddress":
        """The same for somebody else.

        Raises:
            LivecamError: INVALID for names and passwords that no camera can take.
        """
        if ":" in user or _UNWRITABLE.search(user + password):
            raise LivecamError(
                ErrorKind.INVALID,
                "the user name or password of a camera has characters that no camera can take",
                "a user name has no colon, and neither has control characters",
            )
        return OnvifAddress(self.scheme, self.host, self.port, self.path, user, password)


def parse_address(text: str) -> OnvifAddress:
    """Reads `http://[user:password@]host[:port][/path]`; `host[:port]` alone will do.

    Raises:
        LivecamError: INVALID; its words contain nothing of `text`, in which a password may stand anywhere.
    """
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname or "", parts.port
        user, password = unquote(parts.username or "", errors="strict"), unquote(parts.password or "")
    except ValueError:
        raise _wrong() from None
    if parts.scheme not in ("http", "https") or port == 0 or not host or re.search(r"[^!-~]|[<>\"\\^`{|}]", host):
        raise _wrong()
    path = parts.path if parts.path not in ("", "/") else _ENTRY
    if parts.query:
        path += f"?{parts.query}"
    if not _PRINTABLE_URL.fullmatch(path):
        raise _wrong()
    return OnvifAddress(parts.scheme, host, port, path).as_user(user, password)


def _wrong() -> LivecamError:
    return LivecamError(
        ErrorKind.INVALID,
        "this is not the address of a camera's ONVIF service",
        "write it like http://user:password@192.168.1.20/onvif/device_service, with %3A %2F %3F %23 %40 for"
        " : / ? # @ in user name and password",
    )


def at_own_host(told: object, address: OnvifAddress) -> str | None:
    """The http address that a camera tells of one of its services, at the host that `address` names.

    Credentials go there, so a camera may name another path or port, but no other machine. Behind a router, or with
    an address of yesterday, it names a host that is not reachable anyhow; then the port is that of `address`, too.
    None if it is no such address.
    """
    try:
        parts = urlsplit(str(told).strip())
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https"):
        return None
    try:
        port = parts.port
    except ValueError:
        # Some firmwares write the port twice.
        host, port = None, None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not _PRINTABLE_URL.fullmatch(path):
        return None
    same = host == address.host and port != 0
    origin = f"{parts.scheme}://{_place(address.host, port)}" if same else f"{address.scheme}://{address.place}"
    return origin + path


def stream_address(told: object, address: OnvifAddress) -> str | None:
    """The rtsp address that a camera tells, without credentials; None if it is none.

    A host that only means "myself" there (0.0.0.0, 127.0.0.1, link-local) is replaced by that of `address`.
    """
    text = str(told).strip()
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("rtsp", "rtsps") or not host or not _PRINTABLE_URL.fullmatch(text):
        return None
    place = _place(address.host if only_means_itself(host) else host, port)
    return parts._replace(netloc=place, fragment="").geturl()


def only_means_itself(host: str) -> bool:
    """True for IP addresses that mean nothing to other machines."""
    try:
        ip = ip_address(host.partition("%")[0])
    except ValueError:
        return host == "localhost"
    return ip.is_loopback or ip.is_unspecified or ip.is_link_local


def with_credentials(url: str, userinfo: str) -> str:
    """`url` with `userinfo@` (already percent-encoded) in front of its host."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{userinfo}@{rest}" if userinfo else url


def _place(host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"
