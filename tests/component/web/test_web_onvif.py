"""Searching and moving over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from fakes.onvif_port import FakeOnvif
from fakes.web_service import Site, http
from pydantic import SecretStr
from support.onvif_camera import OnvifDevice
from support.waiting import until

from livecam_nvr.core.ptz import OnvifPort
from livecam_nvr.onvif.service import OnvifCameras

PTZ = "/api/cameras/cam0/ptz"


async def served(folder: Path, onvif: OnvifPort) -> Site:
    site = Site(folder, ["cam0", "cam1"])
    site.server = site.server_of(ports=replace(site.ports, onvif=onvif))
    await site.server.start()
    return site


@pytest.fixture
def onvif() -> FakeOnvif:
    return FakeOnvif()


@pytest.fixture
async def moving(tmp_path: Path, onvif: FakeOnvif) -> AsyncIterator[aiohttp.ClientSession]:
    site = await served(tmp_path, onvif)
    async with http(site) as session:
        yield session
    await site.close()


async def test_what_is_found(moving: aiohttp.ClientSession) -> None:
    async with moving.get("/api/discover") as answer:
        assert (await answer.json())["cameras"] == [
            {
                "host": "10.0.0.1",
                "addresses": ["http://10.0.0.1/x"],
                "name": "Door",
                "hardware": "Eye 3",
                "location": "Home",
                "endpoint": "urn:uuid:1",
            }
        ]


async def test_what_a_camera_can(moving: aiohttp.ClientSession) -> None:
    async with moving.get(PTZ) as answer:
        assert await answer.json() == {
            "camera_id": "cam0",
            "pan_tilt": True,
            "zoom": False,
            "home": True,
            "presets": [{"token": "1", "name": "Door"}],
        }


@pytest.mark.parametrize(
    ("body", "done"),
    [
        ({"move": {"pan": 0.5, "tilt": 0, "zoom": -1, "seconds": 0.5}}, ("move", 0.5, 0, -1, 0.5)),
        ({"move": {"tilt": 1, "seconds": 2}}, ("move", 0, 1, 0, 2)),
        ({"stop": True}, ("stop",)),
        ({"preset": "1"}, ("preset", "1")),
        ({"home": True}, ("home",)),
    ],
)
async def test_orders(
    moving: aiohttp.ClientSession, onvif: FakeOnvif, body: dict[str, object], done: tuple[object, ...]
) -> None:
    async with moving.post(PTZ, json=body) as answer:
        assert answer.status == 200
        assert await answer.json() == {"camera_id": "cam0"}
    assert onvif.done == [done]


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "[]",
        "null",
        "nonsense",
        '{"stop": false}',
        '{"stop": 1}',
        '{"home": null}',
        '{"home": "yes"}',
        '{"stop": true, "home": true}',
        '{"jump": true}',
        '{"move": true}',
        '{"move": {}}',
        '{"move": {"pan": 1}}',
        '{"move": {"pan": "1", "seconds": 1}}',
        '{"move": {"pan": true, "seconds": 1}}',
        '{"move": {"pan": 1, "seconds": null}}',
        '{"move": {"pan": 1, "seconds": 1, "roll": 1}}',
        '{"preset": 1}',
        '{"preset": ""}',
        '{"preset": "' + 65 * "x" + '"}',
    ],
)
async def test_wrong_orders(moving: aiohttp.ClientSession, onvif: FakeOnvif, body: str) -> None:
    async with moving.post(PTZ, data=body, headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["hint"]
    assert onvif.done == []


async def test_foreign_pages_move_nothing(moving: aiohttp.ClientSession, onvif: FakeOnvif) -> None:
    async with moving.post(PTZ, data='{"stop": true}', headers={"Content-Type": "text/plain"}) as answer:
        assert answer.status == 415
    async with moving.post(PTZ, json={"stop": True}, headers={"Origin": "http://evil.example"}) as answer:
        assert answer.status == 403
    assert onvif.done == []


@pytest.mark.parametrize(("camera_id", "status"), [("nobody", 404), ("cam1", 409)])
async def test_cameras_that_cannot_be_moved(moving: aiohttp.ClientSession, camera_id: str, status: int) -> None:
    path = f"/api/cameras/{camera_id}/ptz"
    async with moving.get(path) as answer:
        assert answer.status == status
    async with moving.post(path, json={"stop": True}) as answer:
        assert answer.status == status
        assert camera_id in (await answer.json())["error"]["message"]


async def test_a_service_without_onvif(client: aiohttp.ClientSession) -> None:
    for path, status in (("/api/discover", 503), (PTZ, 409), ("/api/cameras/nobody/ptz", 404)):
        async with client.get(path) as answer:
            assert answer.status == status


async def test_with_a_camera(tmp_path: Path) -> None:
    async with OnvifDevice(user="u", password="p") as device:
        cameras = OnvifCameras(
            {"cam0": SecretStr(f"http://u:p@{device.place}"), "cam1": SecretStr("http://u:x@[")}
        )
        site = await served(tmp_path, cameras)
        async with http(site) as session:
            async with session.get(PTZ) as answer:
                assert [preset["name"] for preset in (await answer.json())["presets"]] == ["Door", "Gate"]
            for movement, status in (
                ({"pan": 1, "seconds": 0.2}, 200),
                ({"pan": 2, "seconds": 0.2}, 400),
                ({"pan": 1, "seconds": 1e9}, 400),
            ):
                async with session.post(PTZ, json={"move": movement}) as answer:
                    assert answer.status == status
            # JSON has no such number, but Python's reader takes it.
            async with session.post(
                PTZ,
                data='{"move": {"pan": NaN, "seconds": 1}}',
                headers={"Content-Type": "application/json"},
            ) as answer:
                assert answer.status == 400
            await until(lambda: device.velocity is None, "the camera stands still")
            async with session.post(PTZ, json={"preset": "9"}) as answer:
                assert answer.status == 404
            device.password = "changed"
            async with session.get(PTZ) as answer:
                assert answer.status == 503
            async with session.get("/api/cameras/cam1/ptz") as answer:
                assert answer.status == 400
        await site.close()
        await cameras.stop()
