"""A camera's quality with its real ffmpeg."""

import asyncio
import signal
from typing import Any

import pytest
from support.live_camera import MakeCamera
from support.waiting import until

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.status import CameraState
from livecam_nvr.media.control import CameraControls


async def test_a_change_ends_with_the_first_frame_of_the_new_quality(run_camera: MakeCamera) -> None:
    camera = run_camera(fps=15)
    controls = CameraControls({"cam0": camera.pipeline})
    with pytest.raises(LivecamError) as raised:
        await controls.set_quality("cam0", height=480, by="a test")
    assert raised.value.kind is ErrorKind.UNAVAILABLE

    await camera.until_state(CameraState.LIVE)
    first = asyncio.create_task(controls.set_quality("cam0", height=480, fps=10, by="a test"))
    await until(lambda: controls.quality("cam0").changing)
    with pytest.raises(LivecamError) as raised:
        await controls.set_quality("cam0", height=720, by="a test")
    assert raised.value.kind is ErrorKind.CONFLICT
    status = await first
    assert (status.height, status.fps, status.changing) == (480, 10, False)
    assert status.interruption_s is not None
    assert status.interruption_s > 0
    assert camera.ends == [EndCause.RECONFIGURED]
    assert (camera.started[-1].width, camera.started[-1].height) == (848, 480)
    assert camera.course == [CameraState.LIVE]
    with pytest.raises(LivecamError, match="there is no camera 'cam1'"):
        controls.quality("cam1")


async def test_who_asked_may_leave(run_camera: MakeCamera) -> None:
    camera = run_camera(fps=15)
    await camera.until_state(CameraState.LIVE)
    asked: asyncio.Task[Any] = asyncio.create_task(camera.pipeline.set_quality(480, None))
    await until(lambda: camera.pipeline.quality.changing)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    await until(lambda: not camera.pipeline.quality.changing)
    assert camera.pipeline.quality.height == 480


async def test_a_restart_is_a_new_run_without_a_pause(run_camera: MakeCamera) -> None:
    camera = run_camera(fps=15)
    await camera.until_state(CameraState.LIVE)
    CameraControls({"cam0": camera.pipeline}).restart("cam0", "a test")
    await until(lambda: len(camera.started) == 2)
    assert camera.ends == [EndCause.RECONFIGURED]
    assert camera.pipeline.quality.changing is False


async def test_a_change_asked_for_while_a_stalled_run_ends_is_tried(run_camera: MakeCamera) -> None:
    camera = run_camera(fps=15, stall_seconds=1)

    def is_being_ended() -> bool:
        age = camera.pipeline.camera_status().last_frame_age_s
        return age is not None and age > 1.6  # it counts as stalled, and does not end when asked

    ended = -1
    while len(camera.ends) != ended:  # this machine may have slept through the moment
        ended = len(camera.ends)
        await until(lambda so_far=ended + 1: len(camera.started) >= so_far, "another run")
        await camera.until_state(CameraState.LIVE)
        await camera.kill(signal.SIGSTOP)
        await until(lambda so_far=ended: is_being_ended() or len(camera.ends) > so_far, "the stall")
    status = await camera.pipeline.set_quality(480, None)
    assert status.height == 480
    assert (camera.started[-1].width, camera.started[-1].height) == (848, 480)


async def test_whoever_waits_for_a_change_is_told_when_the_camera_is_stopped(run_camera: MakeCamera) -> None:
    camera = run_camera(fps=15)
    await camera.until_state(CameraState.LIVE)
    asked: asyncio.Task[Any] = asyncio.create_task(camera.pipeline.set_quality(480, None))
    await until(lambda: camera.pipeline.quality.changing)
    await camera.pipeline.stop()
    with pytest.raises(LivecamError, match="is being stopped"):
        await asked
