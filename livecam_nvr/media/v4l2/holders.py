"""Tells which program has a device open, as far as this user may see that. Blocks: for threads only."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePath

from livecam_nvr.domain.redact import redact

_LONGEST = 60
OURS = "another camera of this service"


def holders(path: Path) -> list[str]:
    """The other programs that have the device open, such as `motion (pid 812)`; see proc(5)."""
    try:
        wanted = path.stat()
    except OSError:
        return []
    return [_named(pid) for pid in _pids() if pid != os.getpid() and _holds(pid, wanted)]


def _named(pid: int) -> str:
    """A child of this process feeds another camera, one that has the same device."""
    try:
        parent = int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        parent = 0
    return f"{OURS} (pid {pid})" if parent == os.getpid() else f"{_name(pid)} (pid {pid})"


def _pids() -> Iterator[int]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            yield int(folder.name)


def _holds(pid: int, wanted: os.stat_result) -> bool:
    try:
        links = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # somebody else's, or gone
        return False
    return any(_same(link, wanted) for link in links)


def _same(link: Path, wanted: os.stat_result) -> bool:
    try:
        # Only what is called so is looked at: a `stat` of a file on a dead network disk would hang.
        if not link.readlink().name.startswith("video"):
            return False
        found = link.stat()
    except OSError:
        return False
    return stat.S_ISCHR(found.st_mode) and found.st_rdev == wanted.st_rdev


def _name(pid: int) -> str:
    """The program, and the script if it runs one; no options: they may hold what nobody should see."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        words = []
    script = [word for word in words[1:2] if word.endswith((".py", ".sh", ".pl", ".js"))]
    return redact(" ".join(PurePath(word).name for word in [*words[:1], *script]))[:_LONGEST] or "a program"
