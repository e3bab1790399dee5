"""Moving a camera: what it can, and that it stops whatever happens."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from support.onvif_camera import OnvifDevice, fault
from support.own_time import within_own_time
from support.waiting import PATIENCE_S, until

from livecam_nvr.core.ptz import Preset
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.onvif.address import parse_address
from livecam_nvr.onvif.camera import OnvifCamera
from livecam_nvr.onvif.link import Link
from livecam_nvr.onvif.ptz import Steering
from livecam_nvr.runtime.clock import SystemClock


@pytest.fixture
async def device() -> AsyncIterator[OnvifDevice]:
    async with OnvifDevice(user="u", password="p") as device:
        yield device


@pytest.fixture
async def camera(device: OnvifDevice) -> AsyncIterator[OnvifCamera]:
    async with OnvifCamera(f"http://u:p@{device.place}", timeout_s=PATIENCE_S) as camera:
        yield camera


def stops(device: OnvifDevice) -> int:
    return device.operations().count("Stop")


def stops_behind(device: OnvifDevice, operation: str) -> int:
    """How often it was stopped since it was last told this (before that, a slow machine may have had to)."""
    told = device.operations()
    newest = max(at for at, name in enumerate(told) if name.startswith(operation))
    return told[newest:].count("Stop")


async def test_what_it_can(camera: OnvifCamera) -> None:
    can = await camera.abilities()
    assert (can.pan_tilt, can.zoom, can.home) == (True, True, True)
    assert can.presets == (Preset("1", "Door"), Preset("2", "Gate"))


async def test_it_moves_and_stops_by_itself(device: OnvifDevice, camera: OnvifCamera) -> None:
    await camera.move(pan=-0.5, tilt=0.25, zoom=1, seconds=0.3)
    move = device.last("ContinuousMove")
    pan_tilt, zoom = move.attributes("PanTilt"), move.attributes("Zoom")
    assert [float(value) for value in (pan_tilt["x"], pan_tilt["y"], zoom["x"])] == [-0.5, 0.25, 1]
    await until(lambda: device.velocity is None, "the camera stands still")
    assert device.last("Stop").text("PanTilt") == device.last("Stop").text("Zoom") == "true"
    # The camera's own end of it comes after ours, in whole seconds.
    assert device.last("ContinuousMove").text("Timeout") == "PT2S"
    assert stops(device) == 1


async def test_a_further_move_takes_over(device: OnvifDevice, camera: OnvifCamera) -> None:
    await camera.move(pan=1, seconds=0.2)
    begin_s = time.monotonic()
    await camera.move(tilt=1, seconds=0.6)
    await until(lambda: device.velocity is None, "the camera stands still")
    assert time.monotonic() - begin_s >= 0.6
    assert stops_behind(device, "ContinuousMove") == 1


async def test_stop_comes_before_the_end_and_only_once(device: OnvifDevice, camera: OnvifCamera) -> None:
    await camera.move(pan=1, seconds=0.2)
    await camera.stop()
    assert device.velocity is None
    begin_s = time.monotonic()
    await camera.move(zoom=-1, seconds=0.3)
    await until(lambda: device.velocity is None, "the camera stands still")
    assert time.monotonic() - begin_s > 0.29  # not by the end of the move before
    assert stops_behind(device, "ContinuousMove") == 1


async def test_presets_and_home_are_not_interrupted_by_the_end_of_a_move(
    device: OnvifDevice, camera: OnvifCamera
) -> None:
    async with OnvifDevice() as second, OnvifCamera(second.place) as later:
        for goto in (camera.goto_preset("2"), camera.home()):
            await camera.move(pan=1, seconds=0.1)
            await goto
            await later.move(pan=1, seconds=0.3)
            await until(lambda: second.velocity is None, "the later camera stands still")
            assert stops_behind(device, "Goto") == 0
    assert device.last("GotoPreset").text("PresetToken") == "2"
    assert "GotoHomePosition" in device.operations()


async def test_a_lost_stop_is_sent_again(device: OnvifDevice, camera: OnvifCamera) -> None:
    tries = 0

    async def deaf(_request: web.Request) -> web.Response:
        nonlocal tries
        tries += 1
        if tries == 2:
            del device.odd["Stop"]
        return web.Response(status=500)

    device.odd["Stop"] = deaf
    await camera.move(pan=1, seconds=0.1)
    await until(lambda: device.velocity is None, "the camera stands still")
    assert stops(device) == 3


async def test_a_stop_that_fails_is_told_and_sent_again(device: OnvifDevice, camera: OnvifCamera) -> None:
    async def deaf(_request: web.Request) -> web.Response:
        del device.odd["Stop"]
        return web.Response(status=500)

    await camera.move(pan=1, seconds=10)
    device.odd["Stop"] = deaf
    with pytest.raises(LivecamError):
        await camera.stop()
    await until(lambda: device.velocity is None, "the camera stands still")


async def test_a_move_whose_answer_is_lost_is_stopped(device: OnvifDevice, camera: OnvifCamera) -> None:
    async def heard_and_died(_request: web.Request) -> web.Response:
        device.velocity = (1, 0, 0)
        return web.Response(status=500)

    device.odd["ContinuousMove"] = heard_and_died
    with pytest.raises(LivecamError):
        await camera.move(pan=1, seconds=10)
    await until(lambda: device.velocity is None, "the camera stands still")


async def test_a_caller_who_leaves_leaves_no_moving_camera(device: OnvifDevice, camera: OnvifCamera) -> None:
    moves = asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        device.velocity = (1, 0, 0)
        moves.set()
        await asyncio.sleep(60)
        raise AssertionError

    device.odd["ContinuousMove"] = slow
    asking = asyncio.create_task(camera.move(pan=1, seconds=10))
    await moves.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(lambda: device.velocity is None, "the camera stands still")


async def test_close_stops_it(device: OnvifDevice, camera: OnvifCamera) -> None:
    await camera.move(pan=1, seconds=10)
    await camera.close()
    assert device.velocity is None
    with pytest.raises(LivecamError, match="closed"):
        await camera.move(pan=1, seconds=1)


async def test_close_does_not_wait_long_for_a_dead_camera(
    device: OnvifDevice, camera: OnvifCamera, caplog: pytest.LogCaptureFixture
) -> None:
    async def dead(_request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        raise AssertionError

    await camera.move(pan=1, seconds=10)
    device.odd["Stop"] = dead
    async with within_own_time(2.5, "the end"):
        await camera.close()
    assert "may still move" in caplog.text


async def test_a_stop_that_never_gets_through_is_logged(
    device: OnvifDevice, caplog: pytest.LogCaptureFixture
) -> None:
    async def says_no(_request: web.Request) -> web.Response:
        return fault("Receiver", "Action", "stuck")

    device.odd["Stop"] = says_no
    link = Link(parse_address(f"http://u:p@{device.place}"), PATIENCE_S, SystemClock())
    steering = Steering(link, stop_pauses_s=(0, 0))
    await steering.move(1, 0, 0, 0.1)
    await until(lambda: "may still move" in caplog.text, "the warning")
    assert "refused Stop: stuck" in caplog.text
    assert stops(device) == 2
    await link.close()


async def test_a_camera_that_knows_no_timeout(device: OnvifDevice, camera: OnvifCamera) -> None:
    async def picky(_request: web.Request) -> web.Response:
        if device.last("ContinuousMove").text("Timeout"):
            return fault("Sender", "TimeoutNotSupported", "no time-outs")
        device.velocity = (1, 0, 0)
        return web.Response(body=device._answer(device.calls[-1], "/onvif/ptz").body)

    device.odd["ContinuousMove"] = picky
    await camera.move(pan=1, seconds=0.1)
    await until(lambda: device.velocity is None, "the camera stands still")
    await camera.move(pan=1, seconds=0.1)
    assert device.operations().count("ContinuousMove") == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"pan": 1.1, "seconds": 1},
        {"tilt": -2, "seconds": 1},
        {"zoom": float("nan"), "seconds": 1},
        {"pan": float("inf"), "seconds": 1},
        {"pan": 1, "seconds": 0},
        {"pan": 1, "seconds": -1},
        {"pan": 1, "seconds": 10.5},
        {"pan": 1, "seconds": float("nan")},
        {"seconds": 1},
    ],
)
async def test_movements_out_of_bounds(device: OnvifDevice, camera: OnvifCamera, wrong: dict[str, float]) -> None:
    with pytest.raises(LivecamError) as caught:
        await camera.move(**wrong)
    assert caught.value.kind is ErrorKind.INVALID
    assert device.calls == []


async def test_a_preset_that_is_not_there(device: OnvifDevice, camera: OnvifCamera) -> None:
    for token in ("9", "", "x" * 100, "\n"):
        with pytest.raises(LivecamError, match="there is no preset") as caught:
            await camera.goto_preset(token)
        assert caught.value.kind is ErrorKind.NOT_FOUND
    with pytest.raises(LivecamError) as caught:
        await camera.goto_preset("9")
    assert caught.value.hint == "there are: 1 (Door), 2 (Gate)"


async def test_a_camera_without_ptz() -> None:
    async with OnvifDevice(ptz=False) as device, OnvifCamera(device.place) as camera:
        for asking in (camera.abilities(), camera.move(pan=1, seconds=1), camera.stop(), camera.home()):
            with pytest.raises(LivecamError, match="cannot be moved: it offers no PTZ") as caught:
                await asking
            assert caught.value.kind is ErrorKind.CONFLICT


async def test_a_camera_that_can_only_zoom() -> None:
    async with OnvifDevice(pan_tilt=False, home=False) as device, OnvifCamera(device.place) as camera:
        can = await camera.abilities()
        assert (can.pan_tilt, can.zoom, can.home) == (False, True, False)
        with pytest.raises(LivecamError, match="cannot pan and tilt"):
            await camera.move(pan=1, seconds=1)
        with pytest.raises(LivecamError, match="no home position"):
            await camera.home()
        await camera.move(zoom=0.5, seconds=0.1)
        assert device.last("ContinuousMove").attributes("PanTilt") == {}
        await until(lambda: device.velocity is None, "the camera stands still")
        assert device.last("Stop").text("PanTilt") == "false"


async def test_a_fixed_camera_with_a_ptz_service_is_fixed() -> None:
    async with OnvifDevice(pan_tilt=False, zoom=False) as device, OnvifCamera(device.place) as camera:
        with pytest.raises(LivecamError, match="cannot be moved"):
            await camera.abilities()


async def test_a_camera_that_was_set_up_anew(device: OnvifDevice, camera: OnvifCamera) -> None:
    await camera.move(pan=1, seconds=0.1)
    await until(lambda: device.velocity is None, "the camera stands still")

    async def unknown_profile(_request: web.Request) -> web.Response:
        del device.odd["ContinuousMove"]
        device.odd["ContinuousMove"] = again
        return fault("Sender", "NoProfile", "no such profile")

    async def again(_request: web.Request) -> web.Response:
        del device.odd["ContinuousMove"]
        return fault("Sender", "NoProfile", "no such profile")

    device.odd["ContinuousMove"] = unknown_profile
    device.streams[0].token = "new"
    with pytest.raises(LivecamError, match="no such profile"):
        await camera.move(pan=1, seconds=0.1)
    await camera.move(pan=1, seconds=0.1)
    assert device.last("ContinuousMove").text("ProfileToken") == "new"
