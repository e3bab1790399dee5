"""Network ports of the media servers: are the configured ones free, and which free ones to take for ourselves."""

import ipaddress
import random
import socket
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from livecam_nvr.config.models import Config
from livecam_nvr.domain.errors import ErrorKind, LivecamError

# Below the ports that Linux gives to outgoing connections (net.ipv4.ip_local_port_range), so that no client's
# connection ever sits on a port that a restarted server wants back.
_OWN = range(20_000, 32_000)
_TRIES = 200

LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A port that a server has to listen on."""

    key: str
    """Its key in the config, below `listen`."""
    what: str
    address: str
    port: int
    udp: bool = False


def is_wildcard(address: str) -> bool:
    """True for an address that means all interfaces."""
    try:
        return ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return False


def local_host(address: str) -> str:
    """The address at which this machine itself reaches what listens on `address`."""
    if is_wildcard(address):
        return "::1" if ":" in address else "127.0.0.1"
    return address


def authority(host: str, port: int) -> str:
    """`host:port` as in a URL: an IPv6 address stands in brackets (RFC 3986, 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_free(address: str, port: int, *, udp: bool = False) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as probe:
        if not udp:
            # As servers do: connections of an earlier server that are still closing do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def plain_address(config: Config) -> str:
    """Where RTSP is served unencrypted: on loopback only, if everything else has to be encrypted."""
    address = config.listen.address
    if not config.tls.only or ipaddress.ip_address(address).is_loopback:
        return address
    return "::1" if ":" in address else "127.0.0.1"


def busy(wanted: Iterable[Wanted]) -> list[Wanted]:
    """Those that somebody else has, or that may not be used."""
    return [w for w in wanted if not is_free(w.address, w.port, udp=w.udp)]


def require_free(wanted: Iterable[Wanted]) -> None:
    """Raises LivecamError CONFLICT that names each port that cannot be had."""
    taken = busy(wanted)
    if taken:
        names = ", ".join(f"{w.port} ({w.what})" for w in taken)
        keys = " and ".join(f"listen.{w.key}" for w in taken)
        raise LivecamError(
            ErrorKind.CONFLICT,
            f"cannot listen on {taken[0].address}, port {names}: in use by another program, or not this machine's",
            f"stop the other program, or choose another {keys} in the config",
        )


def rtsp_ports(config: Config) -> list[Wanted]:
    """What any RTSP server needs."""
    listen = config.listen
    wanted = [Wanted("rtsp_port", "RTSP", plain_address(config), listen.rtsp_port)]
    if config.tls.enabled:
        wanted.append(Wanted("rtsps_port", "RTSPS", listen.address, listen.rtsps_port))
    return wanted


def mediamtx_ports(config: Config) -> list[Wanted]:
    """What MediaMTX needs."""
    listen, address = config.listen, config.listen.address
    return [
        *rtsp_ports(config),
        Wanted("webrtc_port", "WebRTC", address, listen.webrtc_port),
        Wanted("webrtc_udp_port", "WebRTC over UDP", address, listen.webrtc_udp_port, udp=True),
        Wanted("hls_port", "LL-HLS", address, listen.hls_port),
    ]


def free_port(address: str, *, udp: bool = False) -> int:
    """A free port of our own range. Whoever uses it must be ready to find it taken a moment later."""
    for port in random.sample(_OWN, _TRIES):
        if is_free(address, port, udp=udp):
            return port
    raise LivecamError(ErrorKind.UNAVAILABLE, f"no free port between {_OWN.start} and {_OWN.stop} on {address}")


def free_rtp_pair(address: str, rtsp_port: int, taken: Collection[int]) -> int:
    """The even one of two free UDP ports in a row for RTP and RTCP (RFC 3550, 11), the same ones if possible.

    Those right after the RTSP port are tried first, so that a firewall can be told; a second service on the
    machine that wants the same gets two others. `taken` are spoken for.
    """
    after = rtsp_port + 2 + rtsp_port % 2
    for port in (after, *random.sample(_OWN[::2], _TRIES)):
        pair = (port, port + 1)
        if port < 1 << 16 and not set(pair) & set(taken) and all(is_free(address, p, udp=True) for p in pair):
            return port
    raise LivecamError(ErrorKind.UNAVAILABLE, f"no two free UDP ports in a row on {address}")
