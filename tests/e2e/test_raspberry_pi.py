"""Two Raspberry Pi cameras through the whole service: real picamera2 on virtual cameras."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from support import clips
from support.service import STALL_S, Service, command_line
from support.virtual_cameras import FIXED, FOCUSING, virtual_path
from support.waiting import until

SMALL = {"size": "320x240", "fps": 15, "bitrate_kbps": 400}


def pi_camera(camera_id: str, sensor: str, stall_s: float) -> dict[str, object]:
    return {"id": camera_id, "kind": "picamera2", "camera": sensor, "stall_seconds": stall_s, **SMALL}


async def test_a_pi_camera_changes_dies_and_hangs_and_the_other_loses_no_frame(
    make_service: Callable[..., Service], tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    service = make_service(cameras=[pi_camera("pi0", FOCUSING, 5), pi_camera("pi1", FIXED, STALL_S)])
    service.env["PATH"] = virtual_path(tmp_path / "bin")
    await service.start()
    probe = ("ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_entries", "stream=width", "-of", "csv=p=0")
    assert clips.run(*probe, service.rtsp("pi0")).strip() == b"320"

    answer = await service.post("/api/cameras/pi0/quality", {"height": 480, "fps": 10})
    assert (answer["height"], answer["fps"], answer["changing"]) == (480, 10, False)
    assert answer["interruption_s"] > 0

    async def runs_so() -> bool:
        camera = await service.camera("pi0")
        return (camera["width"], camera["height"]) == (640, 480) and 9 <= camera["fps"] <= 11

    await until(runs_so, "640x480 at 10 frames a second")

    async def lives_again(restarts: int, said: str) -> bool:
        camera = await service.camera("pi0")
        fault = camera["fault"] and camera["fault"]["message"]
        return bool(camera["restarts"] > restarts and camera["state"] == "LIVE" and said in fault)

    for number, said in ((signal.SIGKILL, "signal 9"), (signal.SIGSTOP, "no sign of life")):
        before = await service.camera("pi0")
        child = next(pid for pid in service.children("picam/child") if FOCUSING in command_line(pid))
        os.kill(child, number)
        await until(
            lambda before=before, said=said: lives_again(before["restarts"], said), f"back after {number.name}"
        )
        assert (await service.camera("pi0"))["width"] == 640, "the quality is kept"

    other = await service.camera("pi1")
    # What the camera's own software has left out on a machine that is short of CPU, never came.
    assert (other["restarts"], other["fault"]) == (0, None)
    assert await service.stop() == 0
    recorded = [clips.probe(path) for path in service.segments("pi0")]
    assert {(found["width"], found["height"]) for found in recorded} == {(320, 240), (640, 480)}
    frames = sum(int(str(clips.probe(path)["packets"])) for path in service.segments("pi1"))
    assert frames >= other["frames"], "all that came is on disk"
