"""Encodes some pictures of one GOP anew, so that a cut can lie between keyframes.

H.264 gets parameter sets with an id of their own, so that they stand beside the camera's in one description.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ffmpeg

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media.export.formats import Format, annex_b, length_bytes, parameter_sets, read_format
from livecam_nvr.media.export.samples import Sample, SampleReader
from livecam_nvr.runtime.process import spawn

_NICE = ("nice", "-n", "15")  # a live camera's ffmpeg goes first
_FRAGMENTED = "+frag_every_frame+empty_moov+default_base_moof"


@dataclass(frozen=True, slots=True)
class Recoded:
    """Pictures that were encoded anew; each refers only to those before it."""

    sets: tuple[bytes, ...]
    """The parameter sets that they need."""
    pictures: tuple[tuple[bytes, bool], ...]
    """Data (with lengths of 4 bytes) and whether it is a keyframe, as they are presented."""


def command(*, hevc_in: bool, hevc_out: bool, wanted: range, set_id: int) -> list[str]:
    """The argument list; a byte stream comes in, fragments go out.

    Args:
        hevc_in: What the GOP is: H.265 or H.264.
        hevc_out: What it is to be.
        wanted: The pictures, counted as they are presented.
        set_id: For H.264's parameter sets.
    """
    # A byte stream has no times; the pictures are counted, and the caller knows when each was taken.
    stream = ffmpeg.input("pipe:0", f="hevc" if hevc_in else "h264").video
    stream = stream.filter("select", f"between(n,{wanted.start},{wanted.stop - 1})").filter("setpts", "N/(25*TB)")
    codec: dict[str, Any] = (
        {"c:v": "libx265", "crf": "20", "x265-params": "bframes=0:log-level=error", "tag:v": "hvc1"}
        if hevc_out
        else {"c:v": "libx264", "crf": "18", "bf": "0", "x264-params": f"sps-id={set_id}"}
    )
    output = ffmpeg.output(
        stream, "pipe:1", f="mp4", movflags=_FRAGMENTED, fps_mode="passthrough", preset="veryfast", **codec
    )
    return [*_NICE, "ffmpeg", "-hide_banner", "-nostdin", "-v", "error", *ffmpeg.get_args(output)]


async def recode(source: Format, gop: Sequence[Sample], wanted: range, *, hevc: bool, set_id: int = 0) -> Recoded:
    """The pictures of `gop` that are `wanted`, counted as they are presented.

    Args:
        source: What describes the GOP.
        gop: Its video samples, from a keyframe on.
        wanted: Which ones.
        hevc: What they are to be: H.265, or H.264.
        set_id: For H.264's parameter sets.

    Raises:
        LivecamError: MEDIA if they cannot be decoded, or not all of them; UNAVAILABLE if there is no ffmpeg.
    """
    output = bytearray()
    argv = command(hevc_in=source.hevc, hevc_out=hevc, wanted=wanted, set_id=set_id)
    child = await spawn(argv, name="exact cut", stdin=True, on_stdout=output.extend)
    try:
        for nal in parameter_sets(source.video):
            child.write(b"\0\0\0\1" + nal)
        size = length_bytes(source.video)
        for sample in gop:
            child.write(annex_b(sample.data, size))
        child.close_stdin()
        await child.wait()
    finally:
        await child.stop()
    made = _read(bytes(output)) if output else None
    if made is None or len(made.pictures) != len(wanted):
        said = child.last_lines[-1] if child.last_lines else "no reason given"
        count = len(made.pictures) if made else 0
        raise LivecamError(
            ErrorKind.MEDIA,
            f"of {len(wanted)} pictures at the cut, {count} could be encoded: {said}",
            "cut at keyframes instead (exact: false)",
        )
    return made


def _read(data: bytes) -> Recoded:
    made = read_format(data)
    samples = SampleReader(data).feed(data)
    return Recoded(parameter_sets(made.video), tuple((sample.data, sample.sync) for sample in samples))
