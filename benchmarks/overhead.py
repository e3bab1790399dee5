"""What the whole service costs over the same thing wired by hand, and how soon it is there.

(a) The service with two copied 1280x720 cameras at 30 fps and 2 Mbit/s, recording, without viewers.
(b) By hand: one ffmpeg per camera with `tee` to the same media server and to the segment muxer.

Usage: python -m benchmarks.overhead [--seconds 60] [--json]
"""

import argparse
import asyncio
import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiomqtt

from benchmarks.bare_server import bare_server
from benchmarks.measure import make_token
from benchmarks.processes import tree, usage
from livecam_nvr.config.models import Config, FileCamera, ListenConfig
from livecam_nvr.core.bus import EventBus
from livecam_nvr.media import ffmpeg
from livecam_nvr.media.feeds import feed_for
from livecam_nvr.media.hub import MemoryHub
from livecam_nvr.media.pipeline import CameraPipeline
from livecam_nvr.media.sources import source
from livecam_nvr.runtime.clock import SystemClock
from tests.support.ports import free_port

CAMERAS = ("cam0", "cam1")
SETTLE_S = 5.0


def main() -> None:
    """Runs everything and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each is measured (default 60)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--bare", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--hub", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        asyncio.run(_bare(options.bare))
        return
    if options.hub:
        asyncio.run(_hub(options.hub))
        return
    say: Callable[[str], None] = (lambda _text: None) if options.json else print
    with tempfile.TemporaryDirectory(prefix="livecam-overhead-") as name:
        result = _measure_all(Path(name), options.seconds, say)
    if options.json:
        print(json.dumps(result))


def _measure_all(folder: Path, seconds: float, say: Callable[[str], None]) -> dict[str, float]:
    say("making a 1280x720 clip of 30 fps at 2 Mbit/s …")
    clip = folder / "clip.mp4"
    _make_clip(clip)
    cpu: dict[str, float] = {}
    memory: dict[str, float] = {}
    for what, argv in (
        ("the service", _service(folder, _config(folder / "service", cameras=clip))),
        ("wired by hand", [sys.executable, "-m", "benchmarks.overhead", "--bare", str(folder)]),
    ):
        own = what == "the service"
        with _running(argv) as process:
            time.sleep(SETTLE_S)
            cpu[what], memory[what] = _measure(process.pid, seconds, with_root=own)
        say(f"{what:14}: {cpu[what]:5.2f} % of a core, {memory[what]:6.1f} MB")
    with _running([sys.executable, "-m", "benchmarks.overhead", "--hub", str(folder)]) as process:
        time.sleep(SETTLE_S)
        hub = _measure(process.pid, seconds, with_root=True, only_root=True)[0] / len(CAMERAS)
    say(f"the hub alone : {hub:5.2f} % of a core per camera")
    first_frame_s, discovery_s = _start_times(folder)
    say(f"from start to : first RTSP frame {first_frame_s:.2f} s, first discovery message {discovery_s:.2f} s")
    result = {
        "cpu_ratio": round(cpu["the service"] / cpu["wired by hand"], 2),
        "memory_ratio": round(memory["the service"] / memory["wired by hand"], 2),
        "hub_core_percent_per_camera": round(hub, 2),
        "first_frame_s": round(first_frame_s, 2),
        "discovery_s": round(discovery_s, 2),
    }
    say(f"ratio         : CPU {result['cpu_ratio']}, memory {result['memory_ratio']}")
    return result


def _make_clip(path: Path) -> None:
    picture = ["-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30:duration=20"]
    encode = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "2M", "-maxrate", "2M", "-bufsize", "2M"]
    shape = ["-g", "30", "-bf", "0", "-pix_fmt", "yuv420p"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *picture, *encode, *shape, str(path)], check=True)


def _config(folder: Path, *, cameras: Path | None = None, broker_port: int = 0) -> dict[str, object]:
    """A configuration with ports of its own; two test cameras unless `cameras` names a clip."""
    kind: dict[str, object] = {"kind": "file", "path": str(cameras)} if cameras else {"kind": "test"}
    config: dict[str, object] = {
        "listen": {
            name: free_port() for name in ("http_port", "rtsp_port", "webrtc_port", "webrtc_udp_port", "hls_port")
        },
        "cameras": [{"id": camera, **kind} for camera in CAMERAS],
        "recording": {"path": str(folder / "recordings"), "min_free": 0},
        "data_dir": str(folder / "data"),
        "media_server": {"download": False},
    }
    if broker_port:
        config["mqtt"] = {"host": "127.0.0.1", "port": broker_port}
    return config


def _service(folder: Path, config: dict[str, object]) -> list[str]:
    path = folder / f"config-{free_port()}.yaml"
    path.write_text(json.dumps(config))
    return [sys.executable, "-m", "livecam_nvr", "run", "--config", str(path)]


@contextlib.contextmanager
def _running(argv: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def _measure(pid: int, seconds: float, *, with_root: bool, only_root: bool = False) -> tuple[float, float]:
    """Percent of a core, and mean proportional memory in MB, of the tree below `pid` over `seconds`."""
    pids = [pid] if only_root else tree(pid)[0 if with_root else 1 :]
    begin, began = usage(pids), time.monotonic()
    memory: list[float] = []
    while (elapsed := time.monotonic() - began) < seconds:
        time.sleep(min(5.0, seconds - elapsed))
        memory.append(usage(pids).pss_mb)
    end = usage(pids)
    return (end.cpu_s - begin.cpu_s) / (time.monotonic() - began) * 100, sum(memory) / len(memory)


async def _bare(folder: Path) -> None:
    """Wiring (b). This process starts the parts and then sleeps; it is not counted."""
    config = Config(
        listen=ListenConfig(**_config(folder)["listen"]),  # type: ignore[arg-type]
        cameras=[FileCamera(id=camera, kind="file", path=folder / "clip.mp4") for camera in CAMERAS],
        data_dir=folder / "bare-data",
    )
    config.data_dir.mkdir()
    async with bare_server(config) as server:
        children = []
        for camera in config.cameras:
            argv = ffmpeg.command(source(camera), server.publish_target(camera.id))
            archive = folder / "bare" / camera.id
            archive.mkdir(parents=True)
            live = argv[-1].rsplit("|", 1)[0]
            segments = f"[f=segment:segment_time=30:segment_atclocktime=1:strftime=1]{archive}/%Y%m%d_%H%M%S.mp4"
            plain = [a for a in argv if a not in {"-stats_period", "2", "-progress", f"pipe:{ffmpeg.PROGRESS_FD}"}]
            children.append(await asyncio.create_subprocess_exec(*plain[:-1], f"{live}|{segments}"))
            server.stream_started(camera.id, "avc1.64001f")
        await _until_terminated()
        for child in children:
            child.terminate()
        await asyncio.gather(*(child.wait() for child in children))


async def _hub(folder: Path) -> None:
    """Two cameras read into their hubs and nothing else: what this process uses is the hub's cost."""
    cameras = [FileCamera(id=camera, kind="file", path=folder / "clip.mp4") for camera in CAMERAS]
    clock, bus = SystemClock(), EventBus()
    pipelines = [
        CameraPipeline(camera, feed_for(camera), MemoryHub(camera.id, 8), target=None, bus=bus, clock=clock)
        for camera in cameras
    ]
    for pipeline in pipelines:
        pipeline.start()
    await _until_terminated()
    await asyncio.gather(*(pipeline.stop() for pipeline in pipelines))


async def _until_terminated() -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


def _start_times(folder: Path) -> tuple[float, float]:
    """Seconds from starting the command to the first decoded RTSP frame and to the first discovery message."""
    if shutil.which("mosquitto") is None:
        raise SystemExit("mosquitto is needed for this benchmark: apt install mosquitto")
    port = free_port()
    conf = folder / "mosquitto.conf"
    conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    broker = subprocess.Popen(["mosquitto", "-c", str(conf)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        asyncio.run(_until_open(port))
        # The second start counts: the first one compiles Python's modules and looks for the media server.
        for attempt in range(2):
            config = _config(folder / f"start{attempt}", broker_port=port)
            config["data_dir"] = str(folder / "start-data")
            config["node"] = {"id": f"start{attempt}"}
            rtsp = config["listen"]["rtsp_port"]  # type: ignore[index]
            token = make_token(folder / "start-data")
            live = f"rtsp://benchmark:{token}@127.0.0.1:{rtsp}/cam0"
            times = asyncio.run(_one_start(_service(folder, config), rtsp, live, port, f"start{attempt}"))
        return times
    finally:
        broker.terminate()
        broker.wait()


async def _until_open(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


async def _one_start(
    argv: list[str], rtsp_port: int, live: str, broker_port: int, node: str
) -> tuple[float, float]:
    async with aiomqtt.Client("127.0.0.1", broker_port) as client:
        await client.subscribe("homeassistant/device/+/config")
        began = time.monotonic()
        with _running(argv):
            frame = asyncio.create_task(_first_frame(rtsp_port, live))
            async with asyncio.timeout(30):
                async for message in _messages(client):
                    if node in message.topic.value:
                        break
                discovery_s = time.monotonic() - began
                await frame
                return time.monotonic() - began, discovery_s


async def _messages(client: aiomqtt.Client) -> AsyncIterator[aiomqtt.Message]:
    async for message in client.messages:
        yield message


async def _first_frame(port: int, url: str) -> None:
    look = ["-rtsp_transport", "tcp", "-probesize", "32768", "-analyzeduration", "100000"]
    argv = ["ffmpeg", "-v", "quiet", *look, "-i", url, "-frames:v", "1", "-f", "null", "-"]
    while True:
        await _until_open(port)
        player = await asyncio.create_subprocess_exec(*argv, stdin=subprocess.DEVNULL)
        if await player.wait() == 0:
            return
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    main()
