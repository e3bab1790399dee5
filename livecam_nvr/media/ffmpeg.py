"""The one ffmpeg of a camera as an argument list: inputs, encoding if needed, `tee` to the media server and to us.

Pure. Muxer options and their escaping: ffmpeg-formats(1), "tee" and "fifo".
"""

from collections.abc import Mapping
from typing import Any

import ffmpeg

from livecam_nvr.core.ports import PublishTarget
from livecam_nvr.media.encoding import X264, Encoder, options_for
from livecam_nvr.media.sound import MOST_WAIT_US, encoders, wants_opus
from livecam_nvr.media.sources import Source

PROGRESS_FD = 3

# One moof+mdat a frame, written at once. default_base_moof makes fragments movable: no offset in them is absolute.
_PIPE_LEG = "[f=mp4:movflags=+frag_every_frame+empty_moov+default_base_moof:flush_packets=1]pipe:1"

# With sound, a fragment that ended with every packet would get the times of the other track's last one wrong: the
# muxer takes them from the packet after the next one (libavformat/movenc.c, mov_flush_fragment). As soon as one
# track has a second packet, it knows them. Each track's times stay what they are, also where they do not begin
# together: for that they may not be moved to zero, nor put into an edit list that an empty moov cannot have.
_PIPE_LEG_WITH_SOUND = (
    r"[select=\'v,a:0\':f=mp4:movflags=+empty_moov+default_base_moof+frag_discont:frag_duration=1:use_editlist=0"
    f":avoid_negative_ts=disabled:max_interleave_delta={MOST_WAIT_US}:flush_packets=1]pipe:1"
)

# A media server that is absent, slow or killed must cost the pipe leg nothing, and be found again by itself.
_FIFO = (
    "attempt_recovery=1:recover_any_error=1:recovery_wait_time=1"
    ":restart_with_keyframe=1:drop_pkts_on_overflow=1:queue_size=300"
)


# For `tee` ffmpeg takes a constant frame rate for granted: it would repeat frames of a camera that slows down in
# the dark, drop those of one that is a little fast, and round the times of copied ones
# (libavformat/utils.c, avformat_transfer_internal_stream_timing_info).
_TIMES_ENCODED = {"fps_mode": "vfr", "enc_time_base:v": "1:90000"}
_TIMES_COPIED = {"copytb": "1"}


def command(source: Source, target: PublishTarget | None, encoder: Encoder = X264) -> list[str]:
    """The argument list of one camera's ffmpeg. With no `target` it feeds only the hub.

    The list may contain passwords; redact it before showing it.
    """
    audio = source.audio
    pictures = _input(source.url, source.options)
    stream = pictures.video
    options: dict[str, Any] = {"c": "copy"} if audio is None else {"c:v": "copy"}
    if source.encoding:
        for name, arguments in (*source.filters, *encoder.filters):
            stream = stream.filter(name, **dict(arguments))
        options = options_for(encoder, source.encoding)
    options |= _TIMES_ENCODED if source.encoding else _TIMES_COPIED
    options |= source.output
    if source.tag:
        options["tag:v"] = source.tag
    streams = [stream]
    if audio is not None:
        sound = (_input(audio.url, audio.options) if audio.url else pictures)["a:0"]
        opus = wants_opus(target)
        streams += [sound] * (1 + opus)
        options |= encoders(audio, opus=opus)
    legs = [_PIPE_LEG if audio is None else _PIPE_LEG_WITH_SOUND]
    if source.encoding and encoder.in_band:  # the header waits for the keyframe that has the parameter sets
        legs[0] = legs[0].replace("+empty_moov", "+empty_moov+delay_moov")
    if target is not None:
        legs.insert(0, _publish_leg(target, sound=audio is not None))
    output = ffmpeg.output(*streams, "|".join(legs), f="tee", **options)
    arguments = ffmpeg.get_args(output)
    head = ["-hide_banner", "-nostdin", "-loglevel", "warning", "-nostats"]
    if source.encoding:
        head += [word for key, value in encoder.before for word in (f"-{key}", value)]
    if audio is not None and audio.absolute:
        head.append("-copyts")
    progress = ["-stats_period", "2", "-progress", f"pipe:{PROGRESS_FD}"]
    return ["ffmpeg", *head, *progress, *arguments]


def _input(url: str, options: Mapping[str, str | None]) -> Any:
    given: dict[str, Any] = dict(options)
    if "video_size" in given:
        given["video_size"] = given["video_size"].split("x")  # ffmpeg-python takes this one option as a pair
    return ffmpeg.input(url, **given)


def _publish_leg(target: PublishTarget, *, sound: bool) -> str:
    fifo = f"{_FIFO}:max_interleave_delta={MOST_WAIT_US}" if sound else _FIFO
    options = "".join(f":{key}={_escape(value)}" for key, value in target.options)
    return f"[f={target.format}:onfail=ignore:use_fifo=1:fifo_options={_escape(fifo)}{options}]{target.url}"


def _escape(value: str) -> str:
    """An option's value inside the tee muxer's brackets: unescaped once per slave and once per option."""
    return value.replace(":", r"\\\:")
