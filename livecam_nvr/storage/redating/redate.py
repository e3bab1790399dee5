"""Gives recordings that began with a wrong clock their true times, once those are known: files and index."""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

from livecam_nvr.core.events import SegmentRedated
from livecam_nvr.core.timekeeper import Redated
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.runtime.timesync import STEP_NS, boot_id
from livecam_nvr.storage.files.boxes import BoxError
from livecam_nvr.storage.files.label import Redating, segment
from livecam_nvr.storage.files.names import Names
from livecam_nvr.storage.files.repair import is_our_file, open_to_read, repair_file
from livecam_nvr.storage.files.survey import ForeignError, Head, read_head
from livecam_nvr.storage.index.rows import Statement, put, remove
from livecam_nvr.storage.redating.clock_journal import Boot, ClockJournal, Stretch
from livecam_nvr.storage.redating.redate_file import redate_file
from livecam_nvr.storage.refusal import in_words

_log = logging.getLogger(__name__)

_DAY = "%y%m%d"
# What a stretch may have begun before it was noticed.
_UNNOTICED_NS = 2 * NS
_LOST_NS = 86_400 * NS
# A row of the same file from before: a crash may have come before the index heard of its new name.
_FORGET = "DELETE FROM segment WHERE camera_id = ? AND start_utc_ns = ? AND run_id = ? AND path <> ?"


@dataclass(slots=True)
class _Pass:
    """What one pass over a machine's start has found."""

    files: dict[str, dict[str, int]] = field(default_factory=dict)
    """Per stretch (its id) and camera, the files."""
    changed: dict[str, list[SegmentRedated]] = field(default_factory=dict)
    left: int = 0
    """Files that are still being written, or that the disk refused."""

    def count(self, stretch_id: str, found: Segment, was_path: str, *, changed: bool) -> None:
        """A file has its true time."""
        per_camera = self.files.setdefault(stretch_id, {})
        per_camera[found.camera_id] = per_camera.get(found.camera_id, 0) + 1
        if changed:
            self.changed.setdefault(stretch_id, []).append(SegmentRedated(found, was_path))


class Redater:
    """Re-dates the archive in `root` (core.timekeeper.Redating).

    Which files have to be is looked up in the files, not in the index: in the folders of the days that the clock
    showed while it was not right, and of the true ones.

    Args:
        root: The archive.
        journal: Where is remembered when the clock was not right; outside of the archive, with what is this
            machine's own.
        names: The archive's; files being written are left for the next pass.
        clock: For the local time.
        apply: Takes the changes of the index (`Index.apply`).
        writable: Asked in a thread: whether the root is the archive (and not what is left when its disk is away).
    """

    def __init__(
        self,
        root: Path,
        journal: Path,
        names: Names,
        *,
        clock: Clock,
        apply: Callable[[Iterable[Statement]], None],
        writable: Callable[[], bool] = lambda: True,
    ) -> None:
        self._root = root
        self._journal = ClockJournal(journal)
        self._names = names
        self._clock = clock
        self._apply = apply
        self._writable = writable
        self._loaded = False
        self._one = asyncio.Lock()

    async def note(self, offset_ns: int, boot_ns: int) -> None:
        """See core.timekeeper.Redating. Raises LivecamError DISK if it cannot be remembered."""
        await self._in_thread(lambda _cancel: self._journal.note(boot_id(), offset_ns, boot_ns))

    async def redate(self, offset_ns: int, *, final: bool) -> Sequence[Redated]:
        """See core.timekeeper.Redating. When cancelled it waits until the file at hand is done."""
        result: list[Redated] = []
        await self._in_thread(lambda cancel: result.extend(self._redate(offset_ns, cancel, final=final)))
        return result

    async def told(self, redated: Sequence[Redated]) -> None:
        """See core.timekeeper.Redating."""

        def work(_cancel: Event) -> None:
            shifts = {stretch.id: stretch.shift_ns for stretch in redated}
            for boot in self._journal.boots:
                for stretch in boot.stretches:
                    stretch.told_ns = shifts.get(_id(boot, stretch), stretch.told_ns)
            self._journal.save()

        await self._in_thread(work)

    async def _in_thread(self, work: Callable[[Event], None]) -> None:
        cancel = Event()

        def run() -> None:
            if not self._loaded:
                self._journal.load()
                self._loaded = True
            work(cancel)

        async with self._one:
            task = asyncio.create_task(asyncio.to_thread(run), name="re-date recordings")
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                cancel.set()
                await asyncio.wait([task])
                raise
            except OSError as error:
                raise LivecamError(ErrorKind.DISK, in_words(error, str(error.filename or self._root))) from error

    def _redate(self, offset_ns: int, cancel: Event, *, final: bool) -> list[Redated]:
        journal = self._journal
        # Durable before anything is changed: after a power cut nobody could tell any more what was true.
        journal.learn(boot_id(), offset_ns, self._clock.boot_ns(), final=final)
        if not journal.boots or not self._root.is_dir():
            return []
        if not self._writable():
            raise LivecamError(ErrorKind.DISK, "the recordings' disk is not there")
        result = []
        for boot in journal.boots:
            if boot.known and (boot.id == boot_id() or not boot.done):
                result += self._boot(boot, cancel)
        if not cancel.is_set():
            # What was recorded after an earlier start and never got its true time keeps what it has.
            journal.boots = [
                boot for boot in journal.boots if boot.id == boot_id() or (boot.known and not boot.done)
            ]
            journal.save()
        return result

    def _boot(self, boot: Boot, cancel: Event) -> list[Redated]:
        is_this = boot.id == boot_id()
        days = set()
        result = []
        for stretch in boot.known:
            begin, end = stretch.begin_boot_ns - _UNNOTICED_NS, stretch.end_boot_ns
            if end is None:  # it lasts, or the power failed
                end = self._clock.boot_ns() if is_this else begin + _LOST_NS
            shown, true = stretch.offset_ns, stretch.true_offset_ns or 0
            days |= _days(begin + shown, end + shown) | _days(begin + true, end + true)
            shift = _worth(true - shown)
            stretch_id = _id(boot, stretch)
            result.append(Redated(stretch_id, boot.id, begin + shown, end + shown, shift, stretch.told_ns, {}, ()))
        found = _Pass()
        for path in self._files(days):
            if cancel.is_set():
                return []
            try:
                self._file(path, boot, found)
            except FileNotFoundError:
                continue  # deleted meanwhile
            except OSError as error:
                found.left += 1
                _log.error("%s keeps a wrong time for now: %s", path, in_words(error, path))
        boot.done = not found.left and (not is_this or all(stretch.final for stretch in boot.stretches))
        return [
            replace(one, files=found.files.get(one.id, {}), changed=found.changed.get(one.id, []))
            for one in result
        ]

    def _file(self, path: str, boot: Boot, found: _Pass) -> None:
        head = self._head(path)
        if head is None or head.begin.boot is None or head.begin.boot.id != boot.id:
            return
        if not self._names.hold(path):
            found.left += 1
            return
        try:
            head = self._head(path)  # it may have been finished since
            if head is not None and head.label.end is None:
                repair_file(self._root, path)
                head = self._head(path)
            if head is None or head.label.end is None or head.begin.boot is None:
                return
            shown_ns = head.begin.start_utc_ns - head.begin.boot.ns
            stretch = boot.stretch_of(shown_ns, head.begin.boot.ns)
            if stretch is None or stretch.true_offset_ns is None:
                return
            redating = self._redating(head, stretch.true_offset_ns - shown_ns, final=stretch.final)
            known = head.label.end.redating
            now_at = path
            if redating != known:
                for now_at in redate_file(self._root, path, head, redating, self._names):  # noqa: B007 - the last one
                    pass
                self._drop_empty(path)
            done = segment(now_at, head.begin, replace(head.label.end, redating=redating))
            if redating != known or not boot.done:
                before = {head.begin.start_utc_ns, head.begin.start_utc_ns + (known.shift_ns if known else 0)}
                stale = ((_FORGET, (done.camera_id, start, done.run_id, now_at)) for start in sorted(before))
                self._apply((*remove(path), *stale, *put(done)))
            found.count(_id(boot, stretch), done, path, changed=redating != known)
        finally:
            self._names.release(path)

    def _redating(self, head: Head, shift_ns: int, *, final: bool) -> Redating:
        known = head.label.end.redating if head.label.end else None
        if known is not None and (known.final or abs(known.shift_ns - shift_ns) <= STEP_NS):
            return replace(known, final=known.final or final)
        shift_ns = _worth(shift_ns)
        return Redating(shift_ns, self._clock.utc_offset_s(head.begin.start_utc_ns + shift_ns), final)

    def _head(self, path: str) -> Head | None:
        fd = open_to_read(self._root / path)
        try:
            return read_head(lambda at, count: os.pread(fd, count, at), os.fstat(fd).st_size)
        except (ForeignError, BoxError):
            return None
        finally:
            os.close(fd)

    def _files(self, days: set[str]) -> list[str]:
        paths = []
        for camera in _folders(self._root):
            for day in days.intersection(_folders(self._root / camera)):
                with suppress(FileNotFoundError), os.scandir(self._root / camera / day) as entries:
                    folder = f"{camera}/{day}"
                    paths += [f"{folder}/{entry.name}" for entry in entries if is_our_file(folder, entry)]
        # Oldest first: where two began in the same second, the later one gets the suffix.
        return sorted(paths)

    def _drop_empty(self, path: str) -> None:
        """Deletes the folder of a day that there never was, once nothing is in it."""
        folder = (self._root / path).parent
        today = _days(self._clock.utc_ns(), self._clock.utc_ns())
        if folder.name not in today:  # the writer may just be about to use that
            with suppress(OSError):
                folder.rmdir()


def _id(boot: Boot, stretch: Stretch) -> str:
    return f"{boot.id} {stretch.begin_boot_ns}"


def _worth(shift_ns: int) -> int:
    """No recording is renamed for a difference that a time server's client makes up for by slewing."""
    return shift_ns if abs(shift_ns) > STEP_NS else 0


def _days(begin_utc_ns: int, end_utc_ns: int) -> set[str]:
    """The folders in which files of a time can lie, whatever the local time is."""
    day = datetime.fromtimestamp(begin_utc_ns // NS, UTC).date() - timedelta(days=1)
    last = datetime.fromtimestamp(end_utc_ns // NS, UTC).date() + timedelta(days=1)
    days = set()
    while day <= last:
        days.add(day.strftime(_DAY))
        day += timedelta(days=1)
    return days


def _folders(folder: Path) -> list[str]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    return []
