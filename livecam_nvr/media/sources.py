"""What each kind of camera means to ffmpeg: its input, and whether its video is copied or encoded. Pure."""

from dataclasses import dataclass, field
from pathlib import Path

from livecam_nvr.config.models import Camera, EncodedCamera, FileCamera, RtspCamera, TestCamera, V4l2Camera

# The frame number stands at the bottom left as white (1) and black (0) squares, lowest bit first, so that a
# program can read from the picture which frame it sees.
BARCODE_BITS = 24
BARCODE_CELL = 16
_FONT = "DejaVu Sans Mono"
_TAGS = {"h264": "avc1", "hevc": "hvc1"}  # what can be copied


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the video is encoded, where it has to be."""

    fps: float
    bitrate_kbps: int


@dataclass(frozen=True, slots=True)
class Source:
    """One camera's input for ffmpeg."""

    url: str
    """What stands behind `-i`; may contain a password."""
    options: dict[str, str | None] = field(default_factory=dict)
    """Input options; None for those without a value."""
    filters: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """Video filters, by name with their arguments, before encoding."""
    encoding: Encoding | None = None
    """None: the video is copied as it is."""
    tag: str = ""
    """The four characters that name the copied codec in MP4. Without them `tee` hands the MP4 muxer the tag of the
    container that the video came in, and it refuses that of MPEG-TS."""


def source(camera: Camera, *, file_codec: str = "h264") -> Source:
    """The input of `camera`; `file_codec` is what ffmpeg calls the codec of a file's video."""
    match camera:
        case TestCamera():
            return _test(camera)
        case RtspCamera():
            return _rtsp(camera)
        case FileCamera():
            return _file(camera, _TAGS.get(file_codec, ""))
        case V4l2Camera():
            return _v4l2(camera)


def _encoding(camera: EncodedCamera) -> Encoding:
    return Encoding(camera.fps, camera.bitrate_kbps)


def _test(camera: TestCamera) -> Source:
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
        ),
        encoding=_encoding(camera),
    )


def _rtsp(camera: RtspCamera) -> Source:
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
    )


def _file(camera: FileCamera, tag: str) -> Source:
    path = Path(camera.path).absolute()
    return Source(
        url=f"file:{path}",
        # Without genpts the packets of an AVI have no times from its second round on, and `re` lets them race.
        options={"re": None, "stream_loop": "-1", "fflags": "+genpts"},
        encoding=None if tag else Encoding(30, 2000),
        tag=tag,
    )


def _v4l2(camera: V4l2Camera) -> Source:
    return Source(
        url=str(camera.device),
        options={"f": "v4l2", "framerate": f"{camera.fps:g}", "video_size": camera.size},
        encoding=_encoding(camera),
    )
