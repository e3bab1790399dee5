"""What the web server asks for, filled by a real ffmpeg or by a clip of one."""

import asyncio
import itertools
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
from fakes.core_control import FakeControl
from fakes.web_gate import fake_access
from support.ports import free_port
from support.waiting import PATIENCE_S

from livecam_nvr.config.models import ListenConfig
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import CameraStateChanged, QualityChanged, RecordingChanged
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import Segment
from livecam_nvr.domain.status import (
    BrokerStatus,
    CameraState,
    CameraStatus,
    DiskStatus,
    Fault,
    MediaServerStatus,
    ProcessStatus,
    RecordingStatus,
    ServerState,
    ServiceStatus,
    StreamAddresses,
)
from livecam_nvr.media.fragments import FragmentReader
from livecam_nvr.media.hub import CameraStreams, MemoryHub
from livecam_nvr.media.pictures import StreamPictures
from livecam_nvr.web.server import PastPorts, WebPorts, WebServer

STARTED_NS = 1_795_000_000_123_456_789


def stamp(_time_s: float, _duration_s: float) -> tuple[float, int]:
    """Every frame was taken now."""
    return time.monotonic(), time.time_ns()


def steady_stamp() -> Callable[[float, float], tuple[float, int]]:
    """The first frame was taken now, and the others so long after it as they say."""
    began: list[tuple[float, float, int]] = []

    def when(time_s: float, _duration_s: float) -> tuple[float, int]:
        if not began:
            began.append((time_s, *stamp(0, 0)))
        first_s, monotonic_s, utc_ns = began[0]
        return monotonic_s + time_s - first_s, utc_ns + round((time_s - first_s) * 1e9)

    return when


def read_clip(path: Path, numbers: Iterator[int] | None = None) -> list[Fragment]:
    """All fragments of a fragmented MP4 as one run."""
    return FragmentReader(numbers or itertools.count(), stamp).feed(path.read_bytes())


class FakeStatus:
    """core.ports.StatusSource and RecordingControl."""

    def __init__(self, ids: list[str], bus: EventBus) -> None:
        self._bus = bus
        self.asked: list[tuple[str, bool, str]] = []
        self.cameras = {
            camera_id: CameraStatus(
                id=camera_id,
                name=f"Camera {at}",
                kind="test",
                state=CameraState.LIVE,
                addresses=StreamAddresses(rtsp=f"rtsp://{{host}}:8554/{camera_id}"),
            )
            for at, camera_id in enumerate(ids)
        }
        self.disk = DiskStatus("/srv/recordings", 500_000_000_000, 212_000_000_000)
        self.process = ProcessStatus()

    def change(self, camera_id: str, **what: Any) -> None:
        self.cameras[camera_id] = replace(self.cameras[camera_id], **what)

    def state(self, camera_id: str, state: CameraState, fault: Fault | None = None) -> None:
        self.change(camera_id, state=state, fault=fault)
        self._bus.publish(CameraStateChanged(camera_id, state, fault))

    def status(self) -> ServiceStatus:
        return ServiceStatus(
            name="Home",
            version="0.1.0",
            started_utc_ns=STARTED_NS,
            uptime_s=12.5,
            cameras=tuple(self.cameras.values()),
            media_server=MediaServerStatus("gstreamer", ServerState.READY, "1.22"),
            broker=BrokerStatus(configured=True, connected=True, address="127.0.0.1:1883"),
            disk=self.disk,
            process=self.process,
        )

    def recording(self, camera_id: str) -> RecordingStatus:
        try:
            return self.cameras[camera_id].recording
        except KeyError:
            raise LivecamError(ErrorKind.NOT_FOUND, f"there is no camera {camera_id!r}") from None

    def set_recording(self, camera_id: str, on: bool, by: str) -> RecordingStatus:
        self.asked.append((camera_id, on, by))
        status = replace(self.recording(camera_id), wanted=on, active=on)
        self.change(camera_id, recording=status)
        self._bus.publish(RecordingChanged(camera_id, status))
        return status


class FakeIndex:
    """core.ports.SegmentIndex."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []

    def add(self, segment: Segment) -> None:
        self.segments.append(segment)

    async def latest(self, camera_id: str, limit: int = 1) -> list[Segment]:
        return [s for s in reversed(self.segments) if s.camera_id == camera_id][:limit]

    async def between(
        self, camera_id: str, begin_utc_ns: int, end_utc_ns: int, limit: int = 10_000
    ) -> list[Segment]:
        raise NotImplementedError


class LiveCamera:
    """A test picture that a real ffmpeg encodes in real time into a real hub; `start` and `kill` at will."""

    def __init__(
        self,
        hub: MemoryHub,
        *,
        size: str = "320x180",
        fps: int = 15,
        codec: tuple[str, ...] = (),
        steady: bool = False,
    ) -> None:
        """With `steady`, a frame counts as taken when it was due, however late the machine brings it."""
        self.hub = hub
        self._steady = steady
        self._size, self._fps = size, fps
        self._codec = codec or ("-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "15")
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, size: str | None = None) -> None:
        picture = f"testsrc2=size={size or self._size}:rate={self._fps}"
        flags = "+frag_every_frame+empty_moov+default_base_moof"
        argv = ["-v", "error", "-re", "-f", "lavfi", "-i", picture, *self._codec, "-pix_fmt", "yuv420p"]
        argv += ["-f", "mp4", "-movflags", flags, "-flush_packets", "1", "pipe:1"]
        self._process = await asyncio.create_subprocess_exec(
            "ffmpeg", *argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
        )
        self._task = asyncio.create_task(self._read(), name=f"camera {self.hub.camera_id}")

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        reader = FragmentReader(self.hub.numbers, steady_stamp() if self._steady else stamp)
        while chunk := await self._process.stdout.read(1 << 18):
            for fragment in reader.feed(chunk):
                self.hub.publish(fragment)
        self.hub.end_run(EndCause.CAMERA)

    async def kill(self) -> None:
        if self._process is not None and self._task is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
            await self._task
        self._process = self._task = None


class Site:
    """A web server with its cameras."""

    def __init__(self, folder: Path, ids: list[str], keep_s: float = 8.0, address: str = "127.0.0.1") -> None:
        self.folder = folder
        self.hubs = {camera_id: MemoryHub(camera_id, keep_s) for camera_id in ids}
        self.bus = EventBus()
        self.home = FakeStatus(ids, self.bus)
        self.index = FakeIndex()
        self.control = FakeControl(self.bus, ids)
        for camera_id in ids:
            self.home.change(camera_id, quality=self.control.quality(camera_id))
        self.bus.subscribe(QualityChanged, lambda event: self.home.change(event.camera_id, quality=event.status))
        streams = CameraStreams(list(self.hubs.values()))
        self.pictures = StreamPictures(streams)
        self.port = free_port()
        self.ports = WebPorts(
            streams=streams,
            pictures=self.pictures,
            recording=self.home,
            status=self.home,
            index=self.index,
            recordings=folder,
            bus=self.bus,
            control=self.control,
        )
        self.access, self.gate, self.audit = fake_access(self.bus)
        self.server = self.server_of(address)
        self.cameras: list[LiveCamera] = []

    def server_of(
        self, address: str = "127.0.0.1", ports: WebPorts | None = None, past: PastPorts | None = None
    ) -> WebServer:
        """A server on the site's port; it does not listen yet."""
        listen = ListenConfig(address=address, http_port=self.port)
        return WebServer(listen, ports or self.ports, past, access=self.access)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def camera_url(self, path: str, camera_id: str = "cam0") -> str:
        return f"{self.url}/api/cameras/{camera_id}/{path}"

    async def live(self, camera_id: str = "cam0", **more: Any) -> LiveCamera:
        camera = LiveCamera(self.hubs[camera_id], **more)
        self.cameras.append(camera)
        await camera.start()
        return camera

    async def close(self) -> None:
        await self.server.stop()
        await self.pictures.stop()
        for camera in self.cameras:
            await camera.kill()
        for hub in self.hubs.values():
            hub.close()


@asynccontextmanager
async def running(
    folder: Path, ids: list[str] | None = None, keep_s: float = 8.0, address: str = "127.0.0.1"
) -> AsyncIterator[Site]:
    """A site that listens."""
    site = Site(folder, ids or ["cam0", "cam1"], keep_s, address)
    await site.server.start()
    try:
        yield site
    finally:
        await site.close()


@asynccontextmanager
async def http(site: Site) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the site."""
    timeout = aiohttp.ClientTimeout(sock_connect=PATIENCE_S, sock_read=PATIENCE_S)
    async with aiohttp.ClientSession(site.url, timeout=timeout) as session:
        yield session
