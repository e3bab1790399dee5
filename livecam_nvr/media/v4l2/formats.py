"""Chooses what a USB camera is to send, from what it can, and says how ffmpeg opens it so. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media.drawing import Filter
from livecam_nvr.media.encoding import Encoding
from livecam_nvr.media.sources import Source

Wanted = Literal["auto", "h264", "mjpeg", "raw"]

FOURCCS = {
    "h264": b"H264",
    "mjpeg": b"MJPG",
    "nv12": b"NV12",
    "yuv420p": b"YU12",
    "yuyv422": b"YUYV",
    "uyvy422": b"UYVY",
    "rgb24": b"RGB3",
    "bgr24": b"BGR3",
    "gray": b"GREY",
}
"""What ffmpeg's v4l2 input can read (libavdevice/v4l2-common.c) and a camera sends, by ffmpeg's `input_format`.

The raw ones from the cheapest to encode to those that are the last resort.
"""
NAMES = {fourcc: name for name, fourcc in FOURCCS.items()}
_COMPRESSED = {"h264", "mjpeg"}
# 29.97 is 30, to those who ask for 30.
_CLOSE = Fraction(98, 100)
_USUAL_SIZES = (
    (320, 240), (640, 360), (640, 480), (800, 600), (848, 480), (1024, 768), (1280, 720), (1920, 1080),
)  # fmt: skip
_USUAL_RATES = (1, 5, 10, 15, 20, 24, 25, 30, 50, 60, 90, 120)


@dataclass(frozen=True, slots=True)
class Mode:
    """One format and size that a camera offers."""

    input_format: str
    """As ffmpeg's v4l2 input calls it: `h264`, `mjpeg`, `yuyv422`."""
    width: int
    height: int
    rates: tuple[Fraction, ...] = ()
    """Frames a second, the most first; empty: the driver does not tell."""
    emulated: bool = False
    """Made from another format by software, not by the camera."""

    @property
    def kind(self) -> str:
        """As the config calls it: `h264`, `mjpeg` or `raw`."""
        return self.input_format if self.input_format in _COMPRESSED else "raw"

    def rate_for(self, fps: float) -> Fraction:
        """The slowest rate that is at least `fps`, else the fastest."""
        if not self.rates:
            return Fraction(fps).limit_denominator(1001)
        enough = [rate for rate in self.rates if rate >= fps * _CLOSE]
        return min(enough) if enough else max(self.rates)


@dataclass(frozen=True, slots=True)
class V4l2Plan:
    """What a camera is to send."""

    input_format: str
    """As ffmpeg's v4l2 input calls it."""
    width: int
    height: int
    rate: Fraction
    """Frames a second, exactly."""
    copy: bool
    """True: its own H.264 is recorded and served as it comes; False: it is encoded by us."""
    remark: str = ""
    """What differs from what was wanted, in words; empty if nothing does."""

    @property
    def fps(self) -> float:
        """Frames a second."""
        return float(self.rate)

    def __str__(self) -> str:
        how = "copied" if self.copy else "encoded"
        return f"{self.width}x{self.height} at {self.fps:g} frames a second, {self.input_format}, {how}"


def choose(
    modes: Sequence[Mode], size: tuple[int, int], fps: float, wanted: Wanted = "auto", *, copy: bool = True
) -> V4l2Plan:
    """The mode that a camera is to run in.

    The size is `size`, else the one of the same height that is nearest in width. Of the formats, `auto` takes the
    camera's own H.264 where it gives `fps` and need not be decoded; else what gives `fps`, raw before MJPEG, which
    costs a decode and some sharpness, but needs a tenth of the bus; else what is fastest.

    Args:
        modes: What the camera offers.
        size: Width and height.
        fps: Frames a second; the camera's next faster rate is taken.
        wanted: Only this format.
        copy: False: H.264 cannot be copied, because something is drawn into the pictures.

    Raises:
        LivecamError: CONFIG if it has no such format, or no size of that height; says what it has.
    """
    some = [mode for mode in modes if wanted in ("auto", mode.kind)]
    if not some:
        kinds = sorted({mode.kind for mode in modes})
        raise LivecamError(
            ErrorKind.CONFIG,
            f"the camera does not send {'pictures that are known here' if wanted == 'auto' else wanted}",
            f"set format to auto, or to one of {', '.join(kinds)}" if kinds else "use another camera",
        )
    width, height = size
    high = [mode for mode in some if mode.height == height]
    if not high:
        raise LivecamError(
            ErrorKind.CONFIG,
            f"the camera has no pictures of {height} lines" + ("" if wanted == "auto" else f" as {wanted}"),
            f"set size to one that it has: {described(some)}",
        )
    nearest = min((mode.width for mode in high), key=lambda has: (abs(has - width), -has))
    here = [mode for mode in high if mode.width == nearest]
    best = max(here, key=lambda mode: _merit(mode, fps, copy=copy))
    rate = best.rate_for(fps)
    return V4l2Plan(
        best.input_format,
        best.width,
        best.height,
        rate,
        copy=copy and (_copied(best) or best.input_format == wanted == "h264"),
        remark=remark(best.width, best.height, rate, size, fps),
    )


def remark(width: int, height: int, rate: Fraction, size: tuple[int, int], fps: float) -> str:
    """What differs between what runs and what was wanted; empty if nothing does."""
    if (width, height) == size and abs(float(rate) - fps) <= fps * float(1 - _CLOSE):
        return ""
    return (
        f"the camera has no {size[0]}x{size[1]} at {fps:g} frames a second: it sends {width}x{height} at"
        f" {float(rate):g}"
    )


def described(modes: Iterable[Mode]) -> str:
    """What a camera offers, for people: each size once for each kind of format, with its fastest rate."""
    fastest: dict[tuple[str, int, int], Fraction] = {}
    for mode in modes:
        key = mode.kind, mode.width, mode.height
        fastest[key] = max(fastest.get(key, Fraction(0)), *mode.rates, Fraction(0))
    kinds: dict[str, list[str]] = {}
    for (kind, width, height), rate in sorted(fastest.items()):
        kinds.setdefault(kind, []).append(f"{width}x{height}" + (f" at {float(rate):.4g}" if rate else ""))
    return "; ".join(f"{kind}: {', '.join(sizes)}" for kind, sizes in kinds.items())


def source_of(plan: V4l2Plan, device: str, bitrate_kbps: int, filters: tuple[Filter, ...] = ()) -> Source:
    """How ffmpeg opens the camera at `device` as planned.

    Its `ts` option is left alone: the kernel's times of capture (monotonic, uvcvideo's default) then reach the
    recording as they are. `abs` and `mono2abs` would smooth them and bind them to the wall clock
    (libavdevice/v4l2.c, convert_timestamp).

    Args:
        plan: What it is to send.
        device: Its path.
        bitrate_kbps: Where we encode.
        filters: What is drawn; only where it is not copied.
    """
    options: dict[str, str | None] = {
        "f": "v4l2",
        "input_format": plan.input_format,
        "framerate": str(plan.rate),
        "video_size": f"{plan.width}x{plan.height}",
    }
    if plan.copy:
        return Source(url=device, options=options, tag="avc1", output=first_time(plan))
    return Source(
        url=device,
        options=options,
        filters=filters,
        encoding=Encoding(plan.fps, bitrate_kbps),
    )


def first_time(plan: V4l2Plan) -> dict[str, str]:
    """Output options that give the first copied frame its time: one frame before the second.

    ffmpeg's H.264 parser loses it.
    """
    first = f"-{1 / plan.rate}/TB"
    times = ":".join(f"{which.lower()}='if(eq(PTS,NOPTS),{first},{which})'" for which in ("PTS", "DTS"))
    return {"bsf:v": f"setts={times}"}


def sizes_between(widths: range, heights: range, wanted: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Of a range of sizes, the usual ones, `wanted`, and the largest."""
    largest = widths[-1], heights[-1]
    for width, height in sorted({*_USUAL_SIZES, wanted, largest}):
        if width in widths and height in heights:
            yield width, height


def rates_between(least: Fraction, most: Fraction) -> Iterator[Fraction]:
    """Of a range of rates, the usual ones and the fastest."""
    for rate in sorted({*map(Fraction, _USUAL_RATES), most}):
        if rate > 0 and least <= rate <= most:
            yield rate


def _copied(mode: Mode) -> bool:
    return mode.input_format == "h264" and not mode.emulated


def _merit(mode: Mode, fps: float, *, copy: bool) -> tuple[float, int, int]:
    """Greater is better: first to give `fps`, then what is least work."""
    # H.264 that is decoded only to be encoded again is the last resort.
    work = 0 if copy and _copied(mode) else {"raw": 1, "mjpeg": 2, "h264": 3}[mode.kind]
    return min(float(mode.rate_for(fps)), fps * float(_CLOSE)), -work, -list(FOURCCS).index(mode.input_format)
