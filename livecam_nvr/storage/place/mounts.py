"""Which file system a folder lies on, and whether one should be mounted there that is not."""

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

MOUNTINFO = Path("/proc/self/mountinfo")
FSTAB = Path("/etc/fstab")
UNITS = Path("/etc/systemd/system")

# Folders below these are made by whoever mounts something there (FHS 3.0, sections 3.11 and 3.12; udisks).
_FOR_MOUNTS = ((Path("/mnt"), 1), (Path("/media"), 2), (Path("/run/media"), 2))
_OCTAL = re.compile(r"\\([0-7]{3})")


class Mounts:
    """What is mounted, and what the machine's own settings say should be.

    Args:
        mountinfo: As in proc_pid_mountinfo(5).
        fstab: As in fstab(5).
        units: Folder of systemd.mount(5) units. Only the administrator's: distributions ship some that nobody
            mounts.
    """

    def __init__(self, mountinfo: Path = MOUNTINFO, fstab: Path = FSTAB, units: Path = UNITS) -> None:
        self._mountinfo = mountinfo
        self._fstab = fstab
        self._units = units

    def point_of(self, folder: Path) -> Path:
        """The mount point of the file system that `folder` (which exists) lies on."""
        real = folder.resolve()
        mounted = self._mounted()
        return next((place for place in (real, *real.parents) if place in mounted), Path("/"))

    def lacking(self, folder: Path) -> Path | None:
        """The mount point at or above `folder` where nothing is mounted though it should be; None if all is well.

        A folder in a place that is meant for mounts, and that nobody has made, counts too.
        """
        places = {folder, folder.resolve()}
        above = {place for start in places for place in (start, *start.parents)} - {Path("/")}
        mounted = self._mounted()
        listed = [place for place in (*self._of_fstab(), *self._of_units()) if place in above - mounted]
        if listed:
            return max(listed, key=lambda place: len(place.parts))
        return next((place for start in places if (place := _unmade(start, mounted))), None)

    def _mounted(self) -> set[Path]:
        return {Path(_plain(fields[4])) for fields in _fields(self._mountinfo) if len(fields) > 4}  # noqa: PLR2004 - see the manual page

    def _of_fstab(self) -> Sequence[Path]:
        lines = (fields for fields in _fields(self._fstab) if len(fields) > 1 and not fields[0].startswith("#"))
        return [Path(_plain(fields[1])) for fields in lines if fields[1].startswith("/")]

    def _of_units(self) -> Iterator[Path]:
        try:
            units = sorted(self._units.glob("*.mount"))
        except OSError:
            return
        for unit in units:
            for fields in _fields(unit):
                key, _, value = " ".join(fields).partition("=")
                if key.strip() == "Where" and value.strip().startswith("/"):
                    yield Path(value.strip())


def _unmade(folder: Path, mounted: set[Path]) -> Path | None:
    """The folder above `folder` that mounting would have made, and that is not there."""
    for base, depth in _FOR_MOUNTS:
        if base in folder.parents:
            way = [place for place in (*reversed(folder.parents), folder) if base in place.parents][:depth]
            if any(place in mounted for place in (base, *way)):
                return None
            if not os.path.lexists(way[-1]):
                return way[-1]
    return None


def _fields(path: Path) -> Iterator[list[str]]:
    # What cannot be read demands nothing: a machine without fstab or systemd is none the worse for it.
    with contextlib.suppress(OSError):
        for line in path.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
            yield line.split()


def _plain(field: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), field)
