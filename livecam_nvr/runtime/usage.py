"""What the service costs: processor time and memory of itself and its children, from /proc."""

import asyncio
import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from livecam_nvr.domain.status import ProcessStatus

_EVERY_S = 5.0
_PROC = Path("/proc")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Running:
    """One process, as /proc/PID/stat tells it (proc_pid_stat(5))."""

    parent: int
    started_ticks: int
    """Since the machine's start: with the pid, it names a process for good."""
    cpu_s: float
    """In user and kernel mode, without what its children took."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A family of processes at one moment."""

    at_s: float
    """Monotonic."""
    cpu_s: Mapping[tuple[int, int], float]
    """Of each process, by pid and start."""
    memory_bytes: int


def parse_stat(text: str) -> Running:
    """Reads a line of /proc/PID/stat. The name in it may hold blanks and brackets.

    Raises:
        ValueError, IndexError: It is none.
    """
    fields = text.rpartition(")")[2].split()
    return Running(int(fields[1]), int(fields[19]), (int(fields[11]) + int(fields[12])) / _TICKS_PER_S)


def family(processes: Mapping[int, Running], root: int) -> dict[int, Running]:
    """`root` and everything below it."""
    children: dict[int, list[int]] = {}
    for pid, process in processes.items():
        children.setdefault(process.parent, []).append(pid)
    found: dict[int, Running] = {}
    waiting = [root] if root in processes else []
    while waiting:
        pid = waiting.pop()
        if pid not in found:  # processes that came and went between two reads could make a circle
            found[pid] = processes[pid]
            waiting += children.get(pid, [])
    return found


def usage(before: Sample | None, now: Sample) -> ProcessStatus:
    """What was used between two samples.

    A process that has begun since counts from its beginning, one that has ended not at all.
    """
    percent = None
    if before is not None and now.at_s > before.at_s:
        used_s = sum(max(0.0, cpu_s - before.cpu_s.get(who, 0.0)) for who, cpu_s in now.cpu_s.items())
        percent = round(100 * used_s / (now.at_s - before.at_s), 1)
    return ProcessStatus(percent, now.memory_bytes, len(now.cpu_s))


def sample(root: int, proc: Path = _PROC) -> Sample:
    """Looks at `root` and its children. Reads some hundred small files: for a thread."""
    processes: dict[int, Running] = {}
    for folder in proc.iterdir():
        if folder.name.isdigit():
            # What has just ended cannot be read.
            with contextlib.suppress(OSError, ValueError, IndexError):
                processes[int(folder.name)] = parse_stat((folder / "stat").read_text(errors="replace"))
    found = family(processes, root)
    cpu_s = {(pid, process.started_ticks): process.cpu_s for pid, process in found.items()}
    return Sample(time.monotonic(), cpu_s, sum(_memory_bytes(proc / str(pid)) for pid in found))


def _memory_bytes(folder: Path) -> int:
    """The proportional set size: what several processes share (ffmpeg's libraries) counts once.

    Where that may not be read, what is resident.
    """
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in (folder / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int((folder / "statm").read_text().split()[1]) * _PAGE_BYTES
    return 0


class UsageMeter:
    """Looks every few seconds; `stop` is idempotent."""

    def __init__(self, every_s: float = _EVERY_S) -> None:
        self._every_s = every_s
        self._status = ProcessStatus()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to look, in the background."""
        self._task = asyncio.create_task(self._run(), name="usage meter")

    async def stop(self) -> None:
        """Ends it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def status(self) -> ProcessStatus:
        """The newest figures."""
        return self._status

    async def _run(self) -> None:
        before: Sample | None = None
        while True:
            with contextlib.suppress(OSError):  # without a readable /proc, there are no figures
                now = await asyncio.to_thread(sample, os.getpid())
                self._status, before = usage(before, now), now
            await asyncio.sleep(self._every_s)
