"""From our config to MediaMTX's: everything that we don't use is closed. Pure.

Keys as in the `mediamtx.yml` of the pinned release. The text is JSON, which is YAML, too.
"""

import json
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from livecam_nvr.config.models import Config
from livecam_nvr.rtsp.ports import LOOPBACK, authority, is_wildcard, plain_address

# Packets in line for one reader. A keyframe comes at once: 2048 hold one of about 2.9 MB; the default 512 do not
# hold a 4K camera's. Must be a power of two.
_READER_PACKETS = 2048


@dataclass(frozen=True, slots=True)
class Own:
    """What the service chooses for one MediaMTX itself."""

    api_port: int
    rtp_port: int
    """Even; RTCP has the next one."""
    srtp_port: int
    """The same for RTSPS; without a certificate it is not used."""
    doorkeeper: str = field(repr=False)
    """The address, with credentials, of whoever says who may."""


def mediamtx_settings(config: Config, own: Own) -> str:
    """The text of its config file. It contains the doorkeeper's secret."""
    listen, plain = config.listen, plain_address(config)
    proxies = list(listen.trusted_proxies)
    origins = _origins(config)
    settings: dict[str, Any] = {
        "logLevel": "warn",
        "logDestinations": ["stdout"],
        "writeQueueSize": _READER_PACKETS,
        "authMethod": "http",
        "authHTTPAddress": own.doorkeeper,
        # Else its API would be open to every program on this machine.
        "authHTTPExclude": [],
        "api": True,
        "apiAddress": authority("127.0.0.1", own.api_port),
        "apiAllowOrigins": [],
        "metrics": False,
        "pprof": False,
        "playback": False,
        "rtsp": True,
        "rtspTransports": ["udp", "tcp"],
        # Digest needs what a password's slow hash does not keep; over RTSPS, Basic is as safe.
        "rtspAuthMethods": ["basic"],
        "rtspAddress": authority(plain, listen.rtsp_port),
        "rtpAddress": authority(plain, own.rtp_port),
        "rtcpAddress": authority(plain, own.rtp_port + 1),
        "rtmp": False,
        "srt": False,
        "moq": False,
        "hls": True,
        "hlsAddress": authority(listen.address, listen.hls_port),
        "hlsVariant": "lowLatency",
        "hlsAllowOrigins": origins,
        "hlsTrustedProxies": proxies,
        "webrtc": True,
        "webrtcAddress": authority(listen.address, listen.webrtc_port),
        "webrtcLocalUDPAddress": authority(listen.address, listen.webrtc_udp_port),
        "webrtcAllowOrigins": origins,
        "webrtcTrustedProxies": proxies,
        **_webrtc_hosts(listen.address),
        **_encryption(config, own),
        # Only the service can publish; not even it displaces what runs.
        "pathDefaults": {"source": "publisher", "overridePublisher": False},
        # The doorkeeper knows the cameras. All other paths are there, too, so that they look like cameras to
        # whoever may not watch.
        "paths": {"all_others": {}},
    }
    return json.dumps(settings, indent=1)


def _encryption(config: Config, own: Own) -> dict[str, Any]:
    """All is encrypted but RTSP, which has two ports. MediaMTX sees by itself when a certificate is replaced."""
    listen, tls = config.listen, config.tls
    if not tls.enabled:
        return {"rtspEncryption": "no", "hlsEncryption": False, "webrtcEncryption": False}
    found: dict[str, Any] = {
        "rtspEncryption": "optional",
        "rtspsAddress": authority(listen.address, listen.rtsps_port),
        "srtpAddress": authority(listen.address, own.srtp_port),
        "srtcpAddress": authority(listen.address, own.srtp_port + 1),
        "hlsEncryption": True,
        "webrtcEncryption": True,
    }
    for server in ("rtsp", "hls", "webrtc"):
        found[f"{server}ServerCert"] = str(tls.certificate and tls.certificate.absolute())
        found[f"{server}ServerKey"] = str(tls.private_key and tls.private_key.absolute())
    return found


def _origins(config: Config) -> list[str]:
    """Whose pages may fetch streams: the service's own.

    On the network, this machine may have any name. On loopback it has not, and must not: another web site, served
    from the same port number, would see into its visitors' homes.
    """
    listen = config.listen
    scheme = "https" if config.tls.enabled else "http"
    if not ip_address(listen.address).is_loopback:
        return [f"{scheme}://*:{listen.http_port}"]
    names = dict.fromkeys(("localhost", *LOOPBACK, listen.address))
    return [f"{scheme}://{authority(name, listen.http_port)}" for name in names]


def _webrtc_hosts(address: str) -> dict[str, Any]:
    """What is offered as ICE host candidates: nothing where nobody listens."""
    if is_wildcard(address):
        return {"webrtcIPsFromInterfaces": True, "webrtcAdditionalHosts": []}
    return {"webrtcIPsFromInterfaces": False, "webrtcAdditionalHosts": [address]}
