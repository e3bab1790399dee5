"""The main job on real input: live over RTSP and HTTP, recordings without a gap, whatever dies."""

import asyncio
import contextlib
import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import clips
from support.service import Service, alive, command_line, kill, small_camera
from support.waiting import PATIENCE_S, until

SERVER_PROCESS = {"gstreamer": "gst_child", "mediamtx": "mediamtx"}


async def decode_frames(url: str, *options: str, frames: int = 5) -> None:
    """A real player decodes some frames."""
    argv = ["ffmpeg", "-v", "error", *options, "-i", url, "-frames:v", str(frames), "-f", "null", "-"]
    player = await asyncio.create_subprocess_exec(*argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        async with asyncio.timeout(PATIENCE_S):
            _, said = await player.communicate()
    except TimeoutError:
        player.kill()
        await player.wait()
        raise AssertionError(f"no {frames} frames from {url} within {PATIENCE_S} s") from None
    assert player.returncode == 0, said.decode()


async def test_live_over_rtsp_and_http(make_service: Callable[..., Service], server: str) -> None:
    service = make_service(server)
    await service.start()

    tcp, udp = ("-rtsp_transport", "tcp"), ("-rtsp_transport", "udp")
    clients = [(camera, transport) for camera in ("cam0", "cam1") for transport in (tcp, udp, tcp)]
    await asyncio.gather(*(decode_frames(service.rtsp(camera), *transport) for camera, transport in clients))

    base = f"{service.trusted_url}/api/cameras/cam0"
    for path in ("live.mp4", "hls/index.m3u8", "stream.mjpeg"):
        await decode_frames(f"{base}/{path}")
    picture = await service.get("/api/cameras/cam1/snapshot.jpg")
    assert picture[:3] == b"\xff\xd8\xff"
    assert b"<html" in (await service.get("/")).lower()

    status = await service.status()
    assert [c["id"] for c in status["cameras"]] == ["cam0", "cam1"]
    assert status["media_server"]["name"] == server
    for camera in status["cameras"]:
        assert (camera["width"], camera["height"]) == (640, 360)
        assert camera["recording"]["active"] is True


async def test_not_a_frame_is_lost_over_borders_while_the_media_server_is_killed(
    make_service: Callable[..., Service], server: str
) -> None:
    service = make_service(server)
    await service.start()
    await until(lambda: len(service.segments("cam0")) >= 3, "two borders")
    (victim,) = service.children(SERVER_PROCESS[server])
    kill(victim)
    await until(lambda: not alive(victim))
    # The server is back and viewers can come again, while recording goes on over two more borders.
    await until(lambda: any(alive(p) for p in service.children(SERVER_PROCESS[server])), "a new media server")

    async def watchable() -> bool:
        with contextlib.suppress(AssertionError):
            await decode_frames(service.rtsp("cam0"), "-rtsp_transport", "tcp")
            return True
        return False

    await until(watchable, "a viewer of the new media server")
    await until(
        lambda: all(len(service.segments(c)) >= 6 for c in ("cam0", "cam1")),
        "five borders",
        within_s=2 * PATIENCE_S,
    )
    assert await service.stop() == 0

    for camera in ("cam0", "cam1"):
        files = service.segments(camera)
        numbers: list[int] = []
        for path in files:
            assert re.fullmatch(camera + r"_\d{8}_\d{6}\.mp4", path.name)
            numbers += clips.frame_numbers(path)
        # Each test camera counts its frames from 0: every one is there, once, in order.
        assert numbers == list(range(len(numbers)))
        for path in files[1:-1]:
            found = clips.probe(path)
            packets = int(str(found["packets"]))
            assert found["format_duration"] == pytest.approx(packets / 15, abs=0.01)
            if service.was_late(camera):  # found out only then when its pictures were taken
                continue
            assert int(path.stem[-1]) == 0, f"{path.name} does not begin on the clock"
            # It is cut at keyframes, which come once a second, and more often just after a start.
            assert abs(packets - 10 * 15) <= 15


async def test_the_file_being_written_can_be_played(make_service: Callable[..., Service]) -> None:
    service = make_service(cameras=[small_camera("cam0")])
    await service.start()
    seen: dict[Path, int] = {}

    def growing() -> Path | None:
        # At the end of a slot another file is the newest.
        for path in service.segments("cam0")[-1:]:
            packets = clips.packets_so_far(path)
            if 0 < seen.setdefault(path, packets) < packets:
                return path
            seen[path] = seen[path] or packets
        return None

    path = await until(growing, "a file that can be read to grow")
    assert isinstance(path, Path)
    relative = path.relative_to(service.recordings).as_posix()
    assert (await service.get(f"/recordings/{relative}"))[4:8] == b"ftyp"


async def test_a_killed_camera_process_is_noticed_at_once_and_is_back(
    make_service: Callable[..., Service],
) -> None:
    # Were it not for its end that is noticed, it would be for the frames that do not come.
    patient = {"stall_seconds": 2 * PATIENCE_S}
    service = make_service(cameras=[small_camera("cam0", **patient), small_camera("cam1", **patient)])
    await service.start()
    await until(lambda: service.segments("cam0"))
    before = await service.camera("cam0")
    victim = next(pid for pid in service.children("ffmpeg") if "cam0" in command_line(pid))
    kill(victim)

    async def back() -> bool:
        camera = await service.camera("cam0")
        return camera["restarts"] > before["restarts"] and camera["state"] == "LIVE"

    await until(back, "cam0 LIVE again")

    async def ended_by_the_kill() -> dict[str, Any] | None:
        found = json.loads(await service.get("/api/cameras/cam0/recordings"))["recordings"]
        return next((dict(file) for file in found if file["cause"] == "encoder"), None)

    earlier: Any = await until(ended_by_the_kill, "the file that ended with it")
    numbers = clips.frame_numbers(service.recordings / earlier["path"])
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    await until(lambda: service.segments("cam0")[-1] != service.recordings / earlier["path"], "recording to go on")
    await until(service.all_live, "both LIVE")
    assert (await service.camera("cam1"))["restarts"] == 0


async def test_a_killed_service_leaves_no_orphan_and_repairs_its_files(
    make_service: Callable[..., Service], server: str
) -> None:
    service = make_service(server, recording={"segment_seconds": 3600})

    def newest() -> Path | None:
        # Files end on the clock: at the end of an hour, another one is the newest.
        found = service.segments("cam0")[-1:]
        return found[0] if found and clips.packets_so_far(found[0]) > 30 else None

    await service.start()
    await until(newest, "more than one GOP in the newest file")
    children = service.children()
    assert len(children) >= 3
    await service.kill()
    await until(lambda: not any(alive(pid) for pid in children), "all children dead")
    torn = service.segments("cam0")[-1]
    before = clips.frame_numbers(torn)

    await service.start()

    async def indexed() -> bool:
        found = json.loads(await service.get("/api/cameras/cam0/recordings?limit=50"))
        return torn.relative_to(service.recordings).as_posix() in json.dumps(found)

    await until(indexed, "the repaired file in the index")
    after = clips.probe(torn)
    assert clips.frame_numbers(torn) == before
    assert after["format_duration"] == pytest.approx(len(before) / 15, abs=0.001)


async def test_sigterm_finishes_files_and_leaves_nothing(
    make_service: Callable[..., Service], server: str
) -> None:
    service = make_service(server)
    await service.start()
    await until(lambda: all(service.segments(c) for c in ("cam0", "cam1")))
    children = service.children()
    assert await service.stop() == 0
    assert not any(alive(pid) for pid in children)
    for camera in ("cam0", "cam1"):
        path = service.segments(camera)[-1]
        found = clips.probe(path)
        assert found["format_duration"] == pytest.approx(found["packets"] / 15, abs=0.001)  # type: ignore[operator]


async def test_it_stops_by_itself_after_a_duration(make_service: Callable[..., Service]) -> None:
    service = make_service()
    began_s = time.monotonic()
    await service.start("--duration", "5s", wait=False)
    assert service.process is not None
    assert await asyncio.to_thread(service.process.wait, PATIENCE_S) == 0
    assert time.monotonic() - began_s >= 5


async def test_one_camera_that_cannot_be_opened_harms_no_other(make_service: Callable[..., Service]) -> None:
    secret = "hunter2secret"
    away = {"id": "away", "kind": "rtsp", "url": f"rtsp://admin:{secret}@127.0.0.1:1/stream"}
    missing = {"id": "missing", "kind": "file", "path": "no-such-file.mp4"}
    service = make_service(cameras=[small_camera("cam0"), away, missing])
    await service.start(wait=False)

    async def told() -> bool:
        try:
            states = {c["id"]: c for c in (await service.status())["cameras"]}
        except OSError:
            return False
        return states["cam0"]["state"] == "LIVE" and all(states[c]["fault"] for c in ("away", "missing"))

    await until(told)
    status = await service.status()
    states = {c["id"]: c for c in status["cameras"]}
    assert states["away"]["state"] == states["missing"]["state"] == "OFFLINE"
    assert "refused" in states["away"]["fault"]["message"]
    assert "no-such-file.mp4" in states["missing"]["fault"]["message"]
    await until(lambda: service.segments("cam0"))
    assert secret not in json.dumps(status)
    assert secret not in service.read_log()
