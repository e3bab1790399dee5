"""Names the processes that hold cameras open, from /proc (proc(5)); others' are seen by root only."""

import os
from collections.abc import Iterator
from pathlib import Path

_DEVICES = ("/dev/media", "/dev/video")


def holders(devices: tuple[str, ...] = _DEVICES) -> list[str]:
    """Who has a file open whose path begins so, as `name (pid)`. Reads much of /proc: call it in a thread.

    The service's own children only count if there is nobody else: another camera of ours has devices open, too.
    """
    others: list[str] = []
    ours: list[str] = []
    for process in _processes():
        pid = int(process.name)
        if not _holds(process, devices):
            continue
        name = _read(process / "comm").strip() or "a process"
        if os.getpid() in (pid, _parent(process)):
            ours.append(f"this service (pid {pid})")
        else:
            others.append(f"{name} (pid {pid})")
    return others or ours


def _processes() -> Iterator[Path]:
    return (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _holds(process: Path, devices: tuple[str, ...]) -> bool:
    try:
        links = list((process / "fd").iterdir())
    except OSError:
        return False
    for link in links:
        try:
            if str(link.readlink()).startswith(devices):
                return True
        except OSError:
            continue
    return False


def _parent(process: Path) -> int:
    _, _, behind_name = _read(process / "stat").rpartition(")")
    fields = behind_name.split()
    return int(fields[1]) if len(fields) > 1 else 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
