"""Walks over a file's fragments to find where pictures can be shown without a break; pure.

A file that is finished has a table of its keyframes and need not be walked; this is for those that are still being
written, or are damaged.
"""

from dataclasses import dataclass

from livecam_nvr.storage.files.boxes import (
    LARGE_HEADER_BYTES,
    Box,
    BoxError,
    Moov,
    Run,
    box_header,
    parse_moof,
)
from livecam_nvr.storage.files.survey import BETWEEN_FRAGMENTS, Read, find_moof

_FIRST_LOOK = 1024  # holds nearly every moof
_MOST_MOOF = 1 << 20
_BREAK_S = 0.5
# A camera that says nothing for longer (config: stall_seconds, at most 120) is restarted, and gets a new file.
_LONGEST_FRAME_S = 150


@dataclass(frozen=True, slots=True)
class Stretch:
    """Fragments of a file without a break between them, from a keyframe on. Times are the file's, in ticks."""

    begin: int
    """Where its first fragment begins, bytes."""
    end: int
    time: int
    """Decode time of its first frame."""
    duration: int
    frames: int
    keys: tuple[tuple[int, int], ...]
    """Per keyframe: where its fragment begins, and its decode time."""


def box_at(read: Read, at: int, limit: int, moov: Moov) -> tuple[int, list[Run]]:
    """Where the box at `at` ends (a `moof` together with its `mdat`), and the runs of samples in it, if any.

    Raises:
        BoxError: It is damaged, reaches beyond `limit`, or does not belong here.
    """
    data = read(at, min(_FIRST_LOOK, limit - at))
    kind, header, length = box_header(data[:LARGE_HEADER_BYTES])
    if kind != b"moof":
        if kind not in BETWEEN_FRAGMENTS or at + length > limit:
            raise BoxError(f"there is {kind!r} where a fragment should be")
        return at + length, []
    if length > _MOST_MOOF:
        raise BoxError(f"a moof claims {length} bytes")
    if length + LARGE_HEADER_BYTES > len(data):
        data = read(at, min(length + LARGE_HEADER_BYTES, limit - at))
    kind, mdat_header, mdat = box_header(data[length : length + LARGE_HEADER_BYTES])
    if kind != b"mdat" or at + length + mdat > limit:
        raise BoxError("there is no whole mdat")
    runs = parse_moof(data, Box(b"moof", 0, header, length), moov.tracks)
    if sum(run.bytes for run in runs) > mdat - mdat_header:
        raise BoxError("a moof claims more than its mdat holds")
    return at + length + mdat, runs


def count_frames(read: Read, begin: int, end: int, moov: Moov) -> int:
    """The pictures between two places where fragments begin.

    Raises:
        BoxError: Something there is damaged.
    """
    at, frames, video_id = begin, 0, moov.video.track_id
    while at < end:
        at, runs = box_at(read, at, end, moov)
        frames += sum(run.samples for run in runs if run.track_id == video_id)
    return frames


@dataclass(slots=True)
class _Open:
    """The stretch at hand."""

    begin: int
    end: int
    time: int
    end_time: int
    frames: int
    keys: list[tuple[int, int]]
    frames_before_key: int = 0
    """Before its newest keyframe."""


class Walker:
    """Walks over a file, as far as it is.

    Args:
        moov: Of the file.
        at: Where its first fragment begins.
    """

    def __init__(self, moov: Moov, at: int) -> None:
        self._moov = moov
        self._video = moov.video
        self._at = at
        self._done: list[Stretch] = []
        self._open: _Open | None = None
        self._break_ticks: int = round(_BREAK_S * self._video.timescale)

    def advance(self, read: Read, size: int, *, growing: bool) -> None:
        """Goes on to the end of the file.

        Args:
            read: Reads from it.
            size: Its bytes.
            growing: What is not whole is taken for its end, which will go on; else for damage, and stepped over.
        """
        while 0 <= self._at < size:
            try:
                end, runs = box_at(read, self._at, size, self._moov)
            except BoxError:
                if growing:
                    return
                self._close()
                self._at = find_moof(read, self._at + 1, size)
                continue
            if runs:
                self._take(runs, self._at, end)
            self._at = end

    def stretches(self, *, growing: bool) -> tuple[Stretch, ...]:
        """What was found so far; of a file that grows without the GOP that is not complete yet."""
        found = self._open
        if found is None:
            return tuple(self._done)
        if not growing:
            return (*self._done, _stretch(found))
        if len(found.keys) == 1:
            return tuple(self._done)
        at, time = found.keys[-1]
        keys = tuple(found.keys[:-1])
        whole = Stretch(found.begin, at, found.time, time - found.time, found.frames_before_key, keys)
        return (*self._done, whole)

    def newest(self) -> tuple[tuple[int, int], int] | None:
        """The newest keyframe (place and decode time), and the time at which the last frame ends; None if none."""
        return (self._open.keys[-1], self._open.end_time) if self._open else None

    def _take(self, runs: list[Run], at: int, end: int) -> None:
        video = next((run for run in runs if run.track_id == self._video.track_id and run.samples), None)
        found = self._open
        if video is not None and video.duration > _LONGEST_FRAME_S * self._video.timescale:
            self._close()  # rot in a duration would claim time that is not there
            return
        if video is not None and found is not None and abs(video.time - found.end_time) > self._break_ticks:
            self._close()
            found = None
        if found is None:
            if video is not None and video.sync:
                end_time = video.time + video.duration
                self._open = _Open(at, end, video.time, end_time, video.samples, [(at, video.time)])
            return
        found.end = end
        if video is not None:
            if video.sync:
                found.keys.append((at, video.time))
                found.frames_before_key = found.frames
            found.frames += video.samples
            found.end_time = video.time + video.duration

    def _close(self) -> None:
        if self._open is not None:
            self._done.append(_stretch(self._open))
            self._open = None


def _stretch(found: _Open) -> Stretch:
    duration = found.end_time - found.time
    return Stretch(found.begin, found.end, found.time, duration, found.frames, tuple(found.keys))
