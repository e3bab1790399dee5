"""The service as its users run it: the real command, in a folder of its own, on free ports."""

import asyncio
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from playwright.async_api import Page
from support.ports import free_port
from support.waiting import PATIENCE_S, until

from livecam_nvr.access.store import AccessStore
from livecam_nvr.domain.access import Role

ROOT = Path(__file__).parents[2]


# So long a camera may stand still before it counts as stalled and is restarted, where that is not what is tested:
# on a machine that is short of CPU, its encoder stands still as well.
STALL_S = PATIENCE_S


def small_camera(camera_id: str, **more: Any) -> dict[str, Any]:
    """A small test camera; wide enough for the frame number's barcode. It may stand still for a while."""
    about = {"size": "640x360", "fps": 15, "bitrate_kbps": 600, "stall_seconds": STALL_S}
    return {"id": camera_id, "kind": "test", **about, **more}


class Service:
    """`livecam-nvr run` with a generated config; `start`, `stop` and `kill` as often as wanted."""

    def __init__(self, folder: Path, server: str = "gstreamer", **config: Any) -> None:
        self.folder = folder
        self.recordings = folder / "recordings"
        self.log = folder / "service.log"
        ports = {
            name: free_port() for name in ("http_port", "rtsp_port", "webrtc_port", "webrtc_udp_port", "hls_port")
        }
        self.ports = ports
        recording = {"segment_seconds": 10, "min_free": 0, **config.pop("recording", {})}
        self.config: dict[str, Any] = {
            "listen": ports,
            "cameras": [small_camera("cam0"), small_camera("cam1")],
            "media_server": {"kind": server, "download": False},
            **config,
            "recording": recording,
        }
        self.token = ""
        """Opens all doors, once the service was started."""
        self.env: dict[str, str] = {}
        """What is added to its environment."""
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def access(self) -> Path:
        """The folder of its users and tokens."""
        return self.folder / "data" / "access"

    @property
    def url(self) -> str:
        """The page's address without a slash at its end and without credentials."""
        return f"http://127.0.0.1:{self.ports['http_port']}"

    @property
    def trusted_url(self) -> str:
        """The same with a token in it, for players (RFC 3986, 3.2.1)."""
        return f"http://tests:{self.token}@127.0.0.1:{self.ports['http_port']}"

    @property
    def bearer(self) -> dict[str, str]:
        """The header with a token, for HTTP clients (RFC 6750)."""
        return {"Authorization": f"Bearer {self.token}"}

    def rtsp(self, camera_id: str) -> str:
        """A camera's RTSP address, with a token in it."""
        return f"rtsp://tests:{self.token}@127.0.0.1:{self.ports['rtsp_port']}/{camera_id}"

    async def start(self, *arguments: str, wait: bool = True) -> None:
        """Starts it; with `wait`, returns when every enabled camera is LIVE."""
        path = self.folder / "config.yaml"
        path.write_text(json.dumps(self.config))
        if not self.token:
            await asyncio.to_thread(self._make_token)
        argv = [sys.executable, "-m", "livecam_nvr", "run", "--config", str(path), *arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, cwd=ROOT, env=os.environ | self.env)
        if wait:
            await until(self.all_live, f"all cameras LIVE; log:\n{self.read_log()}")

    async def sign_in(self, page: Page) -> None:
        """Gives a browser a session, of a user with all rights."""
        name, password = "tester", "correct horse battery"

        def make_user() -> None:
            with AccessStore(self.access) as store:
                if name not in [user.name for user in store.users()]:
                    store.add_user(name, password, Role.ADMIN, None)

        await asyncio.to_thread(make_user)

        async def let_in() -> bool:
            said = {"name": name, "password": password}
            headers = {"Origin": self.url}
            return (await page.request.post(f"{self.url}/api/session", data=said, headers=headers)).ok

        await until(let_in, "a session")

    def _make_token(self) -> None:
        with AccessStore(self.access) as store:
            self.token = store.add_token("tests", Role.ADMIN, None).secret

    async def all_live(self) -> bool:
        """Whether every camera is LIVE now."""
        assert self.process is not None
        assert self.process.poll() is None, self.read_log()
        try:
            status = await self.status()
        except OSError:
            return False
        return all(camera["state"] == "LIVE" for camera in status["cameras"])

    async def stop(self) -> int:
        """SIGTERM; its exit status."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, PATIENCE_S)

    async def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        await asyncio.to_thread(self.process.wait, PATIENCE_S)

    async def get(self, path: str) -> bytes:
        """The body of a GET; raises HTTPError for what is refused."""
        return await asyncio.to_thread(_fetch, urllib.request.Request(self.url + path, headers=self.bearer))

    async def post(self, path: str, body: object) -> dict[str, Any]:
        """The answer to a POST of JSON; raises HTTPError for what is refused."""
        headers = {"Content-Type": "application/json", **self.bearer}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        return dict(json.loads(await asyncio.to_thread(_fetch, request)))

    async def status(self) -> dict[str, Any]:
        """`/api/status`."""
        return dict(json.loads(await self.get("/api/status")))

    async def camera(self, camera_id: str) -> dict[str, Any]:
        """One camera's status."""
        return next(c for c in (await self.status())["cameras"] if c["id"] == camera_id)

    def was_late(self, camera_id: str) -> bool:
        """Whether a camera has ever said that its pictures come late, as on a machine that is short of CPU.

        Then the newest one is not of now, and a file does not end with that of the moment at which it ended.
        """
        return bool(re.search(rf"\b{camera_id}: \w+ -> DELAY\b", self.read_log()))

    def segments(self, camera_id: str) -> list[Path]:
        """Its recordings so far, oldest first, the growing one last."""
        return sorted(self.recordings.glob(f"{camera_id}/*/*.mp4"))

    def children(self, needle: str = "") -> list[int]:
        """Processes below the service whose command line holds `needle`."""
        assert self.process is not None
        return [pid for pid in descendants(self.process.pid) if needle in command_line(pid)]

    def read_log(self) -> str:
        """What it said so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def _fetch(request: urllib.request.Request) -> bytes:
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as refusal:
        with refusal:  # whoever catches it need not know that it holds a connection
            body = io.BytesIO(refusal.read())
        raise urllib.error.HTTPError(refusal.url, refusal.code, refusal.msg, refusal.headers, body) from None


def command_line(pid: int) -> str:
    """A process's command line; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def alive(pid: int) -> bool:
    """Whether it runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def descendants(pid: int) -> list[int]:
    """All processes below `pid`."""
    parents: dict[int, list[int]] = {}
    for entry in [e.name for e in Path("/proc").iterdir()]:
        if entry.isdigit():
            try:
                parent = int(Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            parents.setdefault(parent, []).append(int(entry))
    found = list(parents.get(pid, []))
    for child in found:
        found += parents.get(child, [])
    return found


def kill(pid: int, number: int = signal.SIGKILL) -> float:
    """Signals a process; the monotonic time at which that was done."""
    os.kill(pid, number)
    return time.monotonic()
