"""The parts that record, and that keep, explain and prove what was recorded; and how they are joined."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from livecam_nvr.app.signing import Signer
from livecam_nvr.app.triggers import Triggers
from livecam_nvr.config.models import Camera, Config
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.chronicle import Chronicle
from livecam_nvr.core.disk_guard import DiskGuard
from livecam_nvr.core.events import SegmentFinished, SegmentRedated
from livecam_nvr.core.janitor import Janitor
from livecam_nvr.core.recorder import Recorder
from livecam_nvr.core.retention import Settings
from livecam_nvr.core.timekeeper import TimeKeeper
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.domain.status import DiskLevel, RecordingStatus
from livecam_nvr.media.encoding import Encoder
from livecam_nvr.media.export.desk import ExportDesk
from livecam_nvr.media.export.maker import ExportMaker
from livecam_nvr.media.export.store import ExportStore
from livecam_nvr.media.hub import CameraStreams, MemoryHub
from livecam_nvr.media.past_pictures import DecodedPast
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.storage.evidence.keeper import EvidenceKeeper
from livecam_nvr.storage.files.archive import FileArchive
from livecam_nvr.storage.footage.footage import FileFootage
from livecam_nvr.storage.index.index import INDEX_NAME, Index
from livecam_nvr.storage.ledger.ledger import FileLedger
from livecam_nvr.storage.ledger.past import IndexedPast
from livecam_nvr.storage.merging.merge import Merger
from livecam_nvr.storage.merging.merge_file import leftovers
from livecam_nvr.storage.place.disk import Disk
from livecam_nvr.storage.place.marker import Marker
from livecam_nvr.storage.redating.redate import Redater
from livecam_nvr.storage.shedding.shedding import ArchiveShedding

if TYPE_CHECKING:
    from livecam_nvr.web.past_ports import PastPorts

_log = logging.getLogger(__name__)

# What a killed service has not hashed, it has recorded within the last days.
_CATCH_UP_NS = 2 * 86_400 * NS
_MOST_CAUGHT_UP = 50_000
_LEDGER_PATIENCE_S = 10.0

Within = Callable[[Callable[[], Awaitable[None]], str], Awaitable[None]]
"""Awaits the end of a part that waits for the disk, but not for ever."""


class Recordings:
    """The archive and everything around it, made but not started by the constructor.

    Args:
        config: The whole.
        bus: Where all parts tell what happens.
        clock: The machine's.
        within: For parts that wait for the disk when they end.
    """

    def __init__(
        self,
        config: Config,
        *,
        bus: EventBus,
        clock: Clock,
        within: Within,
    ) -> None:
        recording = config.recording
        self._config = config
        self._cameras = {camera.id: camera for camera in config.cameras if camera.enabled}
        self._bus = bus
        self._clock = clock
        self._within = within
        self._whole = False
        self._has_index = False
        self._merger: Merger | None = None
        root, ids = recording.path, list(self._cameras)
        self._marker = Marker(root, config.data_dir)
        self.archive = FileArchive(root, recording.durability_seconds, clock, self._marker)
        self.index = Index(config.data_dir / INDEX_NAME, root, clock, self.archive.is_writing, self._marker)
        self.ledger = FileLedger(root, self.index, recording.durability_seconds, clock, self._marker.look)
        self._chronicle = Chronicle(ids, self.ledger, self.ledger, bus, clock)
        self.past = IndexedPast(self.index, clock, self._chronicle.growing)
        self._footage = FileFootage(root, self.index, self.archive.names.writing)
        self._evidence = EvidenceKeeper(root, clock, self._is_there)
        self._pictures = DecodedPast()
        redater = Redater(
            root,
            config.data_dir / "clock.json",
            self.archive.names,
            clock=clock,
            apply=self.index.apply,
            writable=self._marker.look,
        )
        self.time = TimeKeeper(clock, bus, redating=redater, ledger=self.ledger, index=self.index, cameras=ids)
        self.janitor = Janitor(
            ArchiveShedding(root, self.index, clock, self._marker),
            self.ledger,
            bus,
            clock,
            Settings.of(recording, config.cameras),
            ready=self._may_delete,
        )
        self.triggers = Triggers(config, bus, clock)
        self._exports: ExportDesk | None = None
        self._titles: dict[str, str] = {}
        self._recorders: Mapping[str, Recorder] = {}
        self.guard: DiskGuard

    async def start(
        self, stack: AsyncExitStack, recorders: Mapping[str, Recorder], streams: CameraStreams
    ) -> None:
        """What has to be there before the cameras start. Whatever has to be ended is pushed onto `stack`.

        Args:
            stack: Ends what begins here.
            recorders: By camera id; more may come, see `admit`.
            streams: The cameras' hubs.

        Raises:
            LivecamError: CONFLICT if another service records into the folder.
        """
        recording = self._config.recording
        warning, critical, full = recording.free_levels
        self._recorders = recorders
        self.guard = DiskGuard(
            Disk(recording.path, self._marker),
            recorders,
            self._bus,
            self._clock,
            min_free_bytes=full,
            critical_free_bytes=critical,
            warning_free_bytes=warning,
            load=self.archive.load,
        )
        await self.archive.start()
        stack.push_async_callback(self._within, self.archive.stop, "the recordings")
        self._evidence.start()
        stack.push_async_callback(self._within, self._evidence.stop, "the manifests")
        self._bus.subscribe(SegmentRedated, self._redated)
        await self._start_index(stack)
        stack.push_async_callback(self._within, self.ledger.stop, "the ledger")
        reading = asyncio.create_task(self.ledger.start(), name="read the ledger")
        stack.push_async_callback(end_task, reading)
        # Usually done at once. A lost index takes longer to read; a disk that does not answer is given up before.
        await asyncio.wait([reading], timeout=_LEDGER_PATIENCE_S)
        await self.time.start()
        stack.push_async_callback(self.time.stop)
        await self.triggers.start(recorders, self.ledger, self.index, stack)
        await self._chronicle.start(lambda camera_id: self._recorders[camera_id].status())
        stack.push_async_callback(self._chronicle.stop)
        for camera_id in self._cameras:
            streams.hub(camera_id).attach(self._chronicle.sink(camera_id))
        # After the index and the ledger: both know the file when somebody hears of it.
        self._bus.subscribe(SegmentFinished, lambda event: self._evidence.add(event.segment))
        await self.guard.start()
        stack.push_async_callback(self.guard.stop)

    async def keep(self, stack: AsyncExitStack, encoder: Encoder) -> "PastPorts":
        """Begins to look after what was recorded, while the cameras already run; returns what the web asks."""
        recording = self._config.recording
        await self.janitor.start()
        stack.push_async_callback(self._within, self.janitor.stop, "a deletion")
        if recording.archive_minutes:
            self._merger = Merger(
                recording.path,
                self.index,
                self._clock,
                list(self._cameras),
                minutes=recording.archive_minutes,
                segment_s=recording.segment_seconds,
                floor_bytes=recording.free_levels[0],
                on_merged=self._merged,
            )
            stack.push_async_callback(self._within, self._merger.stop, "a merged file")
        reconciling = asyncio.create_task(self._reconcile(), name="reconcile index and archive")
        stack.push_async_callback(end_task, reconciling)
        self._titles.update({camera.id: camera.title for camera in self._cameras.values()})
        signer = Signer(recording.path, self._config.data_dir, self._evidence, self._clock)
        exports = ExportDesk(
            ExportMaker(self._footage, self._titles, self.past, encoder),
            ExportStore(recording.path),
            self._clock,
            floor_bytes=recording.free_levels[2],
            on_done=signer.sign,
        )
        self._exports = exports
        opening = asyncio.create_task(self._open(exports), name="earlier exports")
        stack.push_async_callback(exports.stop)
        stack.push_async_callback(end_task, opening)
        stack.push_async_callback(self._pictures.stop)
        from livecam_nvr.web.past_ports import PastPorts  # noqa: PLC0415 - see app.service

        return PastPorts(
            ledger=self.ledger,
            past=self.past,
            footage=self._footage,
            pictures=self._pictures,
            retention=self.janitor,
            exports=exports,
            events=self.triggers.events,
            clips=self.triggers.clips,
        )

    async def admit(self, camera: Camera, hub: MemoryHub, recorder: Recorder) -> None:
        """A camera more: it is recorded as its settings say, and everything about that is told."""

        def begin() -> RecordingStatus:
            self.guard.welcome(recorder)
            self.triggers.admit(camera, recorder)
            return recorder.status()

        self._cameras[camera.id] = camera
        hub.attach(await self._chronicle.begin(camera.id, begin))

    def dismiss(self, camera_id: str) -> None:
        """A camera less, whose recorder has stopped. What was recorded of it stays."""
        self.triggers.dismiss(camera_id)
        self._chronicle.remove(camera_id)
        del self._cameras[camera_id]

    def configure(self, config: Config) -> None:
        """Takes over what `config` says of the same cameras, of lengths, limits and space."""
        recording = config.recording
        warning, critical, full = recording.free_levels
        self._cameras = {camera.id: camera for camera in config.cameras if camera.id in self._cameras}
        self.triggers.configure(config)
        self.time.watch(self._cameras)
        self.janitor.configure(Settings.of(recording, config.cameras))
        self.guard.configure(min_free_bytes=full, critical_free_bytes=critical, warning_free_bytes=warning)
        if self._merger is not None:
            self._merger.configure(list(self._cameras), segment_s=recording.segment_seconds, floor_bytes=warning)
        if self._exports is not None:
            self._exports.configure(floor_bytes=full)
        self._titles.clear()
        self._titles.update({camera.id: camera.title for camera in self._cameras.values()})

    async def _open(self, exports: ExportDesk) -> None:
        # They lie in the archive: a disk that hangs must not keep the service from starting, nor from ending.
        await self.guard.until_usable()
        await exports.start()

    async def _start_index(self, stack: AsyncExitStack) -> None:
        self._bus.subscribe(SegmentFinished, lambda event: self.index.add(event.segment))
        try:
            await self.index.start()
        except LivecamError as error:
            _log.error("%s; %s", error.message, error.hint)
            return
        self._has_index = True
        stack.push_async_callback(self._within, self.index.stop, "the index")

    async def _reconcile(self) -> None:
        """Once at the start, and again each time the disk is back: what it could not finish is repaired then."""
        while True:
            await self.guard.until_usable()
            # Before the index is compared: what lies there twice would be in it twice.
            await self._tidy_merged()
            if self._has_index:
                await self._reconcile_once()
            if not self._whole:
                await self._end_events()
                await self.time.begin_redating()
                await self._catch_up()
                self._whole = self._has_index
                if self._merger is not None and self._has_index:
                    await self._merger.start()
            await self.guard.until_unusable()

    async def _tidy_merged(self) -> None:
        try:
            removed = await asyncio.to_thread(leftovers, self._config.recording.path, self._clock.utc_ns())
        except OSError as error:
            _log.warning("files that were merged cannot be removed yet: %s", error)
        else:
            if removed:
                _log.info("archive: %d files that had been merged into others were removed", len(removed))

    async def _reconcile_once(self) -> None:
        try:
            report = await self.index.reconcile()
        except LivecamError as error:
            _log.error("the index could not be compared with the archive: %s; %s", error.message, error.hint)
        else:
            if report.in_words:
                _log.info("archive: of %d files looked at, %s", report.files, report.in_words)

    async def _end_events(self) -> None:
        try:
            await self.triggers.events.end_those_cut_off()
        except LivecamError as error:
            _log.warning("events that a killed service left open stay so: %s", error.message)

    async def _catch_up(self) -> None:
        now = self._clock.utc_ns()
        found: list[Segment] = []
        try:
            for camera_id in tuple(self._cameras):
                found += await self.index.between(camera_id, now - _CATCH_UP_NS, now, _MOST_CAUGHT_UP)
        except LivecamError as error:
            _log.warning("the manifests may lack what was recorded last: %s", error.message)
        self._evidence.catch_up(found)

    def _may_delete(self) -> bool:
        """Once all is known; in need of room without that: what is known of an archive that is being indexed."""
        urgent = self.guard.status.level in (DiskLevel.CRITICAL, DiskLevel.FULL)
        return self._has_index and (urgent or (self._whole and self.time.settled))

    def _redated(self, event: SegmentRedated) -> None:
        self._evidence.add(event.segment, "redated", [event.was_path])

    def _merged(self, merged: Segment, of: Sequence[Segment]) -> None:
        self._evidence.add(merged, "merged", [segment.path for segment in of])

    def _is_there(self) -> bool:
        try:
            return self._marker.look()
        except (LivecamError, OSError):
            return False


async def end_task(task: asyncio.Task[Any]) -> None:
    """Cancels it and waits until it is over; what comes of it does not matter any more."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
