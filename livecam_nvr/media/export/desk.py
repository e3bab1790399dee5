"""Takes orders for exports, carries out two at a time, keeps what was made for a day (core.exports.Exports)."""

import asyncio
import logging
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from secrets import token_hex

from livecam_nvr.core.exports import ExportReport, ExportRequest, ExportState, ExportStatus, no_such_export
from livecam_nvr.core.past import Piece
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media.export.maker import ExportMaker, file_name
from livecam_nvr.media.export.store import ExportStore
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

_AT_ONCE = 2
_MOST_WAITING = 16
_MOST_UNFINISHED = 50  # failed and cancelled ones that are still told of
_LOOK_EVERY_S = 600.0
_OVER = (ExportState.DONE, ExportState.FAILED, ExportState.CANCELLED)


class ExportDesk:
    """See core.exports.Exports.

    Args:
        maker: Makes the files.
        store: Keeps them.
        clock: The time.
        floor_bytes: An export is refused that would leave the disk with less free space.
        on_done: Called with the id, what is in the file, and where that is now, before it is told of as done: may
            append a signature to it. If that fails, it is logged, and the export is done all the same.
    """

    def __init__(
        self,
        maker: ExportMaker,
        store: ExportStore,
        clock: Clock,
        *,
        floor_bytes: int = 0,
        on_done: Callable[[str, ExportReport, Path], Awaitable[None]] | None = None,
    ) -> None:
        self._maker = maker
        self._store = store
        self._clock = clock
        self._floor_bytes = floor_bytes
        self._on_done = on_done
        self._all: dict[str, ExportStatus] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._reserved: dict[str, int] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._tidying: asyncio.Task[None] | None = None
        self._stopping = False

    def configure(self, *, floor_bytes: int) -> None:
        """So much free space is left from now on."""
        self._floor_bytes = floor_bytes

    async def start(self) -> None:
        """Finds what was made before, removes what was left unfinished."""
        for status in await asyncio.to_thread(self._store.load):
            self._all[status.id] = status
        self._tidying = asyncio.create_task(self._tidy(), name="old exports")

    async def stop(self) -> None:
        """Gives up what waits or runs; idempotent."""
        self._stopping = True
        tasks = [*self._tasks.values(), *([self._tidying] if self._tidying else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def submit(self, request: ExportRequest, by: str) -> ExportStatus:
        """See core.exports.Exports."""
        self._maker.check(request)
        if request.begin_utc_ns >= self._clock.utc_ns():
            raise LivecamError(ErrorKind.INVALID, "the time lies in the future", "only the past has been recorded")
        if self._stopping:
            raise LivecamError(ErrorKind.UNAVAILABLE, "the service is stopping")
        if len(self._tasks) >= _AT_ONCE + _MOST_WAITING:
            raise LivecamError(
                ErrorKind.CONFLICT,
                f"{len(self._tasks)} exports are waiting already",
                "try again when some are done",
            )
        name = file_name(request)
        status = ExportStatus(
            token_hex(8), request, ExportState.QUEUED, self._clock.utc_ns(), words="waiting", name=name
        )
        self._all[status.id] = status
        _log.info("export %s: %s for %s", status.id, name, by)
        task = asyncio.create_task(self._run(status.id), name=f"export {status.id}")
        self._tasks[status.id] = task
        task.add_done_callback(lambda _task: self._tasks.pop(status.id, None))
        return status

    def exports(self) -> Sequence[ExportStatus]:
        """See core.exports.Exports."""
        return sorted(self._all.values(), key=lambda status: status.created_utc_ns, reverse=True)

    def export(self, export_id: str) -> ExportStatus:
        """See core.exports.Exports."""
        try:
            return self._all[export_id]
        except KeyError:
            raise no_such_export() from None

    async def remove(self, export_id: str, by: str) -> ExportStatus:
        """See core.exports.Exports."""
        status = self.export(export_id)
        if status.state in _OVER:
            await self._delete(status)
            _log.info("export %s was deleted by %s", export_id, by)
            return status
        task = self._tasks.get(export_id)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
            # One that never began to run has not said so by itself.
            if self._all[export_id].state not in _OVER:
                self._change(export_id, state=ExportState.CANCELLED, words="given up")
        _log.info("export %s was given up by %s", export_id, by)
        return self._all[export_id]

    def file(self, export_id: str) -> Path:
        """See core.exports.Exports."""
        status = self.export(export_id)
        if status.state is not ExportState.DONE:
            raise LivecamError(
                ErrorKind.CONFLICT, f"the export is not done: {status.state.value}", "ask for its state first"
            )
        return self._store.path(export_id)

    async def _run(self, export_id: str) -> None:
        try:
            async with self._turns:
                self._change(export_id, state=ExportState.RUNNING, words="looking for the footage")
                report = await self._make(export_id)
                report = await self._told(export_id, report)
                done = replace(
                    self._all[export_id],
                    state=ExportState.DONE,
                    progress=1.0,
                    words="",
                    report=report,
                    finished_utc_ns=self._clock.utc_ns(),
                )
                await self._keep(done)
                self._all[export_id] = done
                _log.info("export %s: %d pictures, %.1f MB", export_id, report.frames, report.bytes / 1e6)
        except asyncio.CancelledError:
            self._change(export_id, state=ExportState.CANCELLED, words="given up")
            raise
        except LivecamError as error:
            self._fail(export_id, f"{error.message}; {error.hint}" if error.hint else error.message)
        except OSError as error:
            self._fail(export_id, f"the disk refuses: {error.strerror or error}")
        except Exception:
            _log.exception("export %s failed in an unforeseen way", export_id)
            self._fail(export_id, "it failed in an unforeseen way; the service's log says more")
        finally:
            self._reserved.pop(export_id, None)
            if self._all[export_id].state is not ExportState.DONE:
                await asyncio.shield(asyncio.to_thread(self._forget, export_id))
            await self._drop(self._too_many())

    async def _make(self, export_id: str) -> ExportReport:
        request = self._all[export_id].request
        part = self._store.part(export_id)
        await asyncio.to_thread(self._store.prepare)

        def tell(share: float, words: str) -> None:
            self._change(export_id, progress=min(0.999, share), words=words)

        for again in (False, True):
            found = await self._maker.find(request)
            await self._demand_space(export_id, found)
            try:
                return await self._maker.make(request, found, part, tell)
            except LivecamError as error:
                # Files that were merged into one meanwhile are found again in that.
                if again or error.kind is not ErrorKind.NOT_FOUND:
                    raise
                await asyncio.to_thread(part.unlink, missing_ok=True)
        raise RuntimeError("the second attempt either returns or raises")

    async def _demand_space(self, export_id: str, found: Mapping[str, Sequence[Piece]]) -> None:
        """Refuses an export for which there is no room; its media lie there twice for a moment."""
        media = sum(part.end - part.begin for pieces in found.values() for piece in pieces for part in piece.parts)
        needed = 2 * media
        free = (await asyncio.to_thread(shutil.disk_usage, self._store.folder)).free
        others = sum(size for other, size in self._reserved.items() if other != export_id)
        if free - others - needed < self._floor_bytes:
            raise LivecamError(
                ErrorKind.DISK,
                f"the disk has no room for it: {needed / 1e6:.0f} MB are needed, and "
                f"{max(0, free - others - self._floor_bytes) / 1e6:.0f} MB are left above what recording needs",
                "export a shorter time, or delete exports that nobody needs any more",
            )
        self._reserved[export_id] = needed

    async def _keep(self, done: ExportStatus) -> None:
        keeping = asyncio.create_task(asyncio.to_thread(self._store.keep, done), name="keep an export")
        try:
            await asyncio.shield(keeping)
        except asyncio.CancelledError:
            # Its thread goes on: only when it is through can its files be deleted for good.
            await asyncio.wait([keeping])
            raise

    async def _told(self, export_id: str, report: ExportReport) -> ExportReport:
        if self._on_done is None:
            return report
        part = self._store.part(export_id)
        try:
            await self._on_done(export_id, report, part)
        except Exception:
            _log.exception("export %s: whoever is told of it has failed", export_id)
        # A signature makes the file longer.
        return replace(report, bytes=(await asyncio.to_thread(part.stat)).st_size)

    def _change(self, export_id: str, **what: object) -> None:
        self._all[export_id] = replace(self._all[export_id], **what)  # type: ignore[arg-type]

    def _fail(self, export_id: str, words: str) -> None:
        _log.warning("export %s failed: %s", export_id, words)
        self._change(export_id, state=ExportState.FAILED, words=words, finished_utc_ns=self._clock.utc_ns())

    def _forget(self, export_id: str) -> None:
        try:
            self._store.delete(export_id)
        except OSError as error:
            _log.warning("what is left of export %s cannot be deleted: %s", export_id, error)

    async def _tidy(self) -> None:
        while True:
            await self._drop(self._too_many())
            await asyncio.sleep(_LOOK_EVERY_S)

    def _too_many(self) -> list[ExportStatus]:
        over = sorted((s for s in self._all.values() if s.state in _OVER), key=lambda s: s.created_utc_ns)
        done = [status for status in over if status.state is ExportState.DONE]
        others = [status for status in over if status.state is not ExportState.DONE]
        old = self._store.too_many(others, self._clock.utc_ns())
        return self._store.too_many(done, self._clock.utc_ns()) + old + others[:-_MOST_UNFINISHED]

    async def _drop(self, gone: Sequence[ExportStatus]) -> None:
        for status in gone:
            try:
                await self._delete(status)
            except LivecamError as error:
                _log.warning("%s", error.message)

    async def _delete(self, status: ExportStatus) -> None:
        try:
            await asyncio.to_thread(self._store.delete, status.id)
        except OSError as error:
            raise LivecamError(
                ErrorKind.DISK, f"the export cannot be deleted: {error.strerror or error}", "see the disk"
            ) from error
        self._all.pop(status.id, None)
