"""The models of `config.yaml`. Every key, its default and its bounds are here and nowhere else."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ByteSize, ConfigDict, Field, SecretStr, field_validator, model_validator

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Port = Annotated[int, Field(ge=1, le=65535)]
# Even: H.264's usual 4:2:0 pictures have half as many samples of colour in either direction.
Size = Annotated[str, Field(pattern=r"^[1-9]\d{0,2}[02468]x[1-9]\d{0,2}[02468]$")]


class Section(BaseModel):
    """A part of the config: frozen; unknown keys are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NodeConfig(Section):
    """This installation, as Home Assistant and the page name it."""

    id: Slug = "livecam"
    """Begins all MQTT topics and ids; must be unique on the broker and never change."""
    name: str = Field("livecam-nvr", min_length=1, max_length=64)


class ListenConfig(Section):
    """Where the service listens."""

    address: str = "127.0.0.1"
    """`127.0.0.1` is this machine only, `0.0.0.0` the whole network."""
    http_port: Port = 8001
    rtsp_port: Port = 8554
    webrtc_port: Port = 8889
    webrtc_udp_port: Port = 8189
    hls_port: Port = 8888
    """MediaMTX's low-latency HLS."""

    @field_validator("address")
    @classmethod
    def _is_address(cls, value: str) -> str:
        try:
            ip_address(value)
        except ValueError:
            raise ValueError(
                "an IP address of this machine is needed: 127.0.0.1 (this machine only) or 0.0.0.0 (the network)"
            ) from None
        return value

    @model_validator(mode="after")
    def _ports_differ(self) -> "ListenConfig":
        if len({getattr(self, key) for key in TCP_PORTS}) < len(TCP_PORTS):
            raise ValueError(f"{', '.join(TCP_PORTS)}: each needs a port of its own")
        return self


TCP_PORTS = ("http_port", "rtsp_port", "webrtc_port", "hls_port")
"""The keys of `listen` that share one space of ports (UDP has its own)."""


class CameraBase(Section):
    """What all kinds of cameras have."""

    id: Slug
    """Names its folder, its addresses and its entities; must never change."""
    name: str = Field("", max_length=64)
    """For people; the id if empty."""
    enabled: bool = True
    record: bool = True
    """The recording switch before anybody has touched it."""
    stall_seconds: float = Field(5.0, ge=1, le=120)
    """Without a new frame for so long, the camera counts as stalled and is restarted."""

    @property
    def title(self) -> str:
        """The name for people."""
        return self.name or self.id


class EncodedCamera(CameraBase):
    """A camera whose pictures we encode."""

    size: Size = "1280x720"
    fps: float = Field(30, ge=1, le=120)
    bitrate_kbps: int = Field(2000, ge=50, le=100_000)

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.size.split("x")[0])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.size.split("x")[1])


class TestCamera(EncodedCamera):
    """A moving test picture with name, clock and frame number burnt in."""

    kind: Literal["test"]


class RtspCamera(CameraBase):
    """An IP camera; its H.264 or H.265 is copied, never re-encoded."""

    kind: Literal["rtsp"]
    url: SecretStr
    """`rtsp://user:password@host/path`; a secret because of the password."""
    transport: Literal["tcp", "udp"] = "tcp"

    @field_validator("url")
    @classmethod
    def _is_rtsp(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(("rtsp://", "rtsps://")):
            raise ValueError("an address that begins with rtsp:// or rtsps:// is needed")
        try:
            parts = urlsplit(value.get_secret_value())
            good = bool(parts.hostname) and parts.port != 0
        except ValueError:
            # Its text quotes the address.
            good = False
        if not good:
            raise ValueError(
                "a host, and a port from 1 to 65535 if any, is needed, as in rtsp://HOST:554/PATH; a user name or"
                " password is written with %2F %3F %23 %40 for its / ? # @"
            ) from None
        return value


class FileCamera(CameraBase):
    """A video file that loops; copied if it is H.264 or H.265, else encoded."""

    kind: Literal["file"]
    path: Path


class V4l2Camera(EncodedCamera):
    """A USB camera."""

    kind: Literal["v4l2"]
    device: Path = Path("/dev/video0")


Camera = Annotated[TestCamera | RtspCamera | FileCamera | V4l2Camera, Field(discriminator="kind")]
CAMERA_KINDS: dict[str, type[CameraBase]] = {
    "test": TestCamera,
    "rtsp": RtspCamera,
    "file": FileCamera,
    "v4l2": V4l2Camera,
}


class RecordingConfig(Section):
    """The archive."""

    path: Path = Path("recordings")
    segment_seconds: int = Field(30, ge=10, le=3600)
    pre_roll_seconds: float = Field(0, ge=0, le=60)
    """How far back, from memory, a file begins that is switched on."""
    durability_seconds: float = Field(5, ge=0.5, le=300)
    """At most so much is lost in a power cut; how often the file being written is synced to disk."""
    min_free: ByteSize = Field(ByteSize(1 << 30), ge=0)
    """With less free space than this, recording pauses and says so, so that the disk never fills up."""


class MqttConfig(Section):
    """The broker that Home Assistant uses."""

    host: str = ""
    """Empty: no MQTT."""
    port: Port = 1883
    username: str = ""
    password: SecretStr = SecretStr("")
    base_topic: str = Field("livecam-nvr", pattern=r"^[^+#\s/][^+#\s]*[^+#\s/]$|^[^+#\s/]$")
    discovery_prefix: str = Field("homeassistant", pattern=r"^[^+#\s/][^+#\s]*[^+#\s/]$|^[^+#\s/]$")
    snapshot_seconds: float = Field(10, ge=1, le=3600)
    """How often the still picture of each camera is renewed."""


class MediaServerConfig(Section):
    """What serves RTSP, WebRTC and LL-HLS."""

    kind: Literal["auto", "mediamtx", "gstreamer"] = "auto"
    """`auto`: MediaMTX where it is or can be had, else GStreamer."""
    mediamtx_path: Path | None = None
    """A MediaMTX binary of your own."""
    download: bool = True
    """Whether MediaMTX may be fetched from its release page if it is not there."""


def default_cameras() -> list[Camera]:
    """The two test cameras that run without a config file."""
    return [
        TestCamera(id="cam0", name="Camera 0", kind="test"),
        TestCamera(id="cam1", name="Camera 1", kind="test"),
    ]


class Config(Section):
    """The whole of `config.yaml`. Relative paths have been made absolute by the loader."""

    node: NodeConfig = NodeConfig()
    listen: ListenConfig = ListenConfig()
    cameras: list[Camera] = Field(default_factory=default_cameras, min_length=1, max_length=64)
    recording: RecordingConfig = RecordingConfig()
    mqtt: MqttConfig = MqttConfig()
    media_server: MediaServerConfig = MediaServerConfig()
    data_dir: Path = Path("data")
    """Index, switches, generated files, a fetched MediaMTX."""

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "Config":
        seen: set[str] = set()
        for camera in self.cameras:
            if camera.id in seen:
                raise ValueError(f"two cameras have the id {camera.id!r}; each needs its own")
            seen.add(camera.id)
        return self
