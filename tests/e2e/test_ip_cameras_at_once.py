"""Several IP cameras at once through the whole service: what they sent lies on disk, frame by frame."""

import subprocess
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from support import clips
from support.rtsp_camera import Habits, RtspCamera, rtsp_camera
from support.rtsp_films import Shot, film, finite, once, one_after_the_other, pictures_on_disk, play, strict_decode
from support.rtsp_sounds import sound
from support.service import Service
from support.waiting import PATIENCE_S, until

B_FRAMES = ("-preset", "fast", "-tune", "film", "-x264-params", "keyint=15:bframes=3:b-pyramid=normal:b-adapt=0")


async def record(
    make: Callable[..., Service], server: str, cameras: dict[str, tuple[Habits, dict[str, Any]]]
) -> tuple[Service, dict[str, RtspCamera]]:
    """Runs the service until every camera has sent all that it has; ends it."""
    async with AsyncExitStack() as stack:
        running = {
            name: await stack.enter_async_context(rtsp_camera(habits)) for name, (habits, _) in cameras.items()
        }
        service = make(
            server,
            cameras=[
                {"id": name, "kind": "rtsp", "url": camera.url, "stall_seconds": 30, **cameras[name][1]}
                for name, camera in running.items()
            ],
        )
        await service.start(wait=False)

        async def over() -> bool:
            assert service.process is not None
            assert service.process.poll() is None
            try:
                status = await service.status()
            except OSError:
                return False
            return all(c["state"] == "OFFLINE" and c["fault"] for c in status["cameras"])

        await until(over, "the end of all streams", within_s=3 * PATIENCE_S)
        status = await service.status()
        assert {c["dropped_frames"] for c in status["cameras"]} == {0}
        assert await service.stop() == 0
        return service, running


def is_complete(service: Service, name: str, camera: RtspCamera, codec: str = "h264") -> list[Path]:
    """Every frame is there, once, in order; each file plays."""
    paths = service.segments(name)
    assert [p for path in paths for p in pictures_on_disk(codec, path)] == camera.pictures()
    for path in paths:
        assert subprocess.run(strict_decode(path), capture_output=True, check=True).stderr == b"", path
    return paths


def length_s(paths: list[Path]) -> float:
    return sum(float(str(clips.probe(path)["duration"])) for path in paths)


async def test_four_cameras_of_1080p15_lose_no_frame(make_service: Callable[..., Service], server: str) -> None:
    large = film(size="1920x1080", seconds=2)
    other = film("h265", size="1920x1080", seconds=2)
    frames = 160  # longer than a slot
    cameras: dict[str, tuple[Habits, dict[str, Any]]] = {
        "one": (Habits(large, script=once(finite(large, frames)), login="digest"), {}),
        "two": (Habits(large, script=once(finite(large, frames)), login="basic"), {}),
        "three": (Habits(large, script=once(finite(large, frames))), {"transport": "udp"}),
        "four": (Habits(other, script=once(finite(other, frames))), {}),
    }
    service, sent = await record(make_service, server, cameras)
    for name, camera in sent.items():
        assert len(camera.pictures()) == frames
        paths = is_complete(service, name, camera, "h265" if name == "four" else "h264")
        assert length_s(paths) == pytest.approx(frames / 15, abs=0.01)
        assert {clips.probe(path)["height"] for path in paths} == {1080}


async def test_odd_cameras_side_by_side(make_service: Callable[..., Service]) -> None:
    plain, large = film(), film(size="640x360")
    b_frames, slow = film(extra=B_FRAMES), film("h265", seconds=11, gop=150)

    def reconfigured() -> list[Shot]:
        return list(one_after_the_other((plain, 60), (large, 60), (plain, 40)))

    def without_keyframes() -> list[Shot]:
        return [shot for shot in play(plain, frames=600) if not shot.keyframe]

    codecs = ("pcmu", "g726", "l16", "aac")
    cameras: dict[str, tuple[Habits, dict[str, Any]]] = {
        "loud": (Habits(plain, script=once(finite(plain, 160)), sounds=[sound(codec) for codec in codecs]), {}),
        "changing": (Habits(plain, script=once(reconfigured)), {"transport": "udp"}),
        "timeless": (Habits(plain, script=once(finite(plain, 160)), stamp=lambda _: 0), {}),
        "bframes": (Habits(b_frames, script=once(finite(b_frames, 160))), {}),
        "slow": (Habits(slow, script=once(finite(slow, 170)), sdp_sets=()), {}),
    }
    keyless: dict[str, tuple[Habits, dict[str, Any]]] = {
        "keyless": (Habits(plain, script=without_keyframes), {"stall_seconds": 10})
    }
    service, sent = await record(make_service, "gstreamer", cameras | keyless)
    assert "keyless: no video came within 15 s" in service.read_log()
    assert service.segments("keyless") == []
    for name in cameras:
        camera = sent[name]
        paths = is_complete(service, name, camera, "h265" if name == "slow" else "h264")
        seconds = len(camera.pictures()) / 15
        exact = name in {"loud", "slow"}
        if name == "timeless":  # only their arrivals tell its times, which are late on a busy machine
            assert length_s(paths) > seconds - 0.7
        else:
            assert length_s(paths) == pytest.approx(seconds, abs=0.02 if exact else 0.7)
    widths = {clips.probe(path)["width"] for path in service.segments("changing")}
    assert widths == {320, 640}
