"""A real mosquitto."""

import asyncio
import subprocess
from pathlib import Path

from support.ports import free_port
from support.waiting import until


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
        await until(self._accepts, "mosquitto")

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
