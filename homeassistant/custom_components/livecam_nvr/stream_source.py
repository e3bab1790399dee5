"""Where a camera's live stream can be fetched with our token."""

from homeassistant.const import CONF_TOKEN
from yarl import URL

from .client import Camera
from .coordinator import LivecamConfigEntry

_ANYBODY = "homeassistant"
"""A token stands for the password, with any name."""


def stream_source(entry: LivecamConfigEntry, camera: Camera) -> str | None:
    """The RTSP address with the credentials in it, which must never be logged; None without an RTSP server.

    Over TLS if that is how the service itself is reached: whoever wants its pages encrypted does not want the
    token to go over the same network in the clear.
    """
    if camera.addresses is None:
        return None
    secure = entry.runtime_data.client.url.scheme == "https"
    address = (camera.addresses.rtsps if secure else None) or camera.addresses.rtsp
    if not address:
        return None
    return str(URL(address).with_user(_ANYBODY).with_password(entry.data[CONF_TOKEN]))


def has_webrtc(camera: Camera) -> bool:
    """Whether the service has a media server that speaks WebRTC."""
    return camera.addresses is not None and bool(camera.addresses.webrtc)
