"""What each kind of camera means to ffmpeg: its input, and whether its video is copied or encoded. Pure."""

from dataclasses import dataclass, field
from pathlib import Path

from livecam_nvr.config.models import EncodedCamera, FileCamera, RtspCamera, TestCamera, V4l2Camera
from livecam_nvr.media.drawing import Filter, drawn_filters
from livecam_nvr.media.encoding import Encoding

# The frame number stands at the bottom left as white (1) and black (0) squares, lowest bit first, so that a
# program can read from the picture which frame it sees.
BARCODE_BITS = 24
BARCODE_CELL = 16
_FONT = "DejaVu Sans Mono"
_TAGS = {"h264": "avc1", "hevc": "hvc1"}  # what can be copied


@dataclass(frozen=True, slots=True)
class Audio:
    """A camera's sound."""

    codec: str = ""
    """What comes, as ffmpeg calls it, e.g. `aac`, `pcm_mulaw`; empty if not known: then it is encoded."""
    url: str = ""
    """An input of its own, e.g. an ALSA device; empty: it comes with the pictures."""
    options: dict[str, str | None] = field(default_factory=dict)
    """Options of that input."""


@dataclass(frozen=True, slots=True)
class Source:
    """One camera's input for ffmpeg."""

    url: str
    """What stands behind `-i`; may contain a password."""
    options: dict[str, str | None] = field(default_factory=dict)
    """Input options; None for those without a value."""
    filters: tuple[Filter, ...] = ()
    """Video filters, by name with their arguments, before encoding."""
    encoding: Encoding | None = None
    """None: the video is copied as it is."""
    audio: Audio | None = None
    """None: no sound."""
    fds: tuple[int, ...] = ()
    """Descriptors that ffmpeg inherits under their own numbers, as in `pipe:7`; whoever starts it closes them."""
    tag: str = ""
    """The four characters that name the copied codec in MP4. Without them `tee` hands the MP4 muxer the tag of the
    container that the video came in, and it refuses that of MPEG-TS."""


def source(camera: TestCamera | RtspCamera | FileCamera | V4l2Camera, *, file_codec: str = "h264") -> Source:
    """The input of a camera that ffmpeg opens by itself; `file_codec` is what ffmpeg calls a file's video."""
    match camera:
        case TestCamera():
            return testcard_source(camera)
        case RtspCamera():
            return rtsp_source(camera)
        case FileCamera():
            return file_source(camera, file_codec)
        case V4l2Camera():
            return v4l2_source(camera)


def encoding_of(camera: EncodedCamera) -> Encoding:
    """How its pictures are encoded."""
    return Encoding(camera.fps, camera.bitrate_kbps)


def testcard_source(camera: TestCamera) -> Source:
    """A test picture, in real time."""
    size = max(12, camera.height // 18)
    pad = size // 2

    def text(line: str, y: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        arguments = {
            "font": _FONT,
            "fontsize": str(size),
            "fontcolor": "white",
            "box": "1",
            "boxcolor": "black@0.6",
        }
        return "drawtext", (
            ("text", line),
            *arguments.items(),
            ("boxborderw", str(pad // 2)),
            ("x", str(pad)),
            ("y", y),
        )

    cell = max(1, min(BARCODE_CELL, camera.width // BARCODE_BITS))
    strip = (("x", "0"), ("y", f"ih-{cell}"), ("w", str(cell * BARCODE_BITS)), ("h", str(cell)))
    bits = tuple(
        (
            "drawbox",
            (
                ("x", str(bit * cell)),
                ("y", f"ih-{cell}"),
                ("w", str(cell)),
                ("h", str(cell)),
                ("color", "white"),
                ("t", "fill"),
                ("enable", f"bitand(n,{1 << bit})"),
            ),
        )
        for bit in range(BARCODE_BITS)
    )
    name = camera.title.replace("\\", "").replace("%", "").replace("'", "\u2019").replace(":", "\u2236")
    return Source(
        url=f"testsrc2=size={camera.size}:rate={camera.fps:g}",
        options={"f": "lavfi", "re": None},
        filters=(
            text(name, str(pad)),
            text("%{localtime:%Y-%m-%d %H\\:%M\\:%S.%3N}", str(pad + 2 * size)),
            text("frame %{n}", str(pad + 4 * size)),
            ("drawbox", (*strip, ("color", "black"), ("t", "fill"))),
            *bits,
            *drawn_filters(camera),
        ),
        encoding=encoding_of(camera),
    )


def rtsp_source(camera: RtspCamera) -> Source:
    """An IP camera; copied unless something is drawn."""
    return Source(
        url=camera.url.get_secret_value(),
        options={
            "rtsp_transport": camera.transport,
            # Room for a keyframe's burst of UDP packets; the kernel gives what its limit allows.
            **({"buffer_size": "2097152"} if camera.transport == "udp" else {}),
            # Microseconds without a packet, after which ffmpeg gives up by itself.
            "timeout": str(int(camera.stall_seconds * 1_000_000)),
            "fflags": "+genpts",
            # Parameter sets come with the SDP: no need to look at seconds of video before the first frame.
            "analyzeduration": "1000000",
            "probesize": "1000000",
        },
        filters=drawn_filters(camera),
        encoding=Encoding(30, camera.bitrate_kbps) if camera.drawn else None,
    )


def file_source(camera: FileCamera, codec: str) -> Source:
    """A file in a loop; copied if its codec, as ffmpeg calls it, can be and nothing is drawn."""
    tag = "" if camera.drawn else _TAGS.get(codec, "")
    path = Path(camera.path).absolute()
    return Source(
        url=f"file:{path}",
        # Without genpts the packets of an AVI have no times from its second round on, and `re` lets them race.
        options={"re": None, "stream_loop": "-1", "fflags": "+genpts"},
        filters=drawn_filters(camera),
        encoding=None if tag else Encoding(30, camera.bitrate_kbps),
        tag=tag,
    )


def v4l2_source(camera: V4l2Camera) -> Source:
    """A USB camera."""
    return Source(
        url=str(camera.device),
        options={"f": "v4l2", "framerate": f"{camera.fps:g}", "video_size": camera.size},
        filters=drawn_filters(camera),
        encoding=encoding_of(camera),
    )
