"""The one ffmpeg of a camera as an argument list: input, encoding if needed, `tee` to the media server and to us.

Pure. Muxer options and their escaping: ffmpeg-formats(1), "tee" and "fifo".
"""

from typing import Any

import ffmpeg

from livecam_nvr.core.ports import PublishTarget
from livecam_nvr.media.sources import Encoding, Source

PROGRESS_FD = 3

# One moof+mdat a frame, written at once. default_base_moof makes fragments movable: no offset in them is absolute.
_PIPE_LEG = "[f=mp4:movflags=+frag_every_frame+empty_moov+default_base_moof:flush_packets=1]pipe:1"

# A media server that is absent, slow or killed must cost the pipe leg nothing, and be found again by itself.
_FIFO = (
    "attempt_recovery=1:recover_any_error=1:recovery_wait_time=1"
    ":restart_with_keyframe=1:drop_pkts_on_overflow=1:queue_size=300"
)


def command(source: Source, target: PublishTarget | None) -> list[str]:
    """The argument list of one camera's ffmpeg. With no `target` it feeds only the hub.

    The list may contain passwords; redact it before showing it.
    """
    given: dict[str, Any] = dict(source.options)
    if "video_size" in given:
        given["video_size"] = given["video_size"].split("x")  # ffmpeg-python takes this one option as a pair
    stream = ffmpeg.input(source.url, **given).video
    for name, arguments in source.filters:
        stream = stream.filter(name, **dict(arguments))
    options: dict[str, Any] = _encode(source.encoding) if source.encoding else {"c": "copy"}
    if source.tag:
        options["tag:v"] = source.tag
    legs = [_PIPE_LEG]
    if target is not None:
        legs.insert(0, _publish_leg(target))
    output = ffmpeg.output(stream, "|".join(legs), f="tee", **options)
    arguments = ffmpeg.get_args(output)
    head = ["-hide_banner", "-nostdin", "-loglevel", "warning", "-nostats"]
    progress = ["-stats_period", "2", "-progress", f"pipe:{PROGRESS_FD}"]
    return ["ffmpeg", *head, *progress, *arguments]


def _publish_leg(target: PublishTarget) -> str:
    options = "".join(f":{key}={_escape(value)}" for key, value in target.options)
    return f"[f={target.format}:onfail=ignore:use_fifo=1:fifo_options={_escape(_FIFO)}{options}]{target.url}"


def _escape(value: str) -> str:
    """An option's value inside the tee muxer's brackets: unescaped once per slave and once per option."""
    return value.replace(":", r"\\\:")


def _encode(encoding: Encoding) -> dict[str, Any]:
    """H.264 that every browser plays: 4:2:0, no B-frames, a keyframe every second on time."""
    rate = encoding.bitrate_kbps
    return {
        "c:v": "libx264",
        "preset": "ultrafast",
        "tune": "zerolatency",
        "pix_fmt": "yuv420p",
        "b:v": f"{rate}k",
        "maxrate": f"{rate}k",
        "bufsize": f"{rate}k",
        "g": f"{max(1, round(encoding.fps * 2))}",
        # At 0, 0.25 … 1.75 s, then every second: whoever waits for a camera that just began sees it sooner.
        "force_key_frames": "expr:gte(t,if(lt(n_forced,8),n_forced/4,n_forced-6))",
        "sc_threshold": "0",
        "flags": "+global_header",  # parameter sets into the moov: tee cannot ask the encoder for them
    }
