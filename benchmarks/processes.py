"""CPU time and proportional memory of process trees, from /proc (proc(5))."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """What a set of processes has used."""

    cpu_s: float
    pss_mb: float


def tree(pid: int) -> list[int]:
    """`pid` and all its descendants that live."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, at = [pid], 0
    while at < len(found):
        found += children.get(found[at], [])
        at += 1
    return found


def usage(pids: list[int]) -> Usage:
    """CPU seconds (with those of reaped children) and proportional set size of `pids` together."""
    cpu = pss = 0.0
    for pid in pids:
        fields = _stat(pid)
        if fields:
            cpu += sum(int(value) for value in fields[11:15]) / _TICK
            pss += _pss_mb(pid)
    return Usage(cpu, pss)


def _stat(pid: int) -> list[str]:
    """The fields behind the command's name: state is 0, parent 1, utime, stime, cutime, cstime 11 to 14."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()
    except OSError:
        return []


def _pss_mb(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    except OSError:
        return 0.0
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024
