"""Black and frozen pictures of real cameras."""

from pathlib import Path

import pytest
from support import clips
from support.live_camera import MakeCamera
from support.waiting import until

from livecam_nvr.config import models
from livecam_nvr.media import picture_check
from livecam_nvr.media.health import CameraHealth
from livecam_nvr.media.picture_check import PictureCheck
from livecam_nvr.runtime.clock import SystemClock


class HastyClock(SystemClock):
    """A minute in half a second."""

    def monotonic(self) -> float:
        return super().monotonic() * 120


@pytest.mark.parametrize(
    ("picture", "expected"),
    [("color=black:size=320x180:rate=10", "black"), ("smptebars=size=320x180:rate=10", "frozen")],
)
async def test_the_picture_is_looked_at(
    run_camera: MakeCamera, tmp_path: Path, picture: str, expected: str
) -> None:
    path = tmp_path / "still.mp4"
    clips.run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, "-t", "3", "-g", "10", str(path))
    live = run_camera(models.FileCamera(id="cam0", kind="file", path=path))
    told: list[object] = []
    health = CameraHealth(HastyClock(), told.append)
    check = PictureCheck(live.hub, health, HastyClock(), every_s=0.1)
    check.start()
    await until(lambda: [c.kind for c in health.complaints] == [expected], f"{expected}; told {told}")
    await check.stop()


async def test_a_moving_picture_is_neither(run_camera: MakeCamera) -> None:
    live = run_camera()
    looks: list[tuple[bool, float]] = []

    class Noted(CameraHealth):
        def picture(self, *, black: bool, frozen_s: float) -> None:
            looks.append((black, frozen_s))

    check = PictureCheck(live.hub, Noted(HastyClock(), lambda _: None), HastyClock(), every_s=0.1)
    check.start()
    # A camera that this machine makes late repeats itself; one that is frozen never has another picture.
    await until(lambda: [frozen_s for _, frozen_s in looks].count(0) >= 4, "four pictures that differ")
    await check.stop()
    assert not any(black for black, _ in looks)
    assert picture_check.EVERY_S >= 5, "looking is to cost next to nothing"
