"""One file being written: its bytes, its tally, its end. Belongs to the archive's threads, never to the loop.

Layout: init segment (`ftyp` + `moov`), label, fragments whose times begin at zero, keyframe table.
"""

import errno
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from livecam_nvr.core.ports import SegmentStart
from livecam_nvr.domain.media import EndCause, Fragment, base_times, rebased
from livecam_nvr.domain.segment import Segment
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.runtime.durable import sync_dir
from livecam_nvr.runtime.timesync import boot_id
from livecam_nvr.storage.files.boxes import BoxError, Moov, boxes, parse_init, parse_moof
from livecam_nvr.storage.files.label import END_AT, Begin, Boot, End, end_record, label_box, segment
from livecam_nvr.storage.files.names import Names
from livecam_nvr.storage.files.tables import Tally, created_patches, duration_patches, keyframe_table, patched
from livecam_nvr.storage.files.writeback import write_out

_log = logging.getLogger(__name__)

_MOST_PIECES = 1000  # writev(2) takes IOV_MAX (1024) at once
_MODE = 0o644


class SegmentFile:
    """The file that begins with `start`.

    `create`, `write` and `finish` are called by the writer thread, `sync` in between and then `seal`, `discard` or
    `close` by the sync thread.

    Args:
        root: The archive.
        start: What is known of it.
        names: Gives it its name.
        clock: Tells whether the wall clock can be believed; without one it always is.

    Attributes:
        path: Relative to the root. Changes at most once, in `create`, if an earlier process has used the name.
        size: Bytes of whole fragments and what stands before them.
        changed: Whether something was written that was not synced.
    """

    def __init__(self, root: Path, start: SegmentStart, names: Names, clock: Clock | None = None) -> None:
        video = start.init.video
        self.path = names.take(start.camera_id, start.start_utc_ns, start.utc_offset_s)
        self.size = 0
        self.changed = False
        self._root = root
        self._start = start
        self._names = names
        self._begin = Begin(
            start.camera_id,
            start.start_utc_ns,
            start.utc_offset_s,
            start.run_id,
            start.sequence,
            video.codec,
            video.width,
            video.height,
            boot=_boot(start, clock) if clock else None,
        )
        self._end: End | None = None
        self._settled = self._marked = False
        self._fd = -1
        self._tally = Tally(video.track_id)
        self._bases: dict[int, int] = {}
        self._moov: Moov | None = None
        self._unsynced_dirs: list[Path] = []

    @property
    def empty(self) -> bool:
        """Whether no fragment was written."""
        return not self._tally.ends

    def create(self) -> None:
        """Makes the file and writes what stands before the first fragment.

        Raises:
            OSError: The disk refuses.
            BoxError: The init segment is damaged.
            LivecamError: The stream's description does not fit into the label.
        """
        label = label_box(self._begin)
        self._moov = parse_init(self._start.init.data)
        self._make_dirs()
        while self._fd < 0:
            try:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                self._fd = os.open(self._root / self.path, flags, _MODE)
            except FileExistsError:
                taken, start = self.path, self._start
                self.path = self._names.take(start.camera_id, start.start_utc_ns, start.utc_offset_s)
                self._names.release(taken)
        init = patched(self._start.init.data, created_patches(self._moov, self._start.start_utc_ns))
        wanted = len(init) + len(label)
        written, error = _write(self._fd, [init, label])
        if written < wanted:
            raise error or OSError("a short write")
        self.size = wanted
        self.changed = True

    def write(self, fragments: Sequence[Fragment]) -> None:
        """Appends fragments with one system call.

        Raises:
            OSError: The disk refuses; `size` then tells how far the whole fragments reach.
        """
        if not self._bases:
            self._bases = base_times(fragments[0])
        pieces: list[bytes | memoryview] = []
        for fragment in fragments:
            pieces += rebased(fragment, self._bases)
        written, error = _write(self._fd, pieces)
        self.changed = True
        for fragment in fragments:
            written -= len(fragment.data)
            if written < 0:
                break
            self._count(fragment)
        if error is not None:
            raise error

    def finish(self, cause: EndCause) -> None:
        """Cuts off what is not whole, writes the durations in place and appends the keyframe table.

        Raises:
            OSError: The disk refuses; a table that finds no room is merely left out.
        """
        moov = self._known_moov()
        table = keyframe_table(self._tally)
        os.ftruncate(self._fd, self.size)
        os.lseek(self._fd, self.size, os.SEEK_SET)
        written, error = _write(self._fd, [table])
        if written < len(table):
            _log.warning("%s gets no keyframe table: %s", self.path, error)
            os.ftruncate(self._fd, self.size)
            table = b""
        for at, value in duration_patches(moov, self._tally.ends):
            os.pwrite(self._fd, value, at)
        length_ns = self._tally.duration_ns(moov.video.timescale)
        self._end = End(cause, self._tally.frames, length_ns, self.size + len(table))
        self.changed = True

    def sync(self) -> None:
        """Brings what was written so far onto the disk (the size, too), and the folder's entry once.

        Raises:
            OSError: The disk refuses, or the file was deleted or moved away.
        """
        if self.changed:
            self.changed = False
            os.fdatasync(self._fd)
        self._demand_in_place()
        self._sync_dirs()

    def write_out(self) -> None:
        """Has the kernel write what was not written yet; a sync has to follow. Raises OSError as that does."""
        if self.changed:
            write_out(self._fd)

    def settle(self) -> None:
        """The first step of sealing: all of it is on disk, and nothing says yet that it is finished.

        Raises:
            OSError: As `sync`.
        """
        self._demand_in_place()
        # In this order: a file that says it is finished must be so even if the power fails right now.
        os.fsync(self._fd)
        self._settled = True

    def mark(self) -> None:
        """The second step: it says that it is finished. Raises OSError."""
        if self._end is None:
            raise RuntimeError("a file is sealed that was not finished")
        os.pwrite(self._fd, end_record(self._end), len(self._start.init.data) + END_AT)
        self._marked = True

    def seal(self) -> Segment:
        """Does what of these steps was not done yet, makes the mark durable, too, and closes the file.

        Raises:
            OSError: As `sync`. The file is closed all the same and will be repaired at the next start.
        """
        try:
            if not self._settled:
                self.settle()
            if not self._marked:
                self.mark()
            os.fdatasync(self._fd)
            self._sync_dirs()
        finally:
            self.close()
        if self._end is None:
            raise RuntimeError("a file is sealed that was not finished")
        return segment(self.path, self._begin, self._end)

    def discard(self) -> None:
        """Closes and deletes a file in which nothing was recorded."""
        created = self._fd >= 0
        try:
            if created:
                (self._root / self.path).unlink()
        except OSError as error:
            _log.warning("the empty %s cannot be deleted: %s", self.path, error)
        self.close()

    def close(self) -> None:
        """Closes it; idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._names.release(self.path)

    def _count(self, fragment: Fragment) -> None:
        video_id = self._tally.video_id
        for track in fragment.tracks:
            time = max(0, track.time - self._bases.get(track.track_id, 0))
            self._tally.add(track.track_id, time, track.duration, track.samples)
            if fragment.keyframe and track.track_id == video_id:
                self._count_key(fragment.data, time)
        self.size += len(fragment.data)

    def _count_key(self, data: bytes, time: int) -> None:
        try:
            moof = next(box for box in boxes(data, 0, len(data)) if box.kind == b"moof")
            runs = parse_moof(data, moof, self._known_moov().tracks)
        except (BoxError, StopIteration):
            return  # the reader took it for a keyframe: it is played, it is merely not in the table
        for run in runs:
            if run.track_id == self._tally.video_id:
                self._tally.keys.append((time + run.first_offset, self.size + moof.at, run.traf_number))

    def _known_moov(self) -> Moov:
        if self._moov is None:
            raise RuntimeError("a file is used that was not created")
        return self._moov

    def _make_dirs(self) -> None:
        folder = (self._root / self.path).parent
        self._unsynced_dirs = [folder]
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            self._unsynced_dirs += [folder.parent, self._root]

    def _sync_dirs(self) -> None:
        for folder in self._unsynced_dirs:
            sync_dir(folder)
        self._unsynced_dirs = []

    def _demand_in_place(self) -> None:
        # Writing into a deleted file goes on without an error for ever; nothing of it would be found again.
        if not os.path.samestat(os.fstat(self._fd), (self._root / self.path).stat()):
            raise FileNotFoundError(errno.ENOENT, "the file has vanished")


def _boot(start: SegmentStart, clock: Clock) -> Boot | None:
    moment = clock.moment_of(start.start_utc_ns)
    return None if moment.synchronised or not boot_id() else Boot(boot_id(), moment.boot_ns)


def _write(fd: int, pieces: Sequence[bytes | memoryview]) -> tuple[int, OSError | None]:
    """Writes all pieces; returns how many bytes were written, and the error if it were not all."""
    done = 0
    for first in range(0, len(pieces), _MOST_PIECES):
        part = list(pieces[first : first + _MOST_PIECES])
        while part:
            try:
                count = os.writev(fd, part)
            except OSError as error:
                return done, error
            done += count
            while part and count >= len(part[0]):
                count -= len(part.pop(0))
            if part and count:
                part[0] = memoryview(part[0])[count:]
    return done, None
