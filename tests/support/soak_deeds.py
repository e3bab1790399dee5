"""What a soak does to a service, at random, and when: kills, stops, freezes, tears, switches."""

import asyncio
import contextlib
import json
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

from support.service import Service, alive, descendants, kill
from support.waiting import until

# The service promises to end within 3 s; this machine may be busy with its cameras' encoders.
_END_S = 5.0
# So long after the start Python itself is still loading: a signal then ends it without a word.
_LOADING_S = 2.5
_ORPHANS_S = 5.0
FPS = 15


@dataclass(frozen=True)
class Deed:
    """Something that was done, and when."""

    name: str
    begin_s: float
    """UTC."""
    end_s: float
    camera: str = ""
    """Empty: it concerns all cameras."""


@dataclass(frozen=True)
class Size:
    """How large the service was at a moment."""

    age_s: float
    kib: int
    fds: int
    threads: int


class Deeds:
    """Two services, one of which plays IP cameras for the other, and what can happen to them."""

    def __init__(self, far: Service, near: Service, dice: random.Random) -> None:
        self.far = far
        self.near = near
        self.done: list[Deed] = []
        self.clips: dict[str, dict[str, Any]] = {}
        """Those that were asked for and granted, by id."""
        self.sizes: list[Size] = []
        self.wrong: list[str] = []
        """What was noticed on the way."""
        self._dice = dice
        self._started_s = 0.0
        deeds: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (4, self.kill_service),
            (2, self.stop_service),
            (2, self.kill_and_interrupt),
            (6, self.kill_ffmpeg),
            (4, self.freeze_ffmpeg),
            (3, self.kill_media_server),
            (4, self.switch),
            (3, self.keep),
            (3, self.event),
            (3, self.export),
            (2, self.kill_cameras),
            (1, self.delete_index),
            (1, self.spoil_index),
            (2, self.tear_file),
        ]
        self._deeds = [deed for weight, deed in deeds for _ in range(weight)]

    async def start(self) -> None:
        """Starts the service, at once."""
        self._started_s = time.monotonic()
        await self.near.start(wait=False)

    async def one(self) -> None:
        """Does something, and lets the service run for a while."""
        self._measure()
        deed = self._dice.choice(self._deeds)
        await deed()
        await asyncio.sleep(self._dice.uniform(1, 12))  # the soak's own rhythm: nothing is waited for
        if self.near.process is None or self.near.process.poll() is not None:
            self.wrong.append(f"after {deed.__name__} the service ended by itself")
            await self.start()

    def save(self, path: Path) -> None:
        """Writes down what was done, for whoever looks at the remains."""
        path.write_text(json.dumps([asdict(deed) for deed in self.done], indent=0))

    async def kill_service(self) -> None:
        async with self._deed("kill_service"):
            await self._kill()
            await asyncio.sleep(self._dice.uniform(0, 4))
            await self.start()

    async def kill_and_interrupt(self) -> None:
        """Killed, started, and while it starts killed again or told to stop."""
        async with self._deed("kill_service"):
            await self._kill()
            await self.start()
            await asyncio.sleep(self._dice.uniform(0.2, 3))
            if self._dice.random() < 0.5:
                await self._kill()
                await self.start()
                return
        async with self._deed("stop_service"):
            await self.stop()
            await self.start()

    async def stop_service(self) -> None:
        async with self._deed("stop_service"):
            await self.stop()
            await asyncio.sleep(self._dice.uniform(0, 4))
            await self.start()

    async def stop(self) -> None:
        """Stops the service, which has to happen in time, and to leave nobody behind."""
        process = self.near.process
        assert process is not None
        family = descendants(process.pid)
        age_s, began_s = time.monotonic() - self._started_s, time.monotonic()
        status = await self.near.stop()
        took_s = time.monotonic() - began_s
        if status and not (status == -signal.SIGTERM and age_s < _LOADING_S):
            self.wrong.append(f"told to stop {age_s:.1f} s after its start it ended with status {status}")
        if took_s > _END_S:
            self.wrong.append(f"it took {took_s:.1f} s to stop")
        await self._no_orphans(family)

    async def kill_ffmpeg(self) -> None:
        async with self._deed("kill_ffmpeg"):
            for pid in self._some("ffmpeg"):
                with contextlib.suppress(ProcessLookupError):
                    kill(pid)

    async def freeze_ffmpeg(self) -> None:
        async with self._deed("freeze_ffmpeg"):
            frozen = self._some("ffmpeg")
            for pid in frozen:
                with contextlib.suppress(ProcessLookupError):
                    kill(pid, signal.SIGSTOP)
            await asyncio.sleep(self._dice.uniform(0.2, 8))
            for pid in frozen:
                with contextlib.suppress(ProcessLookupError):
                    kill(pid, signal.SIGCONT)

    async def kill_media_server(self) -> None:
        async with self._deed("kill_media_server"):
            for pid in self.near.children("gst_child"):
                with contextlib.suppress(ProcessLookupError):
                    kill(pid)

    async def switch(self) -> None:
        camera = self._dice.choice(["cam0", "ip1"])
        async with self._deed("switch", camera):
            for on in (False, True):
                # Not left off: what is switched off by mistake cannot be compared.
                await self._insist(f"/api/cameras/{camera}/recording", {"on": on})
                await asyncio.sleep(self._dice.uniform(0.1, 3))

    async def keep(self) -> None:
        camera = self._dice.choice(["ip0", "cam1"])
        async with self._deed("keep", camera):
            clip = await self._ask(f"/api/cameras/{camera}/keep", {"before_s": 5, "after_s": 3})
            if clip is not None:
                self.clips[clip["id"]] = clip

    async def event(self) -> None:
        """Something begins that nobody ends, but for the service, at the latest when it starts again."""
        label = self._dice.choice(["motion", "person", "parcel"])
        async with self._deed("event", "cam1"):
            await self._ask("/api/cameras/cam1/events", {"label": label, "state": "begin"})

    async def export(self) -> None:
        """Two cameras side by side, which is encoded anew and so takes its time; nobody waits for it."""
        now_s = time.time()
        async with self._deed("export"):
            body = {"cameras": ["cam0", "ip0"], "from": f"{now_s - 40:.3f}", "to": f"{now_s - 5:.3f}"}
            await self._ask("/api/exports", body)

    async def kill_cameras(self) -> None:
        async with self._deed("kill_cameras"):
            await self.far.kill()
            await asyncio.sleep(self._dice.uniform(0, 6))
            await self.far.start(wait=False)

    async def delete_index(self) -> None:
        async with self._deed("delete_index"):
            for file in self.near.folder.glob("data/index.sqlite3*"):
                file.unlink(missing_ok=True)

    async def spoil_index(self) -> None:
        async with self._deed("kill_service"):
            await self._kill()
            index = self.near.folder / "data" / "index.sqlite3"
            if index.exists():
                with index.open("r+b") as file:
                    file.seek(self._dice.randrange(max(1, index.stat().st_size)))
                    file.write(self._dice.randbytes(3000))
            await self.start()

    async def tear_file(self) -> None:
        """As a power cut does: the file of a camera that was being written loses its end."""
        async with self._deed("kill_service"):
            await self._kill()
            camera = self._dice.choice(self.near.config["cameras"])["id"]
            files = self.near.segments(camera)
            # What is finished was synced, and no power cut takes it: mfra is the last thing in it.
            if files and b"mfro" not in files[-1].read_bytes()[-64:]:
                size = files[-1].stat().st_size
                os.truncate(files[-1], max(0, size - self._dice.randrange(20_000)))
            await self.start()

    @asynccontextmanager
    async def _deed(self, name: str, camera: str = "") -> AsyncIterator[None]:
        begin_s = time.time()
        try:
            yield
        finally:
            self.done.append(Deed(name, begin_s, time.time(), camera))

    async def _kill(self) -> None:
        process = self.near.process
        assert process is not None
        family = descendants(process.pid)
        await self.near.kill()
        await self._no_orphans(family)

    async def _no_orphans(self, family: list[int]) -> None:
        try:
            await until(lambda: not any(map(alive, family)), within_s=_ORPHANS_S)
        except AssertionError:
            self.wrong.append("children of a service that ended live on")

    def _some(self, needle: str) -> list[int]:
        found = self.near.children(needle)
        return self._dice.sample(found, self._dice.randint(1, len(found))) if found else []

    async def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any] | None:
        with contextlib.suppress(URLError, OSError):  # it may be away just now
            return await self.near.post(path, body)
        return None

    async def _insist(self, path: str, body: dict[str, Any]) -> None:
        async def done() -> bool:
            return await self._ask(path, body) is not None

        await until(done, f"{path} answers")

    def _measure(self) -> None:
        process = self.near.process
        if process is None or process.poll() is not None:
            return
        proc = Path("/proc") / str(process.pid)
        with contextlib.suppress(OSError):
            facts = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
            fds = len(list((proc / "fd").iterdir()))
            age_s = time.monotonic() - self._started_s
            self.sizes.append(Size(age_s, int(facts["VmRSS"].split()[0]), fds, int(facts["Threads"])))
