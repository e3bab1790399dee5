"""A recorded segment, and how its file is named."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

from livecam_nvr.domain.media import EndCause

NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of the archive."""

    camera_id: str
    path: str
    """Relative to the archive's root, with forward slashes: `cam0/261121/cam0_20261121_093000.mp4`."""
    start_utc_ns: int
    duration_ns: int
    """By the camera's own clock."""
    utc_offset_s: int
    """Local time minus UTC when it began; the file's name is in local time."""
    frames: int
    bytes: int
    run_id: int
    """Random, one per run of the camera's ffmpeg: segments of one run share their clock."""
    sequence: int
    """0, 1, 2 … within the run: two that follow each other have nothing missing between them if the first
    ended by CLOCK."""
    cause: EndCause
    codec: str
    width: int
    height: int
    merged: int = 1
    """How many segments of the run it holds: more than one in an archive that was merged from them."""
    unsynced: bool = False
    """It began before the machine's clock was first synchronised, so its time may be wrong."""
    shift_ns: int = 0
    """How far its time was moved when the clock was synchronised; already in `start_utc_ns`."""

    @property
    def end_utc_ns(self) -> int:
        """UTC at which its last frame ends."""
        return self.start_utc_ns + self.duration_ns


def segment_path(camera_id: str, start_utc_ns: int, utc_offset_s: int, attempt: int = 0) -> PurePosixPath:
    """`cam0/YYMMDD/cam0_YYYYMMDD_HHMMSS.mp4` in local time; `attempt` > 0 adds `-1`, `-2` … where taken."""
    local = datetime.fromtimestamp(start_utc_ns // NS, UTC) + timedelta(seconds=utc_offset_s)
    suffix = f"-{attempt}" if attempt else ""
    return PurePosixPath(camera_id, f"{local:%y%m%d}", f"{camera_id}_{local:%Y%m%d_%H%M%S}{suffix}.mp4")
