"""What is known of a Raspberry Pi camera, what is asked of it and what it says. Pure."""

from dataclasses import dataclass, fields
from typing import Any, Literal, Self

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class SensorMode:
    """One of the ways in which a sensor can be read out."""

    width: int
    height: int
    fps: float
    """The most frames a second in this mode."""
    bit_depth: int


@dataclass(frozen=True, slots=True)
class CameraFacts:
    """A camera as picamera2 lists it."""

    number: int
    """Its place in picamera2's list, which is sorted by id: not the connector's number."""
    model: str
    """The sensor's, e.g. `imx708`."""
    id: str
    """libcamera's; stays the same as long as the camera stays at its connector."""
    connector: str = ""
    """As it is printed on the board, e.g. `CAM0`; empty where that cannot be told."""
    location: str = ""
    rotation: int = 0
    """Degrees by which it is mounted turned, as far as the device tree knows."""
    has_focus: bool = False
    """Whether its lens can be moved."""
    sensor: tuple[int, int] = (0, 0)
    """Its resolution."""
    controls: tuple[str, ...] = ()
    """The names of libcamera's controls that it has."""
    modes: tuple[SensorMode, ...] = ()
    """Only known from a listing."""
    trouble: str = ""
    """Why it cannot be opened now; empty if it can."""

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        """From what the child says; keys that are unknown are left out."""
        known = {field.name: told[field.name] for field in fields(cls) if field.name in told}
        modes = tuple(
            SensorMode(mode["size"][0], mode["size"][1], mode["fps"], mode["bit_depth"])
            for mode in told.get("modes", ())
        )
        width, height = told.get("sensor", (0, 0))
        controls = tuple(told.get("controls", ()))
        return cls(**{**known, "modes": modes, "sensor": (width, height), "controls": controls})


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """What is asked of a camera."""

    size: tuple[int, int]
    """libcamera takes the nearest that it can; see `Recording.size`."""
    fps: float
    bitrate_kbps: int
    keyframe_s: float = 1.0
    rotation: Literal[0, 180] = 0
    hflip: bool = False
    vflip: bool = False
    exposure_us: int | None = None
    """None: automatic."""
    gain: float | None = None
    """Analogue gain; None: automatic."""
    white_balance: str | tuple[float, float] = "auto"
    """One of libcamera's modes, or the gains of red and blue."""
    focus: Literal["auto", "continuous"] | float | None = None
    """Once, for ever, or at so many dioptres; None: as it is."""
    preset: Literal["auto", "day", "night"] = "auto"
    line_up: bool = False
    """Whether its frames are brought onto the grid that all cameras of this machine share."""
    masks: tuple[tuple[Point, ...], ...] = ()
    """Polygons to black out; points as parts of the picture's width and height."""
    title: str | None = None
    """Burnt in together with the clock; None: neither is."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A stream that runs, as it really is."""

    read_fd: int
    """Whence ffmpeg reads it, as `pipe:N`; whoever takes it closes it. The stream is Matroska."""
    size: tuple[int, int]
    fps: float
    least_fps: float
    """What the frame rate may fall to where it is dark (preset `night`)."""
    format: str
    """Of the pictures that the encoder got, by libcamera's name."""
    encoder: str
    """picamera2's class, e.g. `H264Encoder` for the Pi's hardware, `LibavH264Encoder` for libx264."""
    wall_ns: int
    """When the first frame was taken, CLOCK_REALTIME; its time in the stream, too, in microseconds."""
    boot_ns: int
    """The same moment on CLOCK_BOOTTIME."""
    warnings: tuple[str, ...] = ()
    """What was asked for and could not be, in words."""


@dataclass(frozen=True, slots=True)
class Beat:
    """How a camera stands; comes every second."""

    frames: int = 0
    """That the camera gave since it was opened."""
    encoded: int = 0
    """That went into the present stream."""
    dropped: int = 0
    """That the reader of the stream was too slow for."""
    sensor_us: int | None = None
    """When the last frame was taken, on the sensor's clock."""
    exposure_us: int | None = None
    gain: float | None = None
    lens_position: float | None = None
    """Dioptres."""
    phase_ms: float | None = None
    """How much later than the shared grid its frames come (negative: earlier); None if they are not lined up."""

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> Self:
        """From what the child says; keys that are unknown are left out."""
        return cls(**{field.name: told[field.name] for field in fields(cls) if field.name in told})
