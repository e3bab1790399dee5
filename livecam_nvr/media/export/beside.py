"""Two cameras side by side in one picture, aligned by time; where one has no footage, its half is black."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from livecam_nvr.domain.coverage import Span
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS
from livecam_nvr.media.drawing import text
from livecam_nvr.media.encoding import X264, Encoder, Encoding, options_for
from livecam_nvr.runtime.process import spawn

_NICE = ("nice", "-n", "15")  # a live camera's ffmpeg goes first
_MOST_HEIGHT, _MOST_WIDTH = 1080, 3840
_BITS_PER_PIXEL = 0.1
_NAME_SIZE = "max(12,h/16)"


@dataclass(frozen=True, slots=True)
class Half:
    """One camera's half."""

    path: Path
    """Its footage, with the gaps as long as they were; `Joiner` has made it."""
    name: str
    width: int
    height: int
    spans: tuple[Span, ...]
    """When there is footage."""
    sound: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """What the picture is to be like."""

    range: Span
    origin_utc_ns: int
    """The moment that time zero is in the halves' files."""
    fps: int
    names: bool
    """Whether text can be drawn."""


def sizes(halves: Sequence[Half]) -> list[tuple[int, int]]:
    """The halves' sizes: of one height, even, within what encoders take."""
    height = min(_MOST_HEIGHT, max(half.height for half in halves))
    width = sum(half.width * height / half.height for half in halves)
    height = int(height * min(1.0, _MOST_WIDTH / width)) // 2 * 2
    return [(max(2, round(half.width * height / half.height / 2) * 2), height) for half in halves]


def command(
    halves: Sequence[Half], layout: Layout, encoder: Encoder, facts: Mapping[str, str], path: Path
) -> list[str]:
    """The argument list; progress goes to stdout."""
    since = (layout.range.begin_utc_ns - layout.origin_utc_ns) / NS
    lasts = layout.range.duration_ns / NS
    made = []
    sound = None
    fitting = sizes(halves)
    for half, (width, height) in zip(halves, fitting, strict=True):
        # The graph must not be built anew where the size changes: the black below would begin again at zero.
        source = ffmpeg.input(str(half.path), reinit_filter="0")
        area = f"size={width}x{height}:rate={layout.fps}"
        black = ffmpeg.input(f"color=black:{area}:duration={lasts:.6f}", f="lavfi")
        ground = black.video
        if layout.names:
            name, arguments = text(half.name, size=_NAME_SIZE, x="(w-tw)/2", y=f"(h-{_NAME_SIZE})/2")
            ground = ground.filter(name, **dict(arguments))
        picture = source.video.filter("scale", width, height).filter("setsar", "1")
        picture = picture.filter("setpts", f"PTS-{since:.6f}/TB")
        ground = ground.filter("setsar", "1")
        made.append(ground.overlay(picture, eof_action="repeat", enable=_shown(half, layout)))
        if half.sound and sound is None:
            sound = source["a:0"].filter("asetpts", f"PTS-{since:.6f}/TB")
            sound = sound.filter("aresample", **{"async": 1, "first_pts": 0}).filter("atrim", end=f"{lasts:.6f}")
    # Footage goes on to the end of its GOP, and so would the overlay, beyond the end of the black below.
    stream = ffmpeg.filter(made, "hstack", inputs=len(made)).filter("trim", end=f"{lasts:.6f}")
    for name, arguments in encoder.filters:
        stream = stream.filter(name, **dict(arguments))
    options = _options(encoder, layout.fps, sum(width for width, _ in fitting) * fitting[0][1])
    streams = [stream]
    if sound is not None:
        streams.append(sound)
        options |= {"c:a": "aac", "b:a": "96k"}
    tags = {f"metadata:g:{number}": f"{key}={value}" for number, (key, value) in enumerate(facts.items())}
    output = ffmpeg.output(*streams, str(path), f="mp4", movflags="+faststart", **options, **tags)
    before = [word for key, value in encoder.before for word in (f"-{key}", value)]
    # Times are counted from the origin: without copyts each file's would begin with its own first picture.
    head = ["-hide_banner", "-nostdin", "-v", "error", "-progress", "pipe:1", "-copyts", *before]
    return [*_NICE, "ffmpeg", *head, *ffmpeg.get_args(output)]


async def beside(argv: Sequence[str], layout: Layout, progress: Callable[[float], None]) -> int:
    """Runs `command`, and tells which share is done; returns how many pictures were made.

    Raises:
        LivecamError: MEDIA if it fails, UNAVAILABLE if there is no ffmpeg.
    """
    told = _Told(layout.range.duration_ns * layout.fps // NS, progress)
    child = await spawn(argv, name="side by side", on_stdout=told.take)
    try:
        code = await child.wait()
    finally:
        await child.stop()
    if code:
        said = child.last_lines[-1] if child.last_lines else f"exit status {code}"
        raise LivecamError(ErrorKind.MEDIA, f"the pictures could not be put side by side: {said}")
    return told.frames


class _Told:
    """Reads ffmpeg's `-progress` lines; its pictures, since with `-copyts` it tells no time."""

    def __init__(self, expected: int, progress: Callable[[float], None]) -> None:
        self.frames = 0
        self._expected = max(1, expected)
        self._progress = progress
        self._rest = b""

    def take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            key, _, value = line.strip().partition(b"=")
            if key == b"frame" and value.isdigit():
                self.frames = int(value)
                self._progress(min(1.0, self.frames / self._expected))


def _shown(half: Half, layout: Layout) -> str:
    """When the half's footage is shown: ffmpeg would go on showing the last picture before a gap."""
    begin = layout.range.begin_utc_ns
    slack = 0.5 / layout.fps
    shown = (
        f"between(t,{(span.begin_utc_ns - begin) / NS - slack:.4f},{(span.end_utc_ns - begin) / NS - slack:.4f})"
        for span in half.spans
    )
    return "+".join(shown) or "0"


def _options(encoder: Encoder, fps: int, pixels: int) -> dict[str, Any]:
    if encoder is X264:
        return {"c:v": "libx264", "preset": "veryfast", "crf": "21", "pix_fmt": "yuv420p", "g": str(2 * fps)}
    options = options_for(encoder, Encoding(fps, max(500, round(pixels * fps * _BITS_PER_PIXEL / 1000))))
    return {key: value for key, value in options.items() if key != "flags"}
