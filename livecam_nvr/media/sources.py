"""What each kind of camera means to ffmpeg: its input, and whether its video is copied or encoded. Pure."""

from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

from livecam_nvr.config.models import EncodedCamera, FileCamera, RtspCamera, TestCamera
from livecam_nvr.media.drawing import Filter, drawn_filters, text
from livecam_nvr.media.encoding import Encoding
from livecam_nvr.media.sound import BEEP_S, Audio, beeps

# The frame number stands at the bottom left as white (1) and black (0) squares, lowest bit first, so that a
# program can read from the picture which frame it sees.
BARCODE_BITS = 24
BARCODE_CELL = 16
# ffmpeg's parsers lose the time of the first frame over RTSP: that is one frame before the second. Not with sound:
# its muxer is not to move times, and there are none below zero.
_FIRST_FRAME = {
    "bsf:v": "setts=" + ":".join(f"{ts.lower()}='if(eq(PTS,NOPTS),-DURATION,{ts})'" for ts in ("PTS", "DTS"))
}
_TAGS = {"h264": "avc1", "hevc": "hvc1"}  # what can be copied


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
    output: dict[str, str] = field(default_factory=dict)
    """Output options that this source needs besides."""
    fds: tuple[int, ...] = ()
    """Descriptors that ffmpeg inherits under their own numbers, as in `pipe:7`; whoever starts it closes them."""
    tag: str = ""
    """The four characters that name the copied codec in MP4. Without them `tee` hands the MP4 muxer the tag of the
    container that the video came in, and it refuses that of MPEG-TS."""


def source(camera: TestCamera | RtspCamera | FileCamera, *, file_codec: str = "h264") -> Source:
    """The input of a camera that ffmpeg opens by itself; `file_codec` is what ffmpeg calls a file's video."""
    match camera:
        case TestCamera():
            return testcard_source(camera)
        case RtspCamera():
            return rtsp_source(camera)
        case FileCamera():
            return file_source(camera, file_codec)


def encoding_of(camera: EncodedCamera) -> Encoding:
    """How its pictures are encoded."""
    return Encoding(camera.fps, camera.bitrate_kbps)


def testcard_source(camera: TestCamera) -> Source:
    """A test picture, in real time."""
    size = max(12, camera.height // 18)
    pad = size // 2

    def line(words: str, row: int, *, expand: bool = False) -> Filter:
        y = str(pad + row * 2 * size)
        return text(words, size=str(size), x=str(pad), y=y, border=pad // 2, expand=expand)

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
    # With each beep, so that everyone can see whether sound and picture are in step.
    corner = (("x", "iw*7/8"), ("y", "0"), ("w", "iw/8"), ("h", "ih/8"), ("color", "white"), ("t", "fill"))
    flash = ("drawbox", (*corner, ("enable", f"lt(mod(t,1),{BEEP_S})")))
    return Source(
        url=f"testsrc2=size={camera.size}:rate={camera.fps:g}",
        options={"f": "lavfi", "re": None},
        filters=(
            ("hue", (("h", str(crc32(camera.id.encode()) % 360)),)),  # two cameras can be told apart at a glance
            line(camera.title, 0),
            line("%{localtime:%Y-%m-%d %H\\:%M\\:%S.%3N}", 1, expand=True),
            line("frame %{n}", 2, expand=True),
            ("drawbox", (*strip, ("color", "black"), ("t", "fill"))),
            *bits,
            *((flash,) if camera.sound else ()),
            *drawn_filters(camera),
        ),
        encoding=encoding_of(camera),
        audio=beeps(camera.id) if camera.sound else None,
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
            # Only what is set up is sent; and of two streams the wall clock (RTCP) would decide the times.
            **({} if camera.sound else {"allowed_media_types": "video"}),
            # The rate is not asked for: no need to look at a second of video for it.
            "fpsprobesize": "0",
            # But the parameter sets may come with the first keyframe only, and that every ten seconds.
            "analyzeduration": "12000000",
            "probesize": "20000000",
            # Nor at many frames for their rate; but sound alone must not end the looking before the pictures come.
            **({"analyzeduration": "10000000", "fpsprobesize": "2"} if camera.sound else {}),
        },
        filters=drawn_filters(camera),
        encoding=Encoding(30, camera.bitrate_kbps) if camera.drawn else None,
        output={} if camera.drawn or camera.sound else _FIRST_FRAME,
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
