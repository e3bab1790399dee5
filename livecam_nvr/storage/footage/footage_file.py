"""Finds out how a recorded file is laid out, and cuts it at keyframes. Blocks; for threads.

A finished file costs two small reads: its head, and its table of keyframes at the end.
"""

import os
import struct
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Lock

from livecam_nvr.core.past import Part
from livecam_nvr.domain.coverage import Span
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import NS
from livecam_nvr.storage.files.boxes import BoxError, Moov
from livecam_nvr.storage.files.label import Begin
from livecam_nvr.storage.files.repair import open_to_read
from livecam_nvr.storage.files.survey import Head, Read, read_head
from livecam_nvr.storage.footage.footage_form import Form, form_of
from livecam_nvr.storage.footage.footage_walk import Stretch, Walker, box_at, count_frames

_HEAD_BYTES = 16 << 10  # holds init segment, label and first moof of nearly every file
_TAIL_BYTES = 4 << 10
_KEY = struct.Struct(">QQBBB")
_TABLE_BYTES = 8 + 24 + 16
"""Of an empty `mfra`: its header, `tfra`, `mfro`."""
_MOST_TABLE = 16 << 20
_REMEMBERED_KEYS = 200_000
_REMEMBERED_GROWING = 64
_REMEMBERED_DAMAGED = 1000


@dataclass(frozen=True, slots=True)
class Layout:
    """What is known of a file."""

    begin: Begin
    form: Form
    stretches: tuple[Stretch, ...]
    newest: tuple[tuple[int, int], int] | None = None
    """Of a file that is being written: its newest keyframe and the end of its last frame."""

    def utc_ns(self, start_utc_ns: int, time: int) -> int:
        """When a frame was taken, in a file that begins at `start_utc_ns`."""
        return start_utc_ns + time * NS // self.form.moov.video.timescale


@dataclass(slots=True)
class _Growing:
    inode: int
    layout: Layout
    walker: Walker


class Layouts:
    """Remembers the layouts of files that were looked at lately (bounded). May be used by several threads.

    Args:
        root: The archive.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[tuple[int, int], Layout]] = OrderedDict()
        self._keys = 0
        self._damaged: dict[str, tuple[int, int]] = {}
        self._growing: OrderedDict[str, _Growing] = OrderedDict()
        self._growing_lock = Lock()

    @contextmanager
    def opened(self, path: str) -> Iterator[tuple[Read, os.stat_result]]:
        """Opens a file of the archive for `os.pread`.

        Raises:
            OSError: It cannot be opened; FileNotFoundError if it is gone.
        """
        fd = open_to_read(self._root / path)
        try:
            yield lambda at, size: os.pread(fd, size, at), os.fstat(fd)
        finally:
            os.close(fd)

    def finished(self, path: str, read: Read, stat: os.stat_result) -> Layout:
        """The layout of a file that is not being written.

        Raises:
            BoxError: It is no recording of ours, or nothing of it can be shown.
            OSError: The disk refuses.
        """
        stamp = stat.st_size, stat.st_mtime_ns
        with self._lock:
            known = self._known.get(path)
            if known is not None and known[0] == stamp:
                self._known.move_to_end(path)
                return known[1]
            damaged = self._damaged.get(path) == stamp
        layout = _look(read, stat.st_size, damaged=damaged)
        with self._lock:
            self._forget(path)
            self._known[path] = stamp, layout
            self._keys += _weight(layout)
            while self._keys > _REMEMBERED_KEYS and len(self._known) > 1:
                self._forget(next(iter(self._known)))
        return layout

    def growing(self, path: str, read: Read, stat: os.stat_result) -> Layout:
        """The layout of a file that is being written, as far as it is; each call reads only what is new.

        Raises:
            BoxError: Its head is not written yet.
            OSError: The disk refuses.
        """
        with self._growing_lock:
            known = self._growing.get(path)
            if known is None or known.inode != stat.st_ino:
                head = read_head(read, stat.st_size)
                form = form_of(head.init, head.begin.codec)
                known = _Growing(stat.st_ino, Layout(head.begin, form, ()), Walker(form.moov, head.media_at))
                self._growing[path] = known
                if len(self._growing) > _REMEMBERED_GROWING:
                    self._growing.popitem(last=False)
            known.walker.advance(read, stat.st_size, growing=True)
            layout, walker = known.layout, known.walker
            return Layout(layout.begin, layout.form, walker.stretches(growing=True), walker.newest())

    def is_damaged(self, path: str) -> bool:
        """A reader has found damage: from now on the file is walked over, to find what of it is whole.

        Returns:
            Whether that was not known yet.
        """
        try:
            stat = (self._root / path).stat()
        except OSError:
            return False
        stamp = stat.st_size, stat.st_mtime_ns
        with self._lock:
            if self._damaged.get(path) == stamp:
                return False
            self._damaged[path] = stamp
            if len(self._damaged) > _REMEMBERED_DAMAGED:
                del self._damaged[next(iter(self._damaged))]
            self._forget(path)
            return True

    def _forget(self, path: str) -> None:
        known = self._known.pop(path, None)
        if known is not None:
            self._keys -= _weight(known[1])


def cut(read: Read, layout: Layout, path: str, start_utc_ns: int, wanted: Span) -> list[Part]:
    """What a file that begins at `start_utc_ns` gives to a range: whole GOPs of each of its stretches.

    Raises:
        BoxError: Frames have to be counted where the file is damaged.
        OSError: The disk refuses.
    """
    parts: list[Part] = []

    def utc(key: tuple[int, int]) -> int:
        return layout.utc_ns(start_utc_ns, key[1])

    for stretch in layout.stretches:
        end = layout.utc_ns(start_utc_ns, stretch.time + stretch.duration)
        if end <= wanted.begin_utc_ns or utc(stretch.keys[0]) >= wanted.end_utc_ns:
            continue
        first = max(0, bisect_right(stretch.keys, wanted.begin_utc_ns, key=utc) - 1)
        after = bisect_left(stretch.keys, wanted.end_utc_ns, key=utc)
        keys = stretch.keys[first:after]
        (at, time) = keys[0]
        end_at, end_time = stretch.end, stretch.time + stretch.duration
        if after < len(stretch.keys):
            end_at, end_time = stretch.keys[after]
        parts.append(
            Part(
                path=path,
                begin=at,
                end=end_at,
                begin_utc_ns=utc(keys[0]),
                duration=end_time - time,
                frames=_frames(read, stretch, at, end_at, layout.form.moov),
                keys=tuple((key_at, key_time - time) for key_at, key_time in keys),
            )
        )
    return parts


def _frames(read: Read, stretch: Stretch, begin: int, end: int, moov: Moov) -> int:
    without = [(stretch.begin, begin), (end, stretch.end)]
    if 2 * (end - begin) < stretch.end - stretch.begin:
        return count_frames(read, begin, end, moov)
    return stretch.frames - sum(count_frames(read, *place, moov) for place in without)


def _weight(layout: Layout) -> int:
    return 20 + sum(len(stretch.keys) for stretch in layout.stretches)


def _look(read: Read, size: int, *, damaged: bool) -> Layout:
    beginning = read(0, _HEAD_BYTES)

    def buffered(at: int, count: int) -> bytes:
        return beginning[at : at + count] if at + count <= len(beginning) else read(at, count)

    head = read_head(buffered, size)
    form = form_of(head.init, head.begin.codec)
    # A file that was repaired has that cause, and may have lost something in the middle.
    whole = head.label.end is not None and head.label.end.cause is not EndCause.SERVICE and not damaged
    stretch = _from_table(buffered, size, head, form.moov) if whole else None
    if stretch is not None:
        return Layout(head.begin, form, (stretch,))
    walker = Walker(form.moov, head.media_at)
    walker.advance(read, size, growing=False)
    stretches = walker.stretches(growing=False)
    if not stretches:
        raise BoxError("it has no whole picture")
    return Layout(head.begin, form, stretches)


def _from_table(read: Read, size: int, head: Head, moov: Moov) -> Stretch | None:
    """The whole file as one stretch, from its label and its table; None if they do not tell."""
    end = head.label.end
    if end is None or not 0 < end.bytes <= size:
        return None
    media_end, table = _keyframe_table(read, end.bytes, moov.video.track_id)
    if not table or table[0][1] != head.media_at or table[-1][1] >= media_end:
        return None
    _, runs = box_at(read, head.media_at, media_end, moov)
    first = next((run for run in runs if run.track_id == moov.video.track_id), None)
    if first is None or first.time + first.first_offset != table[0][0]:
        return None
    # The table has the times at which pictures are shown; an encoder delays all its keyframes alike.
    keys = tuple((at, time - first.first_offset) for time, at in table)
    ticks = round(end.duration_ns * moov.video.timescale / NS)
    if any(a >= b for a, b in pairwise(keys)) or ticks <= keys[-1][1]:
        return None
    return Stretch(head.media_at, media_end, first.time, ticks - first.time, end.frames, keys)


def _keyframe_table(read: Read, end: int, track_id: int) -> tuple[int, list[tuple[int, int]]]:
    """Where the `mfra` that ends at `end` begins, and its times and places; none if it is not as we write it."""
    data = read(max(0, end - _TAIL_BYTES), _TAIL_BYTES)
    if len(data) < _TABLE_BYTES or data[-12:-8] != b"mfro":
        return end, []
    size = int.from_bytes(data[-4:], "big")
    if not _TABLE_BYTES <= size <= min(end, _MOST_TABLE):
        return end, []
    data = read(end - size, size) if size > len(data) else data[-size:]
    kind, length, found, version, table_track, lengths, count = struct.unpack_from(">4x4s I4sI III", data)
    usual = (kind, found, version, table_track, lengths) == (b"mfra", b"tfra", 1 << 24, track_id, 0)
    if not usual or length != size - 24 or length != 24 + count * _KEY.size:
        return end, []
    return end - size, [(time, at) for time, at, _, _, _ in _KEY.iter_unpack(data[32:-16])]
