"""What cameras cost: many copied IP cameras, two pulled ones against the same wired by hand, H.264 against JPEGs.

(a) 2, 4, 8, 16 and 32 RTSP cameras of 1920x1080 at 15 fps and 3 Mbit/s, copied, served and recorded: CPU and
    memory of the whole service for each camera, and the frames sent by a camera that are in none of its files.
(b) Two RTSP cameras of 1280x720 at 30 fps and 2 Mbit/s, served and recorded, and the same wired by hand.
(c) The same two cameras, each watched by one viewer and not recorded: see benchmarks/jpeg_ratio.py.
(d) The picamera2 path, where its virtual cameras are there.

The cameras are one process that sends encoded pictures; what it, the viewers and this process use is not counted.

Usage: python -m benchmarks.cameras [--json] [--quick]
"""

import argparse
import importlib.util
import itertools
import json
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.jpeg_ratio import jpeg_ratios
from benchmarks.measure import FULL, QUICK, Cost, Plan, cpu_s, measure, running, say, service
from benchmarks.processes import tree
from benchmarks.rtsp_sources import Sent, sources

PICAMERA2 = "benchmarks.picamera2_path"
_PAIR = ("cam0", "cam1")
_SETTLE_S = 3.0
_PICAMERA2_LIMIT_S = 150.0


@dataclass(frozen=True, slots=True)
class Clips:
    """What the cameras show."""

    full_hd: Path
    hd: Path
    raw: Path


@dataclass(frozen=True, slots=True)
class Copied:
    """A number of copied cameras: the cost of each, and what became of their frames."""

    cost: Cost
    sent: int
    lost_in_hub: int
    lost_on_disk: int
    restarts: int
    most_waiting_bytes: int
    sources_core_percent: float


def main() -> None:
    """Runs everything and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout and nothing else")
    parser.add_argument("--quick", action="store_true", help="fewer cameras and shorter windows: a rough look")
    options = parser.parse_args()
    # Whoever ends us ends the children, too: all of them stand in `with` blocks.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="livecam-cameras-") as name:
        result = run(Path(name), QUICK if options.quick else FULL)
    print(json.dumps(result) if options.json else _in_words(result))


def run(folder: Path, plan: Plan) -> dict[str, Any]:
    """All of it; the keys are those of `--json`."""
    began_s = time.monotonic()
    say(f"{platform.machine()}, Python {platform.python_version()}; making clips …")
    clips = _make_clips(folder)
    copied: dict[int, Copied] = {}
    for count in plan.counts:
        copied[count] = _copied(folder / f"copied{count}", clips.full_hd, count, plan)
        say(f"{count:2} copied cameras : {_line(copied[count])}")
    pulled, by_hand, server = _pulled(folder, clips.hd, plan)
    say(f"two pulled cameras, {server}: the service {pulled:.2f} % of a core, by hand {by_hand:.2f} %")
    result = {
        "cpu_percent_per_camera": {n: round(c.cost.core_percent / n, 2) for n, c in copied.items()},
        "memory_mb_per_camera": {n: round(c.cost.pss_mb / n, 1) for n, c in copied.items()},
        "cpu_percent_per_further_camera": _further(copied, lambda cost: cost.core_percent, 2),
        "memory_mb_per_further_camera": _further(copied, lambda cost: cost.pss_mb, 1),
        "frames_sent": {n: c.sent for n, c in copied.items()},
        "frames_lost": {n: max(c.lost_in_hub, c.lost_on_disk) for n, c in copied.items()},
        "pull_core_percent": round(pulled, 2),
        "pull_by_hand_core_percent": round(by_hand, 2),
        "pull_cpu_ratio": round(pulled / by_hand, 2),
        "media_server": server,
        **jpeg_ratios(folder, clips.hd, clips.raw, plan),
        "picamera2_cpu_ratio": _picamera2(plan),
    }
    say(f"all that took {time.monotonic() - began_s:.0f} s")
    return result


def _further(copied: dict[int, Copied], figure: Callable[[Cost], float], digits: int) -> dict[int, float]:
    """What each camera beyond the next smaller number adds: without what the service needs once."""
    counts = sorted(copied)
    return {
        more: round((figure(copied[more].cost) - figure(copied[less].cost)) / (more - less), digits)
        for less, more in itertools.pairwise(counts)
    }


def _make_clips(folder: Path) -> Clips:
    clips = Clips(folder / "full_hd.h264", folder / "hd.h264", folder / "raw.avi")
    for path, size, fps, rate in ((clips.full_hd, "1920x1080", 15, "3M"), (clips.hd, "1280x720", 30, "2M")):
        encode = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", rate, "-maxrate", rate, "-bufsize", rate]
        shape = ["-g", str(fps), "-bf", "0", "-x264-params", "aud=1", "-f", "h264"]
        _ffmpeg(f"testsrc2=size={size}:rate={fps}:duration=10", [*encode, *shape], path)
    _ffmpeg("testsrc2=size=1280x720:rate=30:duration=2", ["-c:v", "rawvideo"], clips.raw)
    return clips


def _ffmpeg(picture: str, options: list[str], path: Path) -> None:
    given = ["-f", "lavfi", "-i", picture, "-pix_fmt", "yuv420p"]
    subprocess.run(["ffmpeg", "-v", "error", "-y", *given, *options, str(path)], check=True)


def _copied(folder: Path, clip: Path, count: int, plan: Plan) -> Copied:
    ids = [f"cam{number}" for number in range(count)]
    with sources(clip, 15) as played:
        with service(folder, [played.camera(camera) for camera in ids]) as running_service:
            time.sleep(plan.warm_s)
            began_s, cpu_before_s = time.monotonic(), cpu_s(played.pid)
            cost = measure(running_service.process.pid, plan)
            sources_percent = (cpu_s(played.pid) - cpu_before_s) / (time.monotonic() - began_s) * 100
            restarts = sum(camera["restarts"] for camera in running_service.status()["cameras"])
            sent = played.stop()
            in_hub = _settled(running_service.status, sent)
        on_disk = {camera: _frames_in(folder / "recordings" / camera) for camera in ids}
    shutil.rmtree(folder)
    return Copied(
        cost,
        sum(camera.frames for camera in sent.values()),
        lost(sent, in_hub),
        lost(sent, on_disk),
        restarts,
        max(camera.most_waiting_bytes for camera in sent.values()),
        sources_percent,
    )


def lost(sent: dict[str, Sent], kept: dict[str, int]) -> int:
    """Frames that cameras sent and that were not kept; one that has too many does not make up for another."""
    return sum(max(0, camera.frames - kept.get(name, 0)) for name, camera in sent.items())


def _settled(status: Callable[[], dict[str, Any]], sent: dict[str, Sent]) -> dict[str, int]:
    """Frames in each hub, once all that was sent had the time to arrive."""
    end_s = time.monotonic() + _SETTLE_S
    while True:
        frames = {camera["id"]: int(camera["frames"]) for camera in status()["cameras"]}
        if not lost(sent, frames) or time.monotonic() > end_s:
            return frames
        time.sleep(0.1)


def _frames_in(folder: Path) -> int:
    """Frames in a camera's files, counted by ffprobe."""
    ask = ["-select_streams", "v", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0"]
    counted = (
        subprocess.run(["ffprobe", "-v", "error", *ask, str(path)], check=True, capture_output=True).stdout
        for path in folder.rglob("*.mp4")
    )
    return sum(int(number) for number in counted)


def _line(copied: Copied) -> str:
    cost, losses = copied.cost, f"{copied.lost_in_hub} lost in memory, {copied.lost_on_disk} on disk"
    text = f"{cost.core_percent:6.2f} % of a core, {cost.pss_mb:6.1f} MB, of {copied.sent} frames {losses}"
    if copied.restarts:
        text += f", {copied.restarts} restarts"
    if copied.most_waiting_bytes:
        text += f", at most {copied.most_waiting_bytes} bytes unread"
    return f"{text}; the sources {copied.sources_core_percent:.1f} %"


def _pulled(folder: Path, clip: Path, plan: Plan) -> tuple[float, float, str]:
    """CPU of the service and by hand, and the media server that both had."""
    with sources(clip, 30) as played:
        urls = [played.url(camera) for camera in _PAIR]
        with service(folder / "pulled", [played.camera(camera) for camera in _PAIR]) as running_service:
            server = running_service.status()["media_server"]
            time.sleep(plan.warm_s)
            pulled = measure(running_service.process.pid, plan)
        argv = [sys.executable, "-m", "benchmarks.by_hand", str(folder / "by_hand"), *urls]
        with running(argv) as process:
            _until_below(process, 1 + len(urls))
            time.sleep(plan.warm_s)
            by_hand = measure(process.pid, plan, with_root=False)
    name = f"{server['name']} {server['version']}"
    return pulled.core_percent, by_hand.core_percent, name


def _until_below(process: subprocess.Popen[bytes], children: int) -> None:
    end_s = time.monotonic() + 20
    while len(tree(process.pid)) <= children:
        if process.poll() is not None or time.monotonic() > end_s:
            raise SystemExit("the wiring by hand did not start")
        time.sleep(0.1)


def _picamera2(plan: Plan) -> float | None:
    if importlib.util.find_spec(PICAMERA2) is None:
        say("picamera2: not measured, there is no benchmark of it here")
        return None
    say("picamera2 …")
    length = ["--seconds", str(plan.windows * plan.window_s), "--rounds", "4" if plan is FULL else "2"]
    argv = [sys.executable, "-m", PICAMERA2, "--json", *length]
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, check=True, timeout=_PICAMERA2_LIMIT_S)
        ratio = json.loads(done.stdout)["picamera2_cpu_ratio"]
    except (subprocess.SubprocessError, ValueError, KeyError) as error:
        say(f"picamera2: not measured, {PICAMERA2} failed: {error}")
        return None
    say(f"picamera2: our way takes {ratio} times its own")
    return None if ratio is None else float(ratio)


def _in_words(result: dict[str, Any]) -> str:
    rows = []
    for key, value in result.items():
        text = "  ".join(f"{n}: {x}" for n, x in value.items()) if isinstance(value, dict) else value
        rows.append(f"{key:32}{text}")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
