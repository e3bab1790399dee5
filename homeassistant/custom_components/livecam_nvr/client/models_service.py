"""Who the service is, who we are to it, and who carries the entities."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .errors import InvalidAnswer
from .reading import Reading


class Carrier(StrEnum):
    """By which way Home Assistant gets the service's entities."""

    MQTT = "mqtt"
    MOVING = "moving"
    INTEGRATION = "integration"


@dataclass(frozen=True, slots=True)
class Session:
    """`/api/session`: who asks. Everybody may ask that."""

    setup: bool
    """There is no user yet."""
    demo: bool
    """Everybody is let in."""
    role: str | None
    """Ours: `viewer`, `watcher`, `operator` or `admin`; None for nobody."""
    cameras: tuple[str, ...] | None
    """Those that we may see; None for all."""

    @property
    def may_operate(self) -> bool:
        """Whether we have the rights of an operator of all cameras."""
        return self.role in ("operator", "admin") and self.cameras is None

    @classmethod
    def of(cls, reading: Reading) -> Session:
        """Raises InvalidAnswer."""
        return cls(
            reading.flag("setup"), reading.flag("demo"), reading.maybe_text("role"), reading.maybe_texts("cameras")
        )


@dataclass(frozen=True, slots=True)
class MqttNames:
    """How the service calls its devices and entities over MQTT; the camera `""` is the service itself."""

    connected: bool
    devices: Mapping[str, str]
    """Camera to device identifier."""
    unique_ids: Mapping[str, Mapping[str, str]]
    """Camera to entity key to unique id."""

    @classmethod
    def of(cls, reading: Reading) -> MqttNames:
        """Raises InvalidAnswer."""
        ids = reading.part("unique_ids")
        return cls(
            reading.flag("connected"),
            reading.maps_of_text("devices"),
            {camera: ids.maps_of_text(camera) for camera in ids.names()},
        )


@dataclass(frozen=True, slots=True)
class ServiceInfo:
    """`/api/home-assistant`: what the integration needs besides the status."""

    install_id: str
    """Names this installation for ever."""
    node_id: str
    name: str
    version: str
    api: int
    """Grows when the API breaks."""
    carrier: Carrier
    mqtt: MqttNames | None
    """None without a broker."""
    webrtc: bool
    role: str
    """Ours."""
    cameras: tuple[str, ...]
    """Those that we may see."""

    @classmethod
    def of(cls, reading: Reading) -> ServiceInfo:
        """Raises InvalidAnswer."""
        return cls(
            install_id=reading.text("install_id"),
            node_id=reading.text("node_id"),
            name=reading.text("name"),
            version=reading.text("version"),
            api=reading.whole("api"),
            carrier=_carrier(reading),
            mqtt=reading.maybe("mqtt", MqttNames.of),
            webrtc=reading.flag("webrtc"),
            role=reading.text("role"),
            cameras=reading.texts("cameras"),
        )


def _carrier(reading: Reading) -> Carrier:
    value = reading.text("carrier")
    try:
        return Carrier(value)
    except ValueError:
        raise InvalidAnswer(f"the carrier {value!r} is unknown", "update the integration") from None
