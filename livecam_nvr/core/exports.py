"""Exports: footage of a time as one ordinary MP4 file. Values, and the port through which they are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from livecam_nvr.domain.coverage import Gap, GapCause
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.gap_words import in_words


class ExportState(StrEnum):
    """How far an export is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What somebody wants."""

    cameras: tuple[str, ...]
    """One, or two side by side."""
    begin_utc_ns: int
    end_utc_ns: int
    exact: bool = False
    """Cut to the picture at both ends, not at keyframes (side by side it always is)."""
    title: str = ""


@dataclass(frozen=True, slots=True)
class ExportGap:
    """A part of the time of which there is no footage."""

    camera_id: str
    begin_utc_ns: int
    end_utc_ns: int
    cause: str = ""
    """A domain.coverage.GapCause, where that is known."""
    words: str = ""

    @property
    def text(self) -> str:
        """The cause, for people; empty where it is not known."""
        if not self.cause:
            return ""
        return in_words(Gap(self.begin_utc_ns, self.end_utc_ns, GapCause(self.cause), self.words))


@dataclass(frozen=True, slots=True)
class UsedFile:
    """A file of the archive that an export was made from."""

    camera_id: str
    path: str
    """Relative to the archive's root."""
    begin_utc_ns: int
    """When the first picture that was taken from it was taken."""
    frames: int


@dataclass(frozen=True, slots=True)
class ExportReport:
    """What is in the file of an export."""

    request: ExportRequest
    begin_utc_ns: int
    """When its first picture was taken: at keyframes that is a little before what was asked for."""
    duration_ns: int
    frames: int
    recoded: int
    """Frames that were encoded anew and not copied."""
    bytes: int
    segments: tuple[UsedFile, ...]
    gaps: tuple[ExportGap, ...]
    notes: tuple[str, ...] = ()
    """What a person should know of it."""


@dataclass(frozen=True, slots=True)
class ExportStatus:
    """An export as it is now."""

    id: str
    request: ExportRequest
    state: ExportState
    created_utc_ns: int
    progress: float = 0.0
    """0 to 1."""
    words: str = ""
    """What is being done, or why it failed."""
    finished_utc_ns: int | None = None
    name: str = ""
    """What its file is called where it is downloaded to."""
    report: ExportReport | None = None
    """Once it is done."""


def no_such_export() -> LivecamError:
    """The error for an export that does not exist, or that whoever asks may not know of."""
    return LivecamError(
        ErrorKind.NOT_FOUND, "there is no such export", "they are kept for a day; /api/exports lists them"
    )


class Exports(Protocol):
    """Takes orders for exports, and keeps what was made for a while."""

    def submit(self, request: ExportRequest, by: str) -> ExportStatus:
        """Takes an order; it is carried out in the background, whatever becomes of who gave it.

        Raises:
            LivecamError: NOT_FOUND for an unknown camera; INVALID for a request that is not right; CONFLICT if
                too many wait; UNAVAILABLE if the service is stopping.
        """

    def exports(self) -> Sequence[ExportStatus]:
        """All there are, newest first."""

    def export(self, export_id: str) -> ExportStatus:
        """One of them. Raises LivecamError NOT_FOUND."""

    async def remove(self, export_id: str, by: str) -> ExportStatus:
        """Gives up one that waits or runs, and deletes the file of one that is done; returns when that is so.

        Raises:
            LivecamError: NOT_FOUND; DISK if the file cannot be deleted.
        """

    def file(self, export_id: str) -> Path:
        """Where the file of a finished export is. Raises LivecamError NOT_FOUND, CONFLICT if it is not done."""
