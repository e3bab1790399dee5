"""From our config to MediaMTX's: everything that we don't use is closed. Pure.

Keys as in the `mediamtx.yml` of the pinned release. The text is JSON, which is YAML, too.
"""

import json
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from livecam_nvr.config.models import Config, ListenConfig
from livecam_nvr.rtsp.ports import authority, is_wildcard

PUBLISHER = "publisher"
CONTROL = "control"

_LOOPBACK = ["127.0.0.1", "::1"]
# Packets in line for one reader. A keyframe comes at once: 2048 hold one of about 2.9 MB; the default 512 do not
# hold a 4K camera's. Must be a power of two.
_READER_PACKETS = 2048


@dataclass(frozen=True, slots=True)
class Own:
    """What the service chooses for one MediaMTX itself."""

    api_port: int
    rtp_port: int
    """Even; RTCP has the next one."""
    publisher_password: str = field(repr=False)
    control_password: str = field(repr=False)


def mediamtx_settings(config: Config, own: Own) -> str:
    """The text of its config file. It contains the passwords."""
    listen = config.listen
    origins = _origins(listen)
    settings: dict[str, Any] = {
        "logLevel": "warn",
        "logDestinations": ["stdout"],
        "writeQueueSize": _READER_PACKETS,
        "authMethod": "internal",
        "authInternalUsers": _users(config, own),
        "api": True,
        "apiAddress": authority("127.0.0.1", own.api_port),
        "apiAllowOrigins": [],
        "metrics": False,
        "pprof": False,
        "playback": False,
        "rtsp": True,
        "rtspTransports": ["udp", "tcp"],
        "rtspAddress": authority(listen.address, listen.rtsp_port),
        "rtpAddress": authority(listen.address, own.rtp_port),
        "rtcpAddress": authority(listen.address, own.rtp_port + 1),
        "rtmp": False,
        "srt": False,
        "moq": False,
        "hls": True,
        "hlsAddress": authority(listen.address, listen.hls_port),
        "hlsVariant": "lowLatency",
        "hlsAllowOrigins": origins,
        "webrtc": True,
        "webrtcAddress": authority(listen.address, listen.webrtc_port),
        "webrtcLocalUDPAddress": authority(listen.address, listen.webrtc_udp_port),
        "webrtcAllowOrigins": origins,
        **_webrtc_hosts(listen.address),
        "paths": {path_key(camera.id): {"source": "publisher"} for camera in config.streams},
    }
    return json.dumps(settings, indent=1)


def _origins(listen: ListenConfig) -> list[str]:
    """Whose pages may fetch streams: the service's own.

    On the network, this machine may have any name. On loopback it has not, and must not: another web site, served
    from the same port number, would see into its visitors' homes.
    """
    if not ip_address(listen.address).is_loopback:
        return [f"http://*:{listen.http_port}"]
    names = dict.fromkeys(("localhost", *_LOOPBACK, listen.address))
    return [f"http://{authority(name, listen.http_port)}" for name in names]


def path_key(camera_id: str) -> str:
    """A camera's key under `paths`: two names mean "every path" there, and are written as expressions instead."""
    return f"~^{camera_id}$" if camera_id in {"all", "all_others"} else camera_id


def _users(config: Config, own: Own) -> list[dict[str, Any]]:
    paths = [camera.id for camera in config.streams]
    # Where the RTSP server has an address of its own, our connection to it comes from that very address.
    listen = config.listen.address
    ours = _LOOPBACK if is_wildcard(listen) or listen in {*_LOOPBACK, "localhost"} else [*_LOOPBACK, listen]
    return [
        {
            "user": PUBLISHER,
            "pass": own.publisher_password,
            "ips": ours,
            "permissions": [{"action": "publish", "path": path} for path in paths],
        },
        {
            "user": CONTROL,
            "pass": own.control_password,
            "ips": _LOOPBACK,
            "permissions": [{"action": "api"}],
        },
        {"user": "any", "pass": "", "ips": [], "permissions": [{"action": "read", "path": p} for p in paths]},
    ]


def _webrtc_hosts(address: str) -> dict[str, Any]:
    """What is offered as ICE host candidates: nothing where nobody listens."""
    if is_wildcard(address):
        return {"webrtcIPsFromInterfaces": True, "webrtcAdditionalHosts": []}
    return {"webrtcIPsFromInterfaces": False, "webrtcAdditionalHosts": [address]}
