"""What format a recorded file has, and what a file of several pieces begins with; pure.

Box layouts: ISO/IEC 14496-12 (8.5.2 stsd); `esds`: ISO/IEC 14496-14, 5.6; codec strings: RFC 6381.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from livecam_nvr.core.past import Piece
from livecam_nvr.storage.files.boxes import Box, BoxError, Moov, boxes, parse_init
from livecam_nvr.storage.files.tables import created_patches, duration_patches, patched

_TO_ENTRY = (b"mdia", b"minf", b"stbl", b"stsd")
_AUDIO_ENTRY_BYTES = 28
_AAC = "mp4a.40.2"


@dataclass(frozen=True, slots=True)
class Form:
    """The format of a file."""

    init: bytes
    """`ftyp` and `moov` without durations and times of creation, so that files of one format have the same."""
    mime: str
    moov: Moov

    @property
    def sound(self) -> bool:
        """Whether it has more than pictures."""
        return len(self.moov.tracks) > 1


def form_of(init: bytes, video_codec: str) -> Form:
    """The format that an init segment describes.

    Args:
        init: `ftyp` and `moov` as they stand in a file.
        video_codec: RFC 6381, from the file's label.

    Raises:
        BoxError: It is damaged.
    """
    moov = parse_init(init)
    neutral = patched(init, [(field.at, bytes(field.size)) for field in moov.fields])
    codecs = ",".join([video_codec, *_audio_codecs(init)])
    return Form(neutral, f'video/mp4; codecs="{codecs}"', moov)


def head_of(pieces: Sequence[Piece]) -> bytes:
    """See core.past.Footage.head.

    There is no `sidx` in it: libavformat, and with it Chromium, takes each reference of one for a single `moof`,
    and leaves out the others of that GOP when it seeks back to where it has been.
    """
    first = pieces[0]
    moov = parse_init(first.init)
    video = moov.video
    duration = sum(part.duration for piece in pieces for part in piece.parts)
    ends = {i: duration * track.timescale // video.timescale for i, track in moov.tracks.items()}
    patches = duration_patches(moov, ends) + created_patches(moov, first.begin_utc_ns)
    return patched(first.init, patches)


def _audio_codecs(init: bytes) -> list[str]:
    try:
        return [_codec(init, entry) for entry in _audio_entries(init)]
    except (struct.error, IndexError) as error:
        raise BoxError("the moov is damaged") from error


def _audio_entries(init: bytes) -> Iterator[Box]:
    """The first sample entry of each audio track."""
    moov = _child(init, Box(b"", 0, 0, len(init)), b"moov")
    for trak in boxes(init, moov.body, moov.end) if moov else ():
        if trak.kind != b"trak":
            continue
        mdia = _child(init, trak, b"mdia")
        hdlr = _child(init, mdia, b"hdlr")
        if hdlr is None or init[hdlr.body + 8 : hdlr.body + 12] != b"soun":
            continue
        inner: Box | None = trak
        for kind in _TO_ENTRY:
            inner = _child(init, inner, kind)
        if inner is not None:
            yield next(boxes(init, inner.body + 8, inner.end))


def _codec(init: bytes, entry: Box) -> str:
    if entry.kind != b"mp4a":
        return "opus" if entry.kind == b"Opus" else entry.kind.decode("latin-1")
    esds = _child(init, Box(entry.kind, entry.at, entry.body + _AUDIO_ENTRY_BYTES, entry.end), b"esds")
    # Descriptor tag 5 holds the AudioSpecificConfig, whose first five bits are the object type.
    at = init.find(b"\x05", esds.body + 22, esds.end) if esds else -1
    if at < 0:
        return _AAC
    at += 1
    while init[at] & 0x80:
        at += 1
    return f"mp4a.40.{init[at + 1] >> 3}"


def _child(data: bytes, parent: Box | None, kind: bytes) -> Box | None:
    if parent is None:
        return None
    return next((box for box in boxes(data, parent.body, parent.end) if box.kind == kind), None)
