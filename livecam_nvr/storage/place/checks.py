"""What `doctor` asks of storage (core.ports.SelfCheck): the right disk, space, permission, a clock for names."""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from livecam_nvr.core.ports import Check
from livecam_nvr.domain.disk import FreeLevels, assessed, space_level
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import DiskLevel, DiskStatus, DiskTrouble
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.storage.place.disk import Disk
from livecam_nvr.storage.place.marker import Marker, existing

_SLACK_S = 86_400


class StorageCheck:
    """Looks at the recordings' disk, the folders that are written to, and the clock; changes nothing.

    Args:
        root: The archive.
        data_dir: Where index and switches lie.
        clock: The clock that names the files.
        min_free_bytes: With less free space recording pauses.
        warning_free_bytes: With less free space there is a warning; 0: none.
    """

    def __init__(
        self, root: Path, data_dir: Path, clock: Clock, min_free_bytes: int, warning_free_bytes: int = 0
    ) -> None:
        self._root = root
        self._data_dir = data_dir
        self._clock = clock
        self._levels = FreeLevels(min_free_bytes, warning=warning_free_bytes)

    async def check(self) -> Sequence[Check]:
        """See core.ports.SelfCheck."""
        try:
            found = await Disk(self._root, Marker(self._root, self._data_dir)).probe()
        except LivecamError as error:
            # Whoever asks a disk that does not answer anything else waits for ever.
            return [Check("disk", ok=False, found=error.message, mend=error.hint)]
        return [self._disk(found), *await asyncio.to_thread(self._folders_and_clock, found)]

    def _disk(self, found: DiskStatus) -> Check:
        level = DiskLevel.OK
        if found.trouble is DiskTrouble.NONE:
            level = space_level(found.free_bytes, self._levels, DiskLevel.OK)
        seen = assessed(found, level, self._levels)
        text = f"{found.free_bytes / 1e9:.1f} GB of {found.total_bytes / 1e9:.1f} GB free"
        if not seen.problem:
            return Check("disk", ok=True, found=text)
        return Check("disk", ok=False, found=seen.reason, mend=seen.hint)

    def _folders_and_clock(self, found: DiskStatus) -> list[Check]:
        data = _writable("data folder", self._data_dir)
        if found.trouble is DiskTrouble.MISSING:
            return [data, self._time()]
        return [_writable("recordings folder", self._root), data, self._time()]

    def _time(self) -> Check:
        now_s = self._clock.utc_ns() / NS
        text = f"{datetime.fromtimestamp(now_s, UTC):%Y-%m-%d %H:%M:%S} UTC"
        # A machine without a battery for its clock starts in the past until it has reached a time server. Neither
        # this program nor what it has recorded can be younger than now.
        newest_s = max(path.stat().st_mtime for path in (Path(__file__), existing(self._root)))
        if now_s >= newest_s - _SLACK_S:
            return Check("clock", ok=True, found=text)
        return Check(
            "clock",
            ok=False,
            found=f"{text}, but there are files of {datetime.fromtimestamp(newest_s, UTC):%Y-%m-%d}",
            mend="set the clock (timedatectl set-ntp true): recordings are named by it",
        )


def _writable(name: str, folder: Path) -> Check:
    place = existing(folder)
    if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
        return Check(name, ok=True, found=str(folder) if place == folder.absolute() else f"{folder} (to be made)")
    found = f"{place} is not a folder that this user may write to"
    return Check(name, ok=False, found=found, mend=f"give this user the right to write to {place}")
