"""Sound from the camera to everyone who listens, in step with the picture by less than 40 ms."""

import asyncio
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from support import clips
from support.flash_beep import offsets
from support.service import Service, small_camera
from support.waiting import until

MOST_S = 0.04
LONG_ENOUGH_S = 5.0  # for a flash that is whole


def in_step(path: Path, at_least: int, *, from_second: bool = False) -> None:
    apart = offsets(path)[1 if from_second else 0 :]
    assert len(apart) >= at_least, apart
    print(path.name, [round(1000 * a) for a in apart])
    assert max(map(abs, apart)) < MOST_S, apart


async def captured(path: Path, *argv: str) -> Path:
    """Some seconds of a live stream as they come."""
    copy = ("-map", "0:v:0", "-map", "0:a:0", "-c", "copy", "-t", "5", str(path))
    await asyncio.to_thread(clips.run, "ffmpeg", "-v", "error", "-nostdin", *argv, *copy)
    return path


def sound_packets(path: Path) -> list[float]:
    show = ("-select_streams", "a:0", "-show_entries", "packet=pts_time", "-of", "json")
    packets = json.loads(clips.run("ffprobe", "-v", "error", *show, str(path)))["packets"]
    return [float(packet["pts_time"]) for packet in packets]


async def test_it_is_in_step_everywhere(make_service: Callable[..., Service], server: str, tmp_path: Path) -> None:
    service = make_service(server, cameras=[small_camera("cam0", sound=True)], recording={"pre_roll_seconds": 3})
    await service.start()
    camera = await service.camera("cam0")
    assert camera["audio_codec"] == "mp4a.40.2"

    rtsp = ("-rtsp_transport", "tcp", "-i", service.rtsp("cam0"))
    api = f"{service.trusted_url}/api/cameras/cam0"
    for path in await asyncio.gather(
        captured(tmp_path / "live.mkv", "-i", f"{api}/live.mp4"),
        captured(tmp_path / "hls.mkv", "-i", f"{api}/hls/index.m3u8"),
    ):
        in_step(path, 3)
    over_rtsp = await captured(tmp_path / "rtsp.mkv", *rtsp)
    for again in range(8 if server == "mediamtx" else 0):
        if max(map(abs, offsets(over_rtsp)[1:])) < MOST_S:
            break
        # It tells the times of both tracks by when their soonest packets arrived: a busy machine takes a while.
        over_rtsp = await captured(tmp_path / f"later{again}.mkv", *rtsp)
    # A viewer only knows how the two tracks belong together from the first sender reports on (RFC 3550, 6.4.1).
    in_step(over_rtsp, 3, from_second=True)

    await until(lambda: len(service.segments("cam0")) >= 3, "two finished files")
    await service.stop()
    *finished, _ = service.segments("cam0")
    first, *whole = finished
    for path in whole:
        in_step(path, 1)
    if float(str(clips.probe(first)["format_duration"])) > LONG_ENOUGH_S:  # it may end soon after it began
        in_step(first, 1)
    # The files' sound is as long as their pictures: none is missing at a cut, and none is in two files.
    heard = sum(len(sound_packets(path)) for path in finished) * 1024 / 48_000
    seen = sum(clips.probe(path)["packets"] for path in finished) / 15  # type: ignore[misc]
    assert abs(heard - seen) < 0.06
    for path in finished:
        times = sound_packets(path)
        assert max(b - a for a, b in pairwise(times)) < 0.03
