"""The folder of finished exports: each an MP4 and, beside it, a small JSON file that tells of it. Blocks.

`.livecam-nvr/exports/` in the archive's root. What is being made has another ending (`.part`), so after a killed
service it is known what is whole: an MP4 whose JSON file is there. The JSON file is written last.
"""

import json
import logging
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from livecam_nvr.core.exports import (
    ExportGap,
    ExportReport,
    ExportRequest,
    ExportState,
    ExportStatus,
    UsedFile,
)
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS

_log = logging.getLogger(__name__)

_VERSION = 1
_FOLDER = Path(".livecam-nvr", "exports")
_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)


class ExportStore:
    """What was made for the archive in `root`.

    Args:
        root: The archive; is not made: where it is missing, its disk is.
        keep_s: So long each is kept.
        most: So many are kept.
        most_bytes: And so much; the newest is kept even if it is larger.
    """

    def __init__(self, root: Path, *, keep_s: float = 86_400, most: int = 50, most_bytes: int = 20 << 30) -> None:
        self.folder = root / _FOLDER
        self._root = root
        self._keep_ns = round(keep_s * NS)
        self._most = most
        self._most_bytes = most_bytes

    def path(self, export_id: str) -> Path:
        """Where the file of a finished one is."""
        return self.folder / f"{export_id}.mp4"

    def part(self, export_id: str) -> Path:
        """Where it is while it is made; a new one each time."""
        return self.folder / f"{export_id}.part"

    def prepare(self) -> None:
        """Makes the folder.

        Raises:
            LivecamError: DISK if the archive is not there, or the folder cannot be made.
        """
        try:
            if not self._root.is_dir():
                raise LivecamError(
                    ErrorKind.DISK, f"the recordings folder {self._root} is not there", "is its disk mounted?"
                )
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LivecamError(
                ErrorKind.DISK, f"the folder for exports cannot be made: {error}", "see the recordings' disk"
            ) from error

    def keep(self, status: ExportStatus) -> None:
        """Makes a finished part the file, and tells of it. Raises OSError if the disk refuses."""
        self.part(status.id).rename(self.path(status.id))
        text = json.dumps({"livecam_nvr_export": _VERSION, **asdict(status)}, indent=1, ensure_ascii=False)
        temporary = self.folder / f"{status.id}.json.part"
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(self._json(status.id))
        _sync(self.folder)

    def delete(self, export_id: str) -> None:
        """Deletes all there is of one. Raises OSError if the disk refuses."""
        # The JSON file first: without it the other one is rubbish that the next start removes.
        self._json(export_id).unlink(missing_ok=True)
        for path in self.folder.glob(f"{export_id}.*"):
            path.unlink(missing_ok=True)

    def load(self) -> list[ExportStatus]:
        """The finished ones; removes what an earlier run of the service left unfinished."""
        found: dict[str, ExportStatus] = {}
        try:
            names = sorted(path.name for path in self.folder.iterdir())
        except OSError:
            return []
        for name in names:
            export_id, _, ending = name.partition(".")
            if ending == "json" and f"{export_id}.mp4" in names and _ID.fullmatch(export_id):
                status = self._read(self.folder / name)
                if status is not None and status.id == export_id:
                    found[export_id] = status
        for name in names:
            export_id, _, ending = name.partition(".")
            if _ID.fullmatch(export_id) and (export_id not in found or ending not in ("json", "mp4")):
                try:
                    (self.folder / name).unlink(missing_ok=True)
                except OSError as error:
                    _log.warning("what is left of an export cannot be deleted: %s", error)
        return sorted(found.values(), key=lambda status: status.created_utc_ns)

    def too_many(self, finished: list[ExportStatus], now_utc_ns: int) -> list[ExportStatus]:
        """Those of the finished ones (oldest first) that are not kept any longer. Does not look at the disk."""
        gone: list[ExportStatus] = []
        sizes = 0
        for number, status in enumerate(reversed(finished)):
            sizes += status.report.bytes if status.report else 0
            old = now_utc_ns - (status.finished_utc_ns or status.created_utc_ns) > self._keep_ns
            if old or number >= self._most or (number and sizes > self._most_bytes):
                gone.append(status)
        return gone

    def _json(self, export_id: str) -> Path:
        return self.folder / f"{export_id}.json"

    def _read(self, path: Path) -> ExportStatus | None:
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return _status(values) if values.pop("livecam_nvr_export") == _VERSION else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning("%s cannot be read; the export is removed: %s", path.name, error)
            return None


def _status(values: dict[str, Any]) -> ExportStatus:
    report = values.pop("report")
    request = _request(values.pop("request"))
    state = ExportState(values.pop("state"))
    if state is not ExportState.DONE or not report:
        raise ValueError("it was not done")
    segments = tuple(UsedFile(**one) for one in report.pop("segments"))
    gaps = tuple(ExportGap(**one) for one in report.pop("gaps"))
    notes = tuple(report.pop("notes"))
    own = _request(report.pop("request"))
    whole = ExportReport(request=own, segments=segments, gaps=gaps, notes=notes, **report)
    return ExportStatus(request=request, state=state, report=whole, **values)


def _request(values: dict[str, Any]) -> ExportRequest:
    return ExportRequest(cameras=tuple(values.pop("cameras")), **values)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
