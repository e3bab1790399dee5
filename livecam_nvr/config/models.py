"""The models of `config.yaml`. Every key, its default and its bounds are here and nowhere else."""

from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from livecam_nvr.config.masks import Polygon
from livecam_nvr.config.mqtt import MqttConfig
from livecam_nvr.config.recording import RecordingConfig, RetentionLimits, ScheduleRule
from livecam_nvr.config.section import Port, Section
from livecam_nvr.domain.access import SUB


def _network(value: str) -> str:
    try:
        return str(ip_network(value, strict=False))
    except ValueError:
        raise ValueError("an IP address or network is needed, e.g. 172.30.33.0/24") from None


Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Network = Annotated[str, AfterValidator(_network)]
# Even: H.264's usual 4:2:0 pictures have half as many samples of colour in either direction.
Size = Annotated[str, Field(pattern=r"^[1-9]\d{0,2}[02468]x[1-9]\d{0,2}[02468]$")]

ControlName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]
# The file is read as text.
Rotation = Annotated[
    Literal[0, 180], BeforeValidator(lambda v: int(v) if isinstance(v, str) and v.isdecimal() else v)
]
Gain = Annotated[float, Field(gt=0, le=32)]
# What the smaller stream of a camera does not have.
_NO_FILES = {"url_file": None, "sub_url_file": None, "onvif_url_file": None}
_NO_DUTIES = {"record": False, "sound": False, "picture_check": False}
_BARE = {"sub_url": None, "onvif_url": None, **_NO_FILES, **_NO_DUTIES}


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
    rtsps_port: Port = 8322
    """RTSP over TLS; only with a certificate (see `tls`)."""
    announce: bool = True
    """Whether the network is told by mDNS that the service is here, unless it listens on this machine only."""
    trusted_proxies: tuple[Network, ...] = ()
    """Reverse proxies, by address or network: only from them are X-Forwarded-For, -Proto, -Host and -Prefix taken
    (and Home Assistant's X-Ingress-Path).
    """

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


TCP_PORTS = ("http_port", "rtsp_port", "rtsps_port", "webrtc_port", "hls_port")
"""The keys of `listen` that share one space of ports (UDP has its own)."""


class TlsConfig(Section):
    """Encryption of the page (then https), RTSP (then also RTSPS), WebRTC's signalling and LL-HLS."""

    certificate: Path | None = None
    """PEM, with the whole chain; `livecam-nvr tls init` makes one of your own."""
    private_key: Path | None = None
    """PEM, without a passphrase."""
    only: bool = False
    """Whether plain RTSP is closed to other machines, so that nothing leaves this one unencrypted."""

    @model_validator(mode="after")
    def _both_or_neither(self) -> "TlsConfig":
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("certificate and private_key are needed together")
        if self.only and self.certificate is None:
            raise ValueError("only: true needs a certificate and its private_key")
        return self

    @property
    def enabled(self) -> bool:
        """Whether there is a certificate."""
        return self.certificate is not None


def _has_host(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        # Its text quotes the address.
        return False


class CameraBase(Section):
    """What all kinds of cameras have."""

    id: Slug
    """Names its folder, its addresses and its entities; must never change."""
    name: str = Field("", max_length=64)
    """For people; the id if empty."""
    enabled: bool = True
    record: bool = True
    """The recording switch before anybody has touched it."""
    record_mode: Literal["switched", "always", "schedule", "events"] = "switched"
    """What the switch means: recording; nothing (it always records); the schedule applies; events are recorded."""
    schedule: tuple[ScheduleRule, ...] = ()
    """When it is recorded, for `record_mode: schedule`."""
    retention: RetentionLimits = RetentionLimits()
    """Limits for its own footage, besides those for all; an age takes the place of the one for all."""
    stall_seconds: float = Field(5.0, ge=1, le=120)
    """Without a new frame for so long, the camera counts as stalled and is restarted."""
    sound: bool = False
    """Whether its sound is captured, shown and recorded."""
    picture_check: bool = False
    """Whether its picture is looked at now and then, to tell when it is black or frozen."""
    overlay: bool = False
    """Whether name and clock are burnt into the picture. A camera that would be copied is encoded for it."""
    masks: tuple[Polygon, ...] = ()
    """Areas that are blacked out before anything is encoded. A camera that would be copied is encoded for them."""
    bitrate_kbps: int = Field(2000, ge=50, le=100_000)
    """Of the stream, where we encode it."""

    @model_validator(mode="after")
    def _schedule_has_times(self) -> Self:
        if self.record_mode == "schedule" and not self.schedule:
            raise ValueError("record_mode: schedule needs times in `schedule`; without any it would never record")
        return self

    @property
    def title(self) -> str:
        """The name for people."""
        return self.name or self.id

    @property
    def drawn(self) -> bool:
        """True if something is drawn into its pictures, for which they have to be encoded by us."""
        return self.overlay or bool(self.masks)


class EncodedCamera(CameraBase):
    """A camera whose pictures we encode."""

    size: Size = "1280x720"
    fps: float = Field(30, ge=1, le=120)

    @property
    def width(self) -> int:
        """Pixels."""
        return int(self.size.split("x")[0])

    @property
    def height(self) -> int:
        """Pixels."""
        return int(self.size.split("x")[1])


class Drill(Section):
    """A mishap that a test camera acts out on a schedule."""

    what: Literal["drop", "stall", "clock_jump", "disconnect"]
    every_seconds: float = Field(60, ge=2, le=86_400)
    """From one to the next; the first one comes after so long."""
    for_seconds: float = Field(5, ge=0.1, le=3600)
    """How long it lasts (all but `clock_jump`)."""
    by_seconds: float = Field(10, ge=-3600, le=3600)
    """How far the clock jumps (only `clock_jump`)."""

    @model_validator(mode="after")
    def _has_pauses(self) -> "Drill":
        if self.what != "clock_jump" and self.for_seconds >= self.every_seconds:
            raise ValueError("for_seconds must be less than every_seconds")
        return self


class TestCamera(EncodedCamera):
    """A moving test picture with name, clock and frame number burnt in; its sound beeps each second."""

    kind: Literal["test"]
    drills: tuple[Drill, ...] = ()


class RtspCamera(CameraBase):
    """An IP camera; its H.264 or H.265 is copied, never re-encoded."""

    kind: Literal["rtsp"]
    url: SecretStr
    """`rtsp://user:password@host/path`; a secret because of the password."""
    url_file: Path | None = None
    """Where `url` was read from; None if it was written down itself."""
    transport: Literal["tcp", "udp"] = "tcp"
    sub_url: SecretStr | None = None
    """Its smaller stream, for grids of cameras and for detection; not recorded."""
    sub_url_file: Path | None = None
    onvif_url: SecretStr | None = None
    """`http://user:password@host/onvif/device_service`, to move it and to ask it about its streams."""
    onvif_url_file: Path | None = None

    @property
    def sub_id(self) -> str:
        """What its smaller stream is called in addresses."""
        return f"{self.id}{SUB}"

    def smaller(self, sub_url: SecretStr) -> "RtspCamera":
        """Its smaller stream as a camera of its own: what is blacked out here is there, too."""
        own = {"id": self.sub_id, "url": sub_url, "name": f"{self.title}, small"}
        return self.model_copy(update={**own, **_BARE})

    @field_validator("onvif_url")
    @classmethod
    def _is_http(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _has_host(value.get_secret_value(), ("http", "https")):
            raise ValueError("an address such as http://HOST/onvif/device_service is needed")
        return value

    @field_validator("url", "sub_url")
    @classmethod
    def _is_rtsp(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        if not value.get_secret_value().startswith(("rtsp://", "rtsps://")):
            raise ValueError("an address that begins with rtsp:// or rtsps:// is needed")
        if not _has_host(value.get_secret_value(), ("rtsp", "rtsps")):
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
    format: Literal["auto", "h264", "mjpeg", "raw"] = "auto"
    """What the camera sends; its own H.264 is copied, the others are encoded."""
    controls: dict[ControlName, int] = Field(default_factory=dict)
    """Its controls, by the names that `livecam-nvr cameras` lists; set each time it is opened."""
    microphone: str = Field("default", min_length=1, max_length=128)
    """The ALSA device that its sound comes from."""


class Picamera2Camera(EncodedCamera):
    """A camera at the Raspberry Pi's own connector."""

    kind: Literal["picamera2"]
    camera: str = Field("0", min_length=1, max_length=128)
    """Its number in `livecam-nvr cameras`, its sensor's model, or (a part of) its id there."""
    rotation: Rotation = 0
    hflip: bool = False
    vflip: bool = False
    exposure_us: int | None = Field(None, ge=1, le=200_000_000)
    """Microseconds; None: automatic."""
    gain: float | None = Field(None, ge=1, le=64)
    """Analogue gain; None: automatic."""
    white_balance: (
        Literal["auto", "incandescent", "tungsten", "fluorescent", "indoor", "daylight", "cloudy"]
        | tuple[Gain, Gain]
    ) = "auto"
    """A mode, or the gains of red and blue."""
    focus: Literal["auto", "continuous"] | Annotated[float, Field(ge=0, le=32)] | None = None
    """Once at the start, for ever, or at so many dioptres; None: as the camera does by itself."""
    preset: Literal["auto", "day", "night"] = "auto"
    """`night`: longer exposures, more gain, no colour; `day`: short exposures."""
    tuning_file: Path | None = None
    """The sensor's tuning for libcamera, e.g. `ov5647_noir.json`."""
    line_up: bool = False
    """Takes its frames at the same moments as the other cameras that have this set."""
    microphone: str = Field("default", min_length=1, max_length=128)
    """The ALSA device that its sound comes from."""


Camera = Annotated[
    TestCamera | RtspCamera | FileCamera | V4l2Camera | Picamera2Camera, Field(discriminator="kind")
]
CAMERA_KINDS: dict[str, type[CameraBase]] = {
    "test": TestCamera,
    "rtsp": RtspCamera,
    "file": FileCamera,
    "v4l2": V4l2Camera,
    "picamera2": Picamera2Camera,
}


class EncodingConfig(Section):
    """How pictures are encoded, where they have to be."""

    encoder: Literal["x264", "auto", "v4l2m2m", "vaapi", "nvenc", "qsv"] = "x264"
    """`auto`: the first of this machine's hardware encoders that works, else x264."""


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
    tls: TlsConfig = TlsConfig()
    cameras: list[Camera] = Field(default_factory=default_cameras, min_length=1, max_length=64)
    recording: RecordingConfig = RecordingConfig()
    mqtt: MqttConfig = MqttConfig()
    media_server: MediaServerConfig = MediaServerConfig()
    encoding: EncodingConfig = EncodingConfig()
    data_dir: Path = Path("data")
    """Index, switches, generated files, a fetched MediaMTX."""

    @property
    def streams(self) -> list[Camera]:
        """All that is captured: each enabled camera, followed by its smaller stream if it has one."""
        found: list[Camera] = []
        for camera in self.cameras:
            if camera.enabled:
                found.append(camera)
                if isinstance(camera, RtspCamera) and camera.sub_url is not None:
                    found.append(camera.smaller(camera.sub_url))
        return found

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "Config":
        seen: set[str] = set()
        for camera in self.cameras:
            if camera.id in seen:
                raise ValueError(f"two cameras have the id {camera.id!r}; each needs its own")
            seen.add(camera.id)
        for camera in self.cameras:
            if isinstance(camera, RtspCamera) and camera.sub_url and camera.sub_id in seen:
                raise ValueError(
                    f"the id {camera.sub_id!r} is that of the smaller stream of {camera.id!r}; give the other"
                    " camera another id"
                )
        return self
