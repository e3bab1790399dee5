"""Reads the fragments of one part in chunks, their decode times moved to where they belong. Blocks; for threads.

Sound that began a little before a file's first picture was moved onto it when the file was written. Where files
are joined it is put back to where it was, which the sound after it tells: no sample overlaps another at a border.
"""

import os
import struct
from pathlib import Path
from threading import Lock

from livecam_nvr.core.past import Part
from livecam_nvr.storage.files.boxes import LARGE_HEADER_BYTES, Box, BoxError, Moov, Run, box_header, boxes
from livecam_nvr.storage.files.repair import open_to_read
from livecam_nvr.storage.files.survey import BETWEEN_FRAGMENTS
from livecam_nvr.storage.footage.footage_walk import box_at

_CHUNK = 256 << 10
_MOST_MOOF = 1 << 20
_LOOKED_AT = 64
_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")


class PartStream:
    """One part of a piece.

    Args:
        root: The archive.
        part: Begins with a keyframe.
        moov: Of the piece.
        position: The decode time that the part's first frame gets, ticks of the video.
    """

    def __init__(self, root: Path, part: Part, moov: Moov, position: int) -> None:
        self._path = root / part.path
        self._at = part.begin
        self._end = part.end
        self._moov = moov
        self._position = position
        self._keys = dict(part.keys)
        self._fd = -1
        self._closing = False
        self._lock = Lock()
        self._rest = 0
        """Bytes of the box at hand that were not read yet."""
        self._moves: dict[int, int] = {}
        self._lead: dict[int, int] = {}
        self._number = 0

    def chunk(self) -> bytes:
        """The next bytes; none at the end.

        Raises:
            BoxError: The file is damaged, or shorter than it was.
            OSError: It cannot be read; FileNotFoundError if it is gone.
        """
        try:
            with self._lock:
                return b"" if self._closing else self._next()
        finally:
            if self._closing:
                self.close()

    def close(self) -> None:
        """Closes the file, or has a `chunk` that runs in a thread do it: a descriptor in use is never closed."""
        self._closing = True
        if self._lock.acquire(blocking=False):
            try:
                if self._fd >= 0:
                    os.close(self._fd)
                    self._fd = -1
            finally:
                self._lock.release()

    def _next(self) -> bytes:
        if self._at >= self._end:
            return b""
        if self._fd < 0:
            self._fd = open_to_read(self._path)
            self._begin()
        data = bytearray(self._read(self._at, min(_CHUNK, self._end - self._at)))
        done = self._pass(data)
        if not done:  # a moof that is larger than a chunk
            data = bytearray(self._read(self._at, min(_MOST_MOOF + _CHUNK, self._end - self._at)))
            done = self._pass(data)
            if not done:
                raise BoxError("a moof is damaged")
        self._at += done
        return bytes(memoryview(data)[:done])

    def _read(self, at: int, size: int) -> bytes:
        data = os.pread(self._fd, size, at)
        if len(data) < size:
            raise BoxError("the file is shorter than it was")
        return data

    def _begin(self) -> None:
        """Finds out how far each track's times have to be moved."""

        def read(at: int, size: int) -> bytes:
            return os.pread(self._fd, size, at)

        video = self._moov.video
        _, runs = box_at(read, self._at, self._end, self._moov)
        first = next((run for run in runs if run.track_id == video.track_id), None)
        if first is None:
            raise BoxError("a part does not begin with a picture")
        for track in self._moov.tracks.values():
            here = first.time * track.timescale // video.timescale
            there = self._position * track.timescale // video.timescale
            self._moves[track.track_id] = there - here
        if first.time == 0:
            at, runs = self._at, []
            for _ in range(_LOOKED_AT):
                if at >= self._end or len(self._lead) == len(self._moov.tracks) - 1:
                    break
                at, found = box_at(read, at, self._end, self._moov)
                runs += found
                self._lead = _leads(runs, video.track_id)
            self._lead = {track_id: lead for track_id, lead in self._lead.items() if lead}

    def _pass(self, data: bytearray) -> int:
        """Moves the times in whole `moof`s; returns how many bytes are done with."""
        at = min(self._rest, len(data))
        self._rest -= at
        size = len(data)
        while at < size:
            if size - at < LARGE_HEADER_BYTES and self._at + size < self._end:
                break
            kind, header, length = box_header(bytes(data[at : at + LARGE_HEADER_BYTES]))
            if self._at + at + length > self._end:
                raise BoxError(f"box {kind!r} of {length} bytes does not fit")
            if kind == b"moof":
                if length > _MOST_MOOF:
                    raise BoxError(f"a moof claims {length} bytes")
                if at + length > size:
                    break
                key = self._keys.get(self._at + at)
                if key is not None:
                    # So that a GOP is the same bytes whatever was asked for around it. A fragment a millisecond
                    # is more than there ever are, so that the numbers rise.
                    self._number = (self._position + key) * 1000 // self._moov.video.timescale
                self._move(data, at, Box(kind, 0, header, length))
            elif kind != b"mdat" and kind not in BETWEEN_FRAGMENTS:
                raise BoxError(f"there is {kind!r} where a fragment should be")
            there = min(length, size - at)
            self._rest = length - there
            at += there
        return at

    def _move(self, data: bytearray, at: int, moof: Box) -> None:
        """Gives the `moof` at `at` its number and its times."""
        self._number += 1
        whole = bytes(data[at : at + moof.end])
        try:
            for box in boxes(whole, moof.body, moof.end):
                if box.kind == b"mfhd":
                    _U32.pack_into(data, at + box.body + 4, self._number & 0xFFFFFFFF)
                elif box.kind == b"traf":
                    self._move_track(data, at, whole, box)
        except (struct.error, IndexError, KeyError) as error:
            raise BoxError("a moof is damaged") from error

    def _move_track(self, data: bytearray, at: int, moof: bytes, traf: Box) -> None:
        track_id = 0
        for box in boxes(moof, traf.body, traf.end):
            if box.kind == b"tfhd":
                track_id = _U32.unpack_from(moof, box.body + 4)[0]
            elif box.kind == b"tfdt":
                place = _U64 if moof[box.body] else _U32
                time = place.unpack_from(moof, box.body + 4)[0] + self._moves[track_id]
                if self._lead:
                    time += self._lead.pop(track_id, 0)
                place.pack_into(data, at + box.body + 4, max(0, time))


def _leads(runs: list[Run], video_id: int) -> dict[int, int]:
    """Per track of sound of which two runs are known: how much earlier its first one belongs, ticks (<= 0)."""
    firsts: dict[int, Run] = {}
    leads: dict[int, int] = {}
    for run in runs:
        if run.track_id == video_id or not run.samples:
            continue
        first = firsts.setdefault(run.track_id, run)
        if first is not run and run.track_id not in leads:
            overlap = first.time + first.duration - run.time
            leads[run.track_id] = -overlap if first.time == 0 and 0 < overlap <= first.duration else 0
    return leads
