"""Privacy masks of an IP camera: what is masked leaves the service in no way."""

import asyncio
import urllib.error
from collections.abc import Callable

from support import clips
from support.brightness import darkest_and_brightest
from support.service import STALL_S, Service, small_camera
from support.waiting import until

LEFT_HALF = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]


async def test_a_masked_area_is_in_no_stream_no_picture_and_no_recording(
    make_service: Callable[..., Service],
) -> None:
    # Its own pictures have dark and bright areas everywhere.
    camera = make_service(cameras=[small_camera("main"), small_camera("small", size="480x270")])
    await camera.start()
    urls = {"url": camera.rtsp("main"), "sub_url": camera.rtsp("small")}
    service = make_service(
        cameras=[
            {"id": "ip", "kind": "rtsp", "masks": [LEFT_HALF], "overlay": True, "stall_seconds": STALL_S, **urls}
        ]
    )
    await service.start()
    seen = service.folder / "seen"
    seen.mkdir()

    async def snapshots() -> bool:
        try:
            for stream in ("ip", "ip_sub"):
                (seen / f"{stream}.jpg").write_bytes(await service.get(f"/api/cameras/{stream}/snapshot.jpg"))
        except urllib.error.HTTPError:  # no picture yet
            return False
        return True

    await until(snapshots, "snapshots of both streams")
    outs = {
        "rtsp.mp4": ["-rtsp_transport", "tcp", "-i", service.rtsp("ip")],
        "rtsp_sub.mp4": ["-rtsp_transport", "tcp", "-i", service.rtsp("ip_sub")],
        "live.mp4": ["-i", f"{service.trusted_url}/api/cameras/ip/live.mp4"],
        "hls.mp4": ["-i", f"{service.trusted_url}/api/cameras/ip_sub/hls/index.m3u8"],
    }
    for name, source in outs.items():
        copy = ["-frames:v", "20", "-c", "copy", str(seen / name)]
        await asyncio.to_thread(clips.run, "ffmpeg", "-v", "error", "-nostdin", *source, *copy)
    mjpeg = [
        "-i",
        f"{service.trusted_url}/api/cameras/ip/stream.mjpeg",
        "-frames:v",
        "2",
        "-c",
        "copy",
        str(seen / "m.mkv"),
    ]
    await asyncio.to_thread(clips.run, "ffmpeg", "-v", "error", "-nostdin", *mjpeg)
    assert await service.stop() == 0
    recordings = service.segments("ip")
    assert recordings
    for path in (*seen.iterdir(), *recordings):
        # An encoder blurs the very edge of a mask.
        assert darkest_and_brightest(path, 0, 0.47)[1] <= 3, path.name
        assert darkest_and_brightest(path, 0.52, 1)[1] > 200, path.name
    assert len(list(seen.iterdir())) == 7
    assert "ip: it is encoded here and not copied" in service.read_log()
