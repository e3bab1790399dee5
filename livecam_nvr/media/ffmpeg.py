"""The one ffmpeg of a camera as an argument list: input, encoding if needed, `tee` to the media server and to us.

Pure. Muxer options and their escaping: ffmpeg-formats(1), "tee" and "fifo".
"""

from typing import Any

import ffmpeg

from livecam_nvr.core.ports import PublishTarget
from livecam_nvr.media.encoding import X264, Encoder, options_for
from livecam_nvr.media.sources import Source

PROGRESS_FD = 3

# One moof+mdat a frame, written at once. default_base_moof makes fragments movable: no offset in them is absolute.
_PIPE_LEG = "[f=mp4:movflags=+frag_every_frame+empty_moov+default_base_moof:flush_packets=1]pipe:1"

# A media server that is absent, slow or killed must cost the pipe leg nothing, and be found again by itself.
_FIFO = (
    "attempt_recovery=1:recover_any_error=1:recovery_wait_time=1"
    ":restart_with_keyframe=1:drop_pkts_on_overflow=1:queue_size=300"
)


def command(source: Source, target: PublishTarget | None, encoder: Encoder = X264) -> list[str]:
    """The argument list of one camera's ffmpeg. With no `target` it feeds only the hub.

    The list may contain passwords; redact it before showing it.
    """
    given: dict[str, Any] = dict(source.options)
    if "video_size" in given:
        given["video_size"] = given["video_size"].split("x")  # ffmpeg-python takes this one option as a pair
    stream = ffmpeg.input(source.url, **given).video
    options: dict[str, Any] = {"c": "copy"}
    if source.encoding:
        for name, arguments in (*source.filters, *((name, ()) for name in encoder.filters)):
            stream = stream.filter(name, **dict(arguments))
        options = options_for(encoder, source.encoding)
    if source.tag:
        options["tag:v"] = source.tag
    legs = [_PIPE_LEG]
    if target is not None:
        legs.insert(0, _publish_leg(target))
    output = ffmpeg.output(stream, "|".join(legs), f="tee", **options)
    arguments = ffmpeg.get_args(output)
    head = ["-hide_banner", "-nostdin", "-loglevel", "warning", "-nostats"]
    if source.encoding:
        head += [word for key, value in encoder.before for word in (f"-{key}", value)]
    progress = ["-stats_period", "2", "-progress", f"pipe:{PROGRESS_FD}"]
    return ["ffmpeg", *head, *progress, *arguments]


def _publish_leg(target: PublishTarget) -> str:
    options = "".join(f":{key}={_escape(value)}" for key, value in target.options)
    return f"[f={target.format}:onfail=ignore:use_fifo=1:fifo_options={_escape(_FIFO)}{options}]{target.url}"


def _escape(value: str) -> str:
    """An option's value inside the tee muxer's brackets: unescaped once per slave and once per option."""
    return value.replace(":", r"\\\:")
