"""IP cameras: a second service plays the camera, so it is a real RTSP server with numbered frames."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from support import clips
from support.service import Service, small_camera
from support.waiting import PATIENCE_S, until


def of(camera: Service, **more: object) -> dict[str, object]:
    """The config of an rtsp camera that watches another service."""
    return {"id": "ip", "kind": "rtsp", "url": camera.rtsp("stream"), "stall_seconds": 10, **more}


async def state(service: Service) -> str:
    """Its camera's state."""
    return str((await service.camera("ip"))["state"])


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_a_camera_that_goes_away_comes_back_and_is_copied_frame_by_frame(
    make_service: Callable[..., Service], server: str, transport: str
) -> None:
    camera = make_service(server, cameras=[small_camera("stream")])
    await camera.start()
    service = make_service(server, cameras=[of(camera, transport=transport)])
    await service.start()
    await until(lambda: len(service.segments("ip")) >= 2, "a border")
    await until(lambda: clips.packets_so_far(service.segments("ip")[-1]) > 10)

    await camera.kill()

    async def offline() -> bool:
        return await state(service) == "OFFLINE"

    await until(offline, "OFFLINE")
    dropped = (await service.camera("ip"))["dropped_frames"]

    async def finished() -> bool:
        found = await service.get("/api/cameras/ip/recordings")
        return all(path.name.encode() in found for path in service.segments("ip"))

    await until(finished, "all files finished")
    before = service.segments("ip")
    numbers = [number for path in before for number in clips.frame_numbers(path)]
    if transport == "tcp":
        # The camera's own server leaves out what it has no time for: the times of those that came tell.
        assert numbers == sorted(set(numbers))
        assert numbers[-1] - numbers[0] + 1 - len(numbers) <= dropped
    else:  # a lost datagram shows as a picture that repeats the one before
        assert numbers == sorted(numbers)
        assert len(set(numbers)) > 30
    sizes = [path.stat().st_size for path in before]

    await camera.start()
    await until(lambda: len(service.segments("ip")) > len(before), "recording again", within_s=2 * PATIENCE_S)
    assert [path.stat().st_size for path in before] == sizes

    async def live() -> bool:
        return await state(service) == "LIVE"

    await until(live, "LIVE")
    status = await service.camera("ip")
    assert (status["width"], status["height"]) == (640, 360)
    assert status["restarts"] >= 1
    for text in (json.dumps(await service.status()), service.read_log()):
        assert camera.token not in text
    assert await service.stop() == 0


async def test_h265_is_copied_and_served(
    make_service: Callable[..., Service], server: str, tmp_path: Path
) -> None:
    clip = clips.make(
        tmp_path / "hevc.mp4",
        size="640x360",
        extra=("-c:v", "libx265", "-x265-params", "log-level=none:keyint=15"),
    )
    camera = make_service(server, cameras=[{"id": "stream", "kind": "file", "path": str(clip)}])
    await camera.start()
    service = make_service(server, cameras=[of(camera)])
    await service.start()
    assert (await service.camera("ip"))["codec"].startswith(("hvc1", "hev1"))
    await until(lambda: service.segments("ip"))
    await service.stop()
    found = clips.probe(service.segments("ip")[-1])
    assert found["codec_name"] == "hevc"
    clips.run("ffmpeg", "-v", "error", "-xerror", "-i", str(service.segments("ip")[-1]), "-f", "null", "-")


async def test_a_stream_that_changes_its_size_begins_a_new_file(
    make_service: Callable[..., Service], tmp_path: Path
) -> None:
    small = clips.make(tmp_path / "small.ts", seconds=6, size="320x180")
    large = clips.make(tmp_path / "large.ts", seconds=6, size="640x360")
    both = tmp_path / "both.ts"
    both.write_bytes(small.read_bytes() + large.read_bytes())
    service = make_service(cameras=[{"id": "ip", "kind": "file", "path": str(both)}])
    await service.start()
    await until(lambda: len(service.segments("ip")) >= 3, "files of both sizes")
    await service.stop()
    for path in service.segments("ip"):
        # Each file is of one size and decodes without an error.
        said = clips.run("ffmpeg", "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-")
        assert said == b""
        look = ["-show_entries", "frame=width", "-of", "csv=p=0"]
        widths = set(clips.run("ffprobe", "-v", "error", "-select_streams", "v", *look, str(path)).split())
        assert len({width.strip(b",") for width in widths}) == 1, path
