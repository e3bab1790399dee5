"""All cameras of the config that have ONVIF."""

import asyncio

import pytest
from pydantic import SecretStr
from support.onvif_camera import OnvifDevice

from livecam_nvr.core.ptz import FoundCamera, OnvifPort
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.onvif.service import OnvifCameras


class Network:
    """A network that is searched."""

    def __init__(self) -> None:
        self.searches = 0
        self.go_on = asyncio.Event()
        self.error: LivecamError | None = None

    async def search(self) -> list[FoundCamera]:
        self.searches += 1
        await self.go_on.wait()
        if self.error:
            raise self.error
        return [FoundCamera(f"10.0.0.{self.searches}")]


async def test_cameras_are_moved_by_their_id() -> None:
    async with OnvifDevice(user="u", password="p") as one, OnvifDevice() as two:
        cameras: OnvifPort = OnvifCameras(
            {"a": SecretStr(f"http://u:p@{one.place}"), "b": SecretStr(f"http://{two.place}/onvif/device_service")}
        )
        assert (await cameras.abilities("a")).pan_tilt
        await cameras.move("b", pan=1, tilt=0, zoom=0, seconds=5)
        assert (one.velocity, two.velocity) == (None, (1, 0, 0))
        await cameras.stop_moving("b")
        await cameras.goto_preset("a", "1")
        await cameras.goto_home("a")
        assert "GotoHomePosition" in one.operations()
        await cameras.move("a", pan=1, tilt=0, zoom=0, seconds=5)
        assert isinstance(cameras, OnvifCameras)
        await cameras.stop()
        assert one.velocity is None
        with pytest.raises(LivecamError, match="stopping"):
            await cameras.abilities("a")
        await cameras.stop()


async def test_a_camera_without_onvif_and_one_with_a_wrong_address() -> None:
    cameras = OnvifCameras({"bad": SecretStr("ftp://u:hunter2@x")})
    with pytest.raises(LivecamError, match="'cam0' has no ONVIF address") as caught:
        await cameras.abilities("cam0")
    assert caught.value.kind is ErrorKind.CONFLICT
    assert "onvif_url" in caught.value.hint
    with pytest.raises(LivecamError) as caught:
        await cameras.abilities("bad")
    assert "hunter2" not in str(caught.value) + caught.value.hint
    await cameras.stop()


async def test_one_search_serves_all_who_ask_meanwhile() -> None:
    network = Network()
    cameras = OnvifCameras({}, search=network.search)
    first, second, leaver = (asyncio.create_task(cameras.discover()) for _ in range(3))
    await asyncio.sleep(0)
    leaver.cancel()
    await asyncio.gather(leaver, return_exceptions=True)
    network.go_on.set()
    assert await first == await second == [FoundCamera("10.0.0.1")]
    assert await cameras.discover() == [FoundCamera("10.0.0.2")]
    await cameras.stop()


async def test_a_search_that_fails_fails_for_all_and_not_for_ever() -> None:
    network = Network()
    network.error = LivecamError(ErrorKind.UNAVAILABLE, "no network")
    network.go_on.set()
    cameras = OnvifCameras({}, search=network.search)
    for answer in await asyncio.gather(cameras.discover(), cameras.discover(), return_exceptions=True):
        assert answer is network.error
    network.error = None
    assert await cameras.discover() == [FoundCamera("10.0.0.2")]
    await cameras.stop()


async def test_stop_ends_a_search() -> None:
    cameras = OnvifCameras({}, search=Network().search)
    asking = asyncio.create_task(cameras.discover())
    await asyncio.sleep(0)
    await cameras.stop()
    with pytest.raises(LivecamError, match="stopping"):
        await asking
    with pytest.raises(LivecamError, match="stopping"):
        await cameras.discover()
