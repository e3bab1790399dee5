"""How video is encoded where it has to be: the encoders there are, and the options that each needs.

Pure. Options: ffmpeg-codecs(1).
"""

from dataclasses import dataclass
from typing import Any

from livecam_nvr.media.drawing import Filter

# A keyframe with the first frame of each second, and for the first two seconds of each quarter of one: whoever
# waits for a camera that just began sees it sooner. Whole seconds are compared, not counted, so that a clock that
# jumps brings one keyframe and not one for each second it jumped over. The thousandth is for t = 2.9999999 at 3 s.
_SLOT = "floor(({}+0.001)*if(lt(n_forced,8),4,1))"
KEYFRAMES = f"expr:not(eq({_SLOT.format('t')},{_SLOT.format('prev_forced_t')}))"


@dataclass(frozen=True, slots=True)
class Encoding:
    """What an encoder is asked for."""

    fps: float
    bitrate_kbps: int


@dataclass(frozen=True, slots=True)
class Encoder:
    """One of ffmpeg's H.264 encoders, and what it needs around it."""

    name: str
    """As in the config: `x264`, `vaapi`, …"""
    codec: str
    """As ffmpeg calls it."""
    options: tuple[tuple[str, str], ...] = ()
    """Output options of this encoder alone."""
    before: tuple[tuple[str, str], ...] = ()
    """Global options that stand before the input, e.g. the device."""
    filters: tuple[Filter, ...] = ()
    """Filters at the end of the chain, e.g. the upload into the device's memory."""
    in_band: bool = False
    """Its parameter sets come with the first keyframe only, too late for an MP4 header that is written at once."""
    device: str = ""
    """The device node, where there may be several."""


X264 = Encoder(
    "x264",
    "libx264",
    options=(("preset", "ultrafast"), ("tune", "zerolatency"), ("pix_fmt", "yuv420p"), ("sc_threshold", "0")),
)

# A forced keyframe is an I-frame to NVENC and QSV unless it is said to be an IDR frame.
# `ull` and a delay of 0: each frame leaves as soon as it is encoded.
NVENC = Encoder(
    "nvenc",
    "h264_nvenc",
    options=(
        ("preset", "p4"),
        ("tune", "ull"),
        ("rc", "cbr"),
        ("zerolatency", "1"),
        ("delay", "0"),
        ("bf", "0"),
        ("forced-idr", "1"),
        ("pix_fmt", "yuv420p"),
    ),
)

# ffmpeg forces keyframes through a control that the Pi 4's driver has; `g` (see `options_for`) is for drivers
# that have not. No B-frames: ffmpeg switches them off by itself, or refuses.
V4L2M2M = Encoder("v4l2m2m", "h264_v4l2m2m", options=(("pix_fmt", "yuv420p"),), in_band=True)


def vaapi(device: str, *, low_power: bool = False, in_band: bool = False) -> Encoder:
    """VA-API on a render node.

    Newer Intel chips encode in their low-power mode only, others in the other only; some of AMD's drivers write
    the parameter sets themselves, in-band.
    """
    return Encoder(
        "vaapi",
        "h264_vaapi",
        options=(("bf", "0"), ("async_depth", "1"), *((("low_power", "1"),) if low_power else ())),
        before=(("init_hw_device", f"vaapi=card:{device}"), ("filter_hw_device", "card")),
        filters=(("format", (("pix_fmts", "nv12"),)), ("hwupload", ())),
        in_band=in_band,
        device=device,
    )


def qsv(device: str) -> Encoder:
    """Intel's Quick Sync Video on a render node."""
    return Encoder(
        "qsv",
        "h264_qsv",
        options=(
            ("preset", "veryfast"),
            ("bf", "0"),
            ("async_depth", "1"),
            ("look_ahead", "0"),
            ("forced_idr", "1"),
            ("pix_fmt", "nv12"),
        ),
        before=(("init_hw_device", f"qsv=card:hw,child_device={device}"),),
        device=device,
    )


def options_for(encoder: Encoder, encoding: Encoding) -> dict[str, Any]:
    """H.264 that every browser plays: 4:2:0, no B-frames, a keyframe every second on time."""
    rate = f"{encoding.bitrate_kbps}k"
    seconds = 1 if encoder.in_band else 2  # between keyframes if those that are forced do not come
    options = {
        "c:v": encoder.codec,
        **dict(encoder.options),
        "b:v": rate,
        "maxrate": rate,
        "bufsize": rate,
        "g": f"{max(1, round(encoding.fps * seconds))}",
        "force_key_frames": KEYFRAMES,
    }
    if not encoder.in_band:
        options["flags"] = "+global_header"  # parameter sets into the moov: tee cannot ask the encoder for them
    return options
