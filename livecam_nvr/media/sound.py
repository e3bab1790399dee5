"""A camera's sound in its ffmpeg command: where it comes from, how it is encoded, and what each leg gets. Pure.

Recordings, pages, HLS and MPEG-TS get AAC; what comes as AAC is copied. WebRTC knows no AAC, so a media server
that serves WebRTC gets Opus (RFC 7874, section 3) as a second track: plain RTSP viewers take the first one.
"""

import zlib
from dataclasses import dataclass, field
from typing import Any

from livecam_nvr.core.ports import PublishTarget

RATE = 48_000
"""What sound is resampled to: AAC's frames are shortest then (21 ms), and Opus has this rate anyway."""
BEEP_S = 0.1
"""How long a test camera's beep and flash last, each second."""

# A picture waits at most so long for the sound that belongs before it (microseconds): sound that never comes must
# not hold up the pictures, which it would do for 10 s otherwise (libavformat, max_interleave_delta).
MOST_WAIT_US = 500_000
# ffmpeg's times in the MP4 must not be negative, and the first sound of an AAC encoder is: it begins with silence.
_LEAD_S = 1

# Sound whose times run back is left out until they are where they were: a camera that puts its clock right does
# that, and the muxers take nothing that is not later than what they had. Further back than 10 s it is another time
# altogether; the muxers end the run, and the next one begins with it.
_FORWARD = "aselect=expr=not(between(prev_selected_t+samples_n/sample_rate/2-t\\,0\\,10))"
_ENCODED = f"{_FORWARD},aformat=sample_rates={RATE}:channel_layouts=mono|stereo"


@dataclass(frozen=True, slots=True)
class Audio:
    """A camera's sound."""

    codec: str = ""
    """What comes, as ffmpeg calls it, e.g. `aac`, `pcm_mulaw`; empty if not known: then it is encoded."""
    url: str = ""
    """An input of its own, e.g. an ALSA device; empty: it comes with the pictures."""
    options: dict[str, str | None] = field(default_factory=dict)
    """Options of that input."""
    absolute: bool = False
    """Its times and the pictures' are brought to a common zero by their options; ffmpeg must not move them."""


def beeps(camera_id: str) -> Audio:
    """A short beep at each full second of the stream; its pitch tells which camera it is."""
    pitch = round(440 * 2 ** (zlib.crc32(camera_id.encode()) % 25 / 12))
    # One second is computed, and repeated for ever.
    wave = rf"aevalsrc=exprs=0.4*sin(2*PI*{pitch}*t)*lt(t\,{BEEP_S}):s={RATE}:d=1"
    return Audio("pcm_f64le", f"{wave},aloop=loop=-1:size={RATE}", {"f": "lavfi", "re": None})


def wants_opus(target: PublishTarget | None) -> bool:
    """Whether the live leg leads to a server that serves WebRTC, too: the one that is published to by RTSP."""
    return target is not None and target.format == "rtsp"


def encoders(audio: Audio, *, opus: bool) -> dict[str, Any]:
    """Output options: the first audio track is AAC, the second one, if wanted, Opus."""
    options: dict[str, Any] = {"output_ts_offset": _LEAD_S, "max_interleave_delta": 1}
    # Sound is not stretched or filled up to fit its times: gaps stay gaps, and what comes after them is in step.
    if audio.codec == "aac":
        options["c:a:0"] = "copy"
    else:
        options |= {"c:a:0": "aac", "b:a:0": "64k", "filter:a:0": _ENCODED}
    if opus and audio.codec == "opus":
        options["c:a:1"] = "copy"
    elif opus:
        # At its default, libopus takes four times as much time, for a difference that no camera's microphone has.
        options |= {"c:a:1": "libopus", "b:a:1": "48k", "compression_level:a:1": 3, "filter:a:1": _ENCODED}
    return options
