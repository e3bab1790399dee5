"""What the benchmarks of cameras share: exact CPU time, windows and their medians, the service as a child."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.processes import tree, usage
from livecam_nvr.access.store import AccessStore
from livecam_nvr.domain.access import Role
from tests.support.ports import free_port

_CPUCLOCK_SCHED = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured, and for how long."""

    counts: tuple[int, ...]
    warm_s: float
    windows: int
    window_s: float


FULL = Plan((2, 4, 8, 16, 32), warm_s=9, windows=4, window_s=3)
QUICK = Plan((2, 8), warm_s=4, windows=3, window_s=2)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a tree of processes takes: medians of some windows."""

    core_percent: float
    pss_mb: float


def say(text: str) -> None:
    """Progress."""
    print(text, file=sys.stderr, flush=True)


def cpu_s(pid: int) -> float:
    """CPU seconds that a living process has used, in nanoseconds' steps; 0.0 if it is gone.

    /proc/PID/stat counts in steps of 10 ms, which is too coarse for a process that takes 1 % of a core. Each
    process has a clock of its CPU time (clock_getcpuclockid(3)); this is how Linux numbers it.
    """
    try:
        return time.clock_gettime(~pid << 3 | _CPUCLOCK_SCHED)
    except OSError:
        return 0.0


def measure(pid: int, plan: Plan, *, with_root: bool = True) -> Cost:
    """The cost of `pid` and all below it. Processes that begin or end within a window count as far as known."""
    percents: list[float] = []
    memories: list[float] = []
    begin, began_s = _cpu(pid, with_root=with_root), time.monotonic()
    for _ in range(plan.windows):
        time.sleep(plan.window_s)
        end, ended_s = _cpu(pid, with_root=with_root), time.monotonic()
        used_s = sum(now_s - begin.get(child, 0.0) for child, now_s in end.items())
        percents.append(used_s / (ended_s - began_s) * 100)
        memories.append(usage(list(end)).pss_mb)
        # Reading the memory map costs those who are read, a little: it stays outside of the windows.
        begin, began_s = _cpu(pid, with_root=with_root), time.monotonic()
    return Cost(median(percents), median(memories))


def _cpu(pid: int, *, with_root: bool) -> dict[int, float]:
    return {child: cpu_s(child) for child in tree(pid)[0 if with_root else 1 :]}


@contextlib.contextmanager
def running(argv: Sequence[str], *, log: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is asked to end afterwards, and what it started with it."""
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(log.open("ab")) if log else subprocess.DEVNULL
        # However this process ends, it is told to end then: setpriv(1), prctl(2).
        command = ["setpriv", "--pdeathsig", "TERM", "--", *argv]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        below: list[int] = []
        try:
            yield process
        finally:
            below = tree(process.pid)
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                for child in below[1:]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(child, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class RunningService:
    """`livecam-nvr run`, and how to ask it."""

    process: subprocess.Popen[bytes]
    folder: Path
    ports: dict[str, int]
    token: str
    """Opens all doors."""

    def status(self) -> dict[str, Any]:
        """`/api/status`.

        Raises:
            OSError: It does not answer.
        """
        url = f"http://127.0.0.1:{self.ports['http_port']}/api/status"
        asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(asked, timeout=5) as answer:  # noqa: S310
            return dict(json.loads(answer.read()))

    def url(self, path: str) -> str:
        """An address of its page, with a token in it."""
        return f"http://benchmark:{self.token}@127.0.0.1:{self.ports['http_port']}{path}"

    def until(self, condition: Callable[[dict[str, Any]], bool], within_s: float, what: str) -> dict[str, Any]:
        """Its status as soon as that fulfils `condition`.

        Raises:
            SystemExit: It ended, or `what` did not come about in time; with the end of its log.
        """
        end_s = time.monotonic() + within_s
        while time.monotonic() < end_s and self.process.poll() is None:
            with contextlib.suppress(OSError):
                if condition(status := self.status()):
                    return status
            time.sleep(0.1)
        log = (self.folder / "service.log").read_text(errors="replace")[-2000:]
        raise SystemExit(f"the service: not {what} within {within_s:g} s. Its log:\n{log}")


@contextlib.contextmanager
def service(folder: Path, cameras: Sequence[dict[str, Any]], **config: Any) -> Iterator[RunningService]:
    """The service in a folder and on ports of its own; yields when every camera is LIVE."""
    folder.mkdir(parents=True)
    ports = own_ports()
    path = folder / "config.yaml"
    path.write_text(
        json.dumps(
            {
                "listen": ports,
                "cameras": list(cameras),
                "recording": {"path": str(folder / "recordings"), "min_free": 0},
                "data_dir": str(folder / "data"),
                "media_server": {"download": False},
                **config,
            }
        )
    )
    token = make_token(folder / "data")
    argv = [sys.executable, "-m", "livecam_nvr", "run", "--config", str(path)]
    with running(argv, log=folder / "service.log") as process:
        started = RunningService(process, folder, ports, token)
        started.until(all_live, 40, "all cameras LIVE")
        yield started


def make_token(data_dir: Path) -> str:
    """A token that opens all doors of the service that has this folder."""
    with AccessStore(data_dir / "access") as store:
        for token in store.tokens():
            store.remove_token(token.id)
        return store.add_token("benchmark", Role.ADMIN, None).secret


def own_ports() -> dict[str, int]:
    """Free ports for the config's `listen`."""
    names = ("http_port", "rtsp_port", "webrtc_port", "webrtc_udp_port", "hls_port")
    return {name: free_port() for name in names}


def all_live(status: dict[str, Any]) -> bool:
    """Whether a status says LIVE of every camera."""
    return all(camera["state"] == "LIVE" for camera in status["cameras"])
