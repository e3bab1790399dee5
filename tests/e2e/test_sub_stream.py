"""An IP camera's smaller stream: served beside the main one, never recorded."""

import json
import urllib.error
from collections.abc import Callable

from support import clips
from support.service import STALL_S, Service, small_camera
from support.waiting import until


async def test_the_smaller_stream_is_served_and_not_recorded(
    make_service: Callable[..., Service], server: str
) -> None:
    camera = make_service(server, cameras=[small_camera("main"), small_camera("small", size="480x270")])
    await camera.start()
    urls = {"url": camera.rtsp("main"), "sub_url": camera.rtsp("small")}
    service = make_service(server, cameras=[{"id": "ip", "kind": "rtsp", "stall_seconds": STALL_S, **urls}])
    await service.start()

    status = await service.status()
    assert [(c["id"], c["sub_stream"], c["width"]) for c in status["cameras"]] == [("ip", "ip_sub", 640)]

    async def snapshot_width() -> int:
        picture = service.folder / "snapshot.jpg"
        try:
            picture.write_bytes(await service.get("/api/cameras/ip_sub/snapshot.jpg"))
        except urllib.error.HTTPError:  # no picture yet
            return 0
        return int(str(clips.probe(picture)["width"]))

    async def is_small() -> bool:
        return await snapshot_width() == 480

    await until(is_small, "a snapshot of the smaller stream")
    listing = await service.get("/api/cameras/ip_sub/hls/index.m3u8")
    assert b"RESOLUTION=480x270" in listing
    probe = ("ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_entries", "stream=width", "-of", "csv=p=0")
    assert clips.run(*probe, service.rtsp("ip_sub")).strip() == b"480"

    await until(lambda: service.segments("ip"), "the main stream is recorded")
    assert service.segments("ip_sub") == []
    assert json.loads(await service.get("/api/cameras/ip_sub/recordings"))["recordings"] == []
    assert await service.stop() == 0
