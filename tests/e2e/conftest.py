"""The whole service, with each media server, and a real broker."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from support.ports import free_port
from support.service import Service
from support.waiting import until


@pytest.fixture(params=["gstreamer", pytest.param("mediamtx", marks=pytest.mark.mediamtx)])
def server(request: pytest.FixtureRequest) -> str:
    """Which media server the service runs."""
    return str(request.param)


@pytest.fixture
async def make_service(tmp_path: Path) -> AsyncIterator[Callable[..., Service]]:
    """Makes services (not started yet) and ends them after the test; shows the log where a test failed."""
    made: list[Service] = []

    def make(server: str = "gstreamer", **config: Any) -> Service:
        folder = tmp_path / f"service{len(made)}"
        folder.mkdir()
        made.append(Service(folder, server, **config))
        return made[-1]

    yield make
    for service in made:
        try:
            await service.stop()
        except subprocess.TimeoutExpired:
            await service.kill()
        print(service.read_log())


class Broker:
    """mosquitto on a free port; `start` and `kill` as often as wanted. Nothing is persisted."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._conf = folder / "mosquitto.conf"
        self._conf.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Starts it; returns when it accepts clients."""
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(["mosquitto", "-c", str(self._conf)], stdout=quiet, stderr=quiet)
        await until(self._accepts, 10, "mosquitto")

    async def _accepts(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """A broker that runs."""
    made = Broker(tmp_path)
    await made.start()
    yield made
    made.kill()
