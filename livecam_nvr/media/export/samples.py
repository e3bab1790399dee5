"""Takes fragments of MP4 apart into samples; pure.

Box layouts: ISO/IEC 14496-12, 8.8.4 to 8.8.12 (moof, traf, tfhd, tfdt, trun).
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from livecam_nvr.media.boxes import broken, children, find

_HEADER = struct.Struct(">I4s")
_NON_SYNC = 0x10000
_BASE_GIVEN, _DATA_OFFSET, _FIRST_FLAGS = 0x01, 0x001, 0x004
_DURATION, _SIZE, _FLAGS, _OFFSET = 0x100, 0x200, 0x400, 0x800
_MOST_BYTES = 256 << 20
_MOST_SAMPLES = 1 << 16  # a fragment is one picture, or one moment of sound


class Sample(NamedTuple):
    """One picture, or one packet of sound; times in its track's ticks."""

    track_id: int
    dts: int
    duration: int
    offset: int
    """Presentation time minus decode time."""
    sync: bool
    data: bytes

    @property
    def pts(self) -> int:
        """When it is presented."""
        return self.dts + self.offset


class _Defaults(NamedTuple):
    duration: int
    size: int
    flags: int


class SampleReader:
    """The samples of a stream that begins with `init`; feed it what follows, in chunks of any size."""

    def __init__(self, init: bytes) -> None:
        self._defaults = dict(_trex(init))
        self._rest = b""

    def feed(self, chunk: bytes) -> list[Sample]:
        """The samples that `chunk` completes, in the stream's order.

        Raises:
            LivecamError: MEDIA if the bytes are not fragments of this stream.
        """
        data = self._rest + chunk if self._rest else chunk
        found: list[Sample] = []
        at = moof_at = 0
        moof_end = 0
        try:
            while (size := _whole(data, at)) and at + size <= len(data):
                kind = data[at + 4 : at + 8]
                if kind == b"moof":
                    moof_at, moof_end = at, at + size
                else:
                    if kind == b"mdat" and moof_end:
                        found += self._fragment(data, moof_at, moof_end, at + size)
                    moof_end = 0
                at += size
        except (struct.error, IndexError) as error:
            raise broken("a fragment is damaged") from error
        self._rest = data[moof_at if moof_end else at :]
        if len(self._rest) > _MOST_BYTES:
            raise broken("a fragment is larger than any real one")
        return found

    def end(self) -> None:
        """The stream is over.

        Raises:
            LivecamError: MEDIA if it breaks off within a fragment.
        """
        if self._rest:
            raise broken("the last fragment is cut off")

    def _fragment(self, data: bytes, begin: int, body_end: int, end: int) -> Iterator[Sample]:
        for kind, at, stop in children(data, begin + 8, body_end):
            if kind == b"traf":
                yield from self._traf(data, at, stop, begin, end)

    def _traf(self, data: bytes, begin: int, end: int, moof: int, limit: int) -> Iterator[Sample]:
        tfhd, tfdt = find(data, begin, end, b"tfhd"), find(data, begin, end, b"tfdt")
        if tfhd is None or tfdt is None:
            raise broken("a traf lacks its tfhd or tfdt")
        flags, track_id = struct.unpack_from(">II", data, tfhd[0])
        if flags & _BASE_GIVEN or track_id not in self._defaults:
            raise broken("a fragment belongs to another stream")
        values = list(self._defaults[track_id])
        at = tfhd[0] + 8 + 4 * bool(flags & 0x02)
        for place, bit in enumerate((0x08, 0x10, 0x20)):
            if flags & bit:
                values[place] = struct.unpack_from(">I", data, at)[0]
                at += 4
        time = int.from_bytes(data[tfdt[0] + 4 : tfdt[0] + (12 if data[tfdt[0]] else 8)], "big")
        place = body = -1
        for kind, at, stop in children(data, begin, end):
            if kind == b"trun":
                place, time, found = _trun(data[at:stop], _Defaults(*values), time, body, moof)
                for sample_at, size, dts, duration, offset, sync in found:
                    if sample_at < 0 or sample_at + size > limit:
                        raise broken("a fragment claims more than it holds")
                    yield Sample(track_id, dts, duration, offset, sync, data[sample_at : sample_at + size])
                body = place


def _trun(
    box: bytes, default: _Defaults, time: int, at: int, moof: int
) -> tuple[int, int, list[tuple[int, int, int, int, int, bool]]]:
    """The place and time after a `trun`, and its samples: place, size, dts, duration, offset, sync."""
    flags, count = struct.unpack_from(">II", box)
    if count > _MOST_SAMPLES:
        raise broken("a fragment claims more samples than it can hold")
    read = 8
    if flags & _DATA_OFFSET:
        at = moof + struct.unpack_from(">i", box, read)[0]
        read += 4
    first_flags = None
    if flags & _FIRST_FLAGS:
        first_flags = struct.unpack_from(">I", box, read)[0]
        read += 4
    fields = [bit for bit in (_DURATION, _SIZE, _FLAGS, _OFFSET) if flags & bit]
    layout = struct.Struct(">" + "".join("i" if bit == _OFFSET and box[0] else "I" for bit in fields))
    found = []
    for number in range(count):
        given = dict(zip(fields, layout.unpack_from(box, read + number * layout.size), strict=True))
        duration = given.get(_DURATION, default.duration)
        size = given.get(_SIZE, default.size)
        own = given.get(_FLAGS, default.flags)
        if number == 0 and first_flags is not None:
            own = first_flags
        found.append((at, size, time, duration, given.get(_OFFSET, 0), not own & _NON_SYNC))
        at += size
        time += duration
    return at, time, found


def _trex(init: bytes) -> Iterator[tuple[int, _Defaults]]:
    mvex = find(init, 0, len(init), b"moov", b"mvex")
    for kind, at, _ in children(init, *mvex) if mvex else ():
        if kind == b"trex":
            track_id, _, *values = struct.unpack_from(">5I", init, at + 4)
            yield track_id, _Defaults(*values)


def _whole(data: bytes, at: int) -> int:
    """Bytes of the box at `at`; 0 if its header is not there yet."""
    if len(data) - at < 16:  # noqa: PLR2004 - a large header
        if len(data) - at < 8:  # noqa: PLR2004
            return 0
        size = _HEADER.unpack_from(data, at)[0]
        return 0 if size == 1 else _sound(size)
    size = _HEADER.unpack_from(data, at)[0]
    return _sound(int.from_bytes(data[at + 8 : at + 16], "big") if size == 1 else size)


def _sound(size: int) -> int:
    if not 8 <= size <= _MOST_BYTES:  # noqa: PLR2004
        raise broken(f"a box claims {size} bytes")
    return size
