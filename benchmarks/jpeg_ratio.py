"""A JPEG for each picture against one H.264 stream: two cameras of 1280x720 at 30 fps, with one viewer each.

Once for cameras that are pulled over RTSP: the JPEG server decodes them and encodes each picture, the service
copies them. Once for raw pictures, as those of a camera at a Raspberry Pi's connector: both encode. Nothing is
recorded.
"""

import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import jpeg_over_http
from benchmarks.measure import Cost, Plan, measure, running, say, service
from benchmarks.rtsp_sources import sources
from benchmarks.viewers import viewers
from tests.support.ports import free_port

_PAIR = ("cam0", "cam1")
_LEAST_FPS = 27  # of 30; a server that sends fewer pictures would seem cheap


def jpeg_ratios(folder: Path, clip: Path, raw_clip: Path, plan: Plan) -> dict[str, float]:
    """The CPU time of the JPEG server over that of the service: with `clip` by RTSP, and with raw pictures."""
    with sources(clip, 30) as played:
        pulled = _side_by_side(
            folder / "pulled and watched",
            [played.camera(camera, record=False) for camera in _PAIR],
            [played.url(camera) for camera in _PAIR],
            plan,
        )
    raw = {"kind": "file", "path": str(raw_clip), "bitrate_kbps": 2000, "record": False}
    encoded = _side_by_side(
        folder / "encoded and watched", [{"id": camera, **raw} for camera in _PAIR], [str(raw_clip)] * 2, plan
    )
    return {
        "jpeg_cpu_ratio": round(pulled[0].core_percent / pulled[1].core_percent, 2),
        "jpeg_cpu_ratio_encoded": round(encoded[0].core_percent / encoded[1].core_percent, 2),
    }


def _side_by_side(folder: Path, cameras: list[dict[str, Any]], given: list[str], plan: Plan) -> tuple[Cost, Cost]:
    port = free_port()
    costs = []
    with running([sys.executable, "-m", "benchmarks.jpeg_over_http", str(port), *given]) as process:
        urls = [f"http://127.0.0.1:{port}/{camera}" for camera in _PAIR]
        costs.append(_watched(f"{folder.name}, by JPEGs", process.pid, urls, jpeg_over_http.MARK, plan))
    with service(folder, cameras) as running_service:
        urls = [running_service.url(f"/api/cameras/{camera}/live.mp4") for camera in _PAIR]
        costs.append(_watched(f"{folder.name}, by the service", running_service.process.pid, urls, b"moof", plan))
    return costs[0], costs[1]


def _watched(what: str, pid: int, urls: list[str], mark: bytes, plan: Plan) -> Cost:
    with viewers(urls, mark) as watching:
        time.sleep(plan.warm_s / 2)
        began_s, frames, size = time.monotonic(), sum(v.frames for v in watching), sum(v.bytes for v in watching)
        cost = measure(pid, plan)
        elapsed_s = (time.monotonic() - began_s) * len(watching)
        fps = (sum(v.frames for v in watching) - frames) / elapsed_s
        rate = (sum(v.bytes for v in watching) - size) * 8 / elapsed_s / 1e6
    if fps < _LEAST_FPS:
        raise SystemExit(f"{what}: a viewer got {fps:.1f} fps; what that costs says nothing")
    say(f"{what}: {cost.core_percent:.1f} % of a core; a viewer gets {fps:.1f} fps, {rate:.1f} Mbit/s")
    return cost
