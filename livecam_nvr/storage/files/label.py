"""The label in each recorded file: a `uuid` box of fixed size that says what the file is; pure.

It lies between `moov` and the first fragment and holds two records of text, each `CRC-32 JSON spaces`. The first
one is written with the file's first bytes and never again; the second one is blank until the file is finished,
and is written after everything else is on disk. So a file is finished exactly if its second record is whole, and
the archive alone is enough to rebuild the index. Players skip `uuid` boxes (ISO/IEC 14496-12, 11.1).

A file that began before the machine's clock was synchronised says so in its first record, with the time by the
clock that never jumps. Once the true time is known, the second record is written anew and tells it: the first one
stays as it is, as the trace of what was changed. A program that does not know these keys reads the rest.
"""

import json
import struct
import zlib
from dataclasses import dataclass
from typing import Any

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import Segment
from livecam_nvr.storage.files.boxes import BoxError, box_header

USER_TYPE = bytes.fromhex("002060836eda43bf8294cd2990913f31")
VERSION = 1
_HEAD_BYTES = 24
_BEGIN_BYTES = 552
_END_BYTES = 192
LABEL_BYTES = _HEAD_BYTES + _BEGIN_BYTES + _END_BYTES
END_AT = _HEAD_BYTES + _BEGIN_BYTES
"""Where the second record begins in the box."""


@dataclass(frozen=True, slots=True)
class Boot:
    """When a file began, by the clock that never jumps."""

    id: str
    """Of the machine's start (runtime.timesync.boot_id)."""
    ns: int
    """Nanoseconds since then."""


@dataclass(frozen=True, slots=True)
class Begin:
    """What is known when a file begins."""

    camera_id: str
    start_utc_ns: int
    utc_offset_s: int
    run_id: int
    sequence: int
    codec: str
    width: int
    height: int
    merged: int = 1
    """How many segments of the run it holds."""
    boot: Boot | None = None
    """Set if the wall clock was not synchronised then."""


@dataclass(frozen=True, slots=True)
class Redating:
    """What became of the times of a file that began before the clock was synchronised."""

    shift_ns: int
    """To be added to the start in the first record."""
    utc_offset_s: int
    """Local time minus UTC at the true start."""
    final: bool
    """The clock was synchronised by then; otherwise it had been set, by whomever."""


@dataclass(frozen=True, slots=True)
class End:
    """What is known when it is finished."""

    cause: EndCause
    frames: int
    duration_ns: int
    bytes: int
    redating: Redating | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """Both records; `end` is None while the file is not finished."""

    begin: Begin
    end: End | None

    def segment(self, path: str) -> Segment | None:
        """The finished file at `path` as a segment; None if it is not finished."""
        return segment(path, self.begin, self.end) if self.end else None


def segment(path: str, begin: Begin, end: End) -> Segment:
    """Both records and the path make a segment."""
    redating = end.redating
    return Segment(
        camera_id=begin.camera_id,
        path=path,
        start_utc_ns=begin.start_utc_ns + (redating.shift_ns if redating else 0),
        duration_ns=end.duration_ns,
        utc_offset_s=redating.utc_offset_s if redating else begin.utc_offset_s,
        frames=end.frames,
        bytes=end.bytes,
        run_id=begin.run_id,
        sequence=begin.sequence,
        cause=end.cause,
        codec=begin.codec,
        width=begin.width,
        height=begin.height,
        merged=begin.merged,
        unsynced=begin.boot is not None and not (redating and redating.final),
        shift_ns=redating.shift_ns if redating else 0,
    )


def label_box(begin: Begin) -> bytes:
    """The whole box of a file that begins.

    Raises:
        LivecamError: INVALID if the values are too long for the box.
    """
    values: dict[str, Any] = {
        "livecam_nvr": VERSION,
        "camera_id": begin.camera_id,
        "start_utc_ns": begin.start_utc_ns,
        "utc_offset_s": begin.utc_offset_s,
        "run_id": begin.run_id,
        "sequence": begin.sequence,
        "codec": begin.codec,
        "width": begin.width,
        "height": begin.height,
    }
    if begin.merged != 1:
        values["merged"] = begin.merged
    if begin.boot is not None:
        values |= {"boot_id": begin.boot.id, "boot_ns": begin.boot.ns}
    head = struct.pack(">I4s16s", LABEL_BYTES, b"uuid", USER_TYPE)
    return head + _record(values, _BEGIN_BYTES) + b" " * _END_BYTES


def end_record(end: End) -> bytes:
    """The second record, to be written at END_AT of the box."""
    values: dict[str, Any] = {
        "cause": end.cause.value,
        "frames": end.frames,
        "duration_ns": end.duration_ns,
        "bytes": end.bytes,
    }
    if end.redating is not None:
        redating = end.redating
        values |= {
            "shift_ns": redating.shift_ns,
            "utc_offset_s": redating.utc_offset_s,
            "final": int(redating.final),
        }
    return _record(values, _END_BYTES)


def is_label(data: bytes) -> bool:
    """Whether `data` begins with a label's box header (the rest may be damaged)."""
    try:
        kind, header, _ = box_header(data[:16])
    except BoxError:
        return False
    return kind == b"uuid" and data[header : header + 16] == USER_TYPE


def read_label(box: bytes) -> Label:
    """Reads a label's box.

    Raises:
        BoxError: Its first record is damaged, or of a later version.
    """
    if len(box) != LABEL_BYTES or not is_label(box):
        raise BoxError("the label is cut off")
    try:
        values = _values(box[_HEAD_BYTES:END_AT])
        if values["livecam_nvr"] != VERSION:
            raise BoxError(f"the label is of version {values['livecam_nvr']}, this program knows {VERSION}")
        begin = Begin(
            str(values["camera_id"]),
            int(values["start_utc_ns"]),
            int(values["utc_offset_s"]),
            int(values["run_id"]),
            int(values["sequence"]),
            str(values["codec"]),
            int(values["width"]),
            int(values["height"]),
            int(values.get("merged", 1)),
            Boot(str(values["boot_id"]), int(values["boot_ns"])) if "boot_id" in values else None,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BoxError(f"the label is damaged: {error}") from error
    return Label(begin, _read_end(box[END_AT:]))


def _read_end(record: bytes) -> End | None:
    try:
        values = _values(record)
        return End(
            EndCause(values["cause"]),
            int(values["frames"]),
            int(values["duration_ns"]),
            int(values["bytes"]),
            _redating(values) if "shift_ns" in values else None,
        )
    except (ValueError, KeyError, TypeError):
        return None


def _redating(values: dict[str, Any]) -> Redating:
    return Redating(int(values["shift_ns"]), int(values["utc_offset_s"]), bool(values["final"]))


def _record(values: dict[str, Any], size: int) -> bytes:
    text = json.dumps(values, separators=(",", ":")).encode()
    record = b"%08x %s" % (zlib.crc32(text), text)
    if len(record) > size:
        raise LivecamError(ErrorKind.INVALID, "the stream's description is too long for a file's label")
    return record.ljust(size)


def _values(record: bytes) -> dict[str, Any]:
    record = record.rstrip(b" ")
    crc, _, text = record.partition(b" ")
    if not text or crc.lower() != b"%08x" % zlib.crc32(text):
        raise ValueError("its checksum is wrong")
    values = json.loads(text)
    if not isinstance(values, dict):
        raise TypeError("it is no object")
    return values
