"""Camera entities: their state, their stream's address, and their pictures."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from custom_components.livecam_nvr.entity import snapshot_signal
from homeassistant.components.camera import (
    CameraEntityFeature,
    async_get_image,
    async_get_stream_source,
    get_camera_from_entity_id,
)
from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.dispatcher import async_dispatcher_send
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from yarl import URL

from fake_archive import FakeArchive
from fake_service import TOKEN, until

CAMERA = "camera.front_door"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[FakeArchive]:
    async with FakeArchive(tmp_path) as fake:
        yield fake


async def _shown(hass: HomeAssistant, service: FakeArchive, state: str) -> None:
    await until(lambda: service.sockets)
    await service.push()
    await until(lambda: hass.states.get(CAMERA).state == state)


async def test_the_state_says_what_the_camera_does(
    hass: HomeAssistant, service: FakeArchive, loaded: MockConfigEntry
) -> None:
    assert hass.states.get(CAMERA).state == "recording"
    service.camera()["recording"]["active"] = False
    await _shown(hass, service, "streaming")
    service.camera()["state"] = "OFFLINE"
    await _shown(hass, service, "idle")
    # Away is not unavailable: what is missing is the camera, not the news of it.
    await service.stop()
    await until(lambda: hass.states.get(CAMERA).state == "unavailable")


async def test_the_stream_is_the_services_with_our_token(
    hass: HomeAssistant, service: FakeArchive, loaded: MockConfigEntry
) -> None:
    service.camera()["addresses"]["rtsp"] = "rtsp://127.0.0.1:18554/cam0"
    await until(lambda: service.sockets)
    await service.push()
    wanted = f"rtsp://homeassistant:{TOKEN}@127.0.0.1:18554/cam0"
    camera = get_camera_from_entity_id(hass, CAMERA)
    await until(lambda: camera.camera.addresses.rtsp.endswith(":18554/cam0"))
    assert await async_get_stream_source(hass, CAMERA) == wanted
    assert CameraEntityFeature.STREAM in camera.supported_features
    assert camera.stream_options == {"rtsp_transport": "tcp"}


async def test_without_a_media_server_there_is_no_stream(
    hass: HomeAssistant, service: FakeArchive, loaded: MockConfigEntry
) -> None:
    camera = get_camera_from_entity_id(hass, CAMERA)
    for addresses in (None, {"rtsp": "", "rtsps": None, "webrtc": None, "ll_hls": None}):
        service.camera()["addresses"] = addresses
        await until(lambda: service.sockets)
        await service.push()
        await until(lambda: camera.supported_features == CameraEntityFeature.ON_OFF)
        assert await camera.stream_source() is None
        service.camera()["addresses"] = {"rtsp": "rtsp://x:1/cam0", "rtsps": None, "webrtc": None, "ll_hls": None}
        await service.push()
        await until(lambda: CameraEntityFeature.STREAM in camera.supported_features)
    await service.stop()
    await until(lambda: not camera.available)
    assert await camera.stream_source() is None


async def test_a_token_that_goes_over_https_does_not_go_over_plain_rtsp(
    hass: HomeAssistant, service: FakeArchive, loaded: MockConfigEntry
) -> None:
    camera = get_camera_from_entity_id(hass, CAMERA)
    service.camera()["addresses"]["rtsps"] = "rtsps://127.0.0.1:8322/cam0"
    await until(lambda: service.sockets)
    await service.push()
    await until(lambda: camera.camera.addresses.rtsps)
    assert (await camera.stream_source() or "").startswith("rtsp://")
    loaded.runtime_data.client.url = URL(service.url).with_scheme("https")
    assert await camera.stream_source() == f"rtsps://homeassistant:{TOKEN}@127.0.0.1:8322/cam0"


async def test_a_stream_that_runs_follows_the_media_server(
    hass: HomeAssistant, service: FakeArchive, loaded: MockConfigEntry
) -> None:
    class Stream:
        available = True
        source = ""

        def update_source(self, source: str) -> None:
            self.source = source

        async def stop(self) -> None:
            """Nothing runs."""

    camera = get_camera_from_entity_id(hass, CAMERA)
    camera.stream = Stream()  # type: ignore[assignment]
    service.camera()["addresses"]["rtsp"] = "rtsp://127.0.0.1:28554/cam0"
    await until(lambda: service.sockets)
    await service.push()
    await until(lambda: camera.stream.source == f"rtsp://homeassistant:{TOKEN}@127.0.0.1:28554/cam0")
    camera.stream = None


async def test_stills_come_in_the_height_that_is_asked_for(
    hass: HomeAssistant, service: FakeArchive, loaded: MockConfigEntry
) -> None:
    async def path(height: int | None) -> str:
        return (await async_get_image(hass, CAMERA, height=height)).content.decode()

    assert await path(None) == "/api/cameras/cam0/snapshot.jpg"
    assert await path(360) == "/api/cameras/cam0/snapshot.jpg?height=360"
    assert await path(1) == "/api/cameras/cam0/snapshot.jpg?height=16"
    assert await path(9999) == "/api/cameras/cam0/snapshot.jpg?height=4320"


async def test_why_there_is_no_still_is_told(
    hass: HomeAssistant, service: FakeArchive, loaded: MockConfigEntry
) -> None:
    service.refusals["/api/cameras/cam0/snapshot.jpg"] = (503, "unavailable", "cam0 has no picture", "it is OFFLINE")
    with pytest.raises(HomeAssistantError, match="cam0 has no picture: it is OFFLINE") as caught:
        await async_get_image(hass, CAMERA)
    assert caught.value.translation_key == "no_picture"


async def test_a_service_that_hangs_is_told_before_home_assistant_gives_up(
    hass: HomeAssistant, service: FakeArchive, loaded: MockConfigEntry
) -> None:
    get_camera_from_entity_id(hass, CAMERA).still_s = 0.05  # type: ignore[attr-defined]
    service.hangs = True
    with pytest.raises(HomeAssistantError, match="does not answer in time"):
        await async_get_image(hass, CAMERA)


async def test_motion_jpeg_is_the_services_own(
    hass: HomeAssistant, service: FakeArchive, loaded: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    response = await (await hass_client()).get(f"/api/camera_proxy_stream/{CAMERA}")
    assert response.status == 200
    assert response.headers["Content-Type"] == "multipart/x-mixed-replace;boundary=frame"
    body = await response.read()
    assert body.count(b"--frame") == 2
    assert body.endswith(b"two\r\n")


@pytest.mark.parametrize(("action", "on"), [("turn_on", True), ("turn_off", False)])
async def test_it_can_be_switched_off_as_a_whole(
    hass: HomeAssistant, service: FakeArchive, loaded: MockConfigEntry, action: str, on: bool
) -> None:
    service.camera()["enabled"] = on
    await hass.services.async_call("camera", action, {"entity_id": CAMERA}, blocking=True)
    assert service.ordered("/api/cameras/cam0/enabled") == [{"on": on}]
    component: Any = hass.data["camera"]
    assert component.get_entity(CAMERA).is_on is on


async def test_a_token_that_is_no_longer_valid_is_asked_for_again(
    hass: HomeAssistant, service: FakeArchive, loaded: MockConfigEntry
) -> None:
    service.tokens.clear()
    with pytest.raises(HomeAssistantError):
        await hass.services.async_call("camera", "turn_off", {"entity_id": CAMERA}, blocking=True)
    assert [flow["context"]["source"] for flow in hass.config_entries.flow.async_progress()] == [SOURCE_REAUTH]


async def test_the_snapshot_button_has_frontends_fetch_the_still_anew(
    hass: HomeAssistant, service: FakeArchive, loaded: MockConfigEntry
) -> None:
    before = hass.states.get(CAMERA).attributes["entity_picture"]
    async_dispatcher_send(hass, snapshot_signal(loaded.entry_id, "cam0"))
    await hass.async_block_till_done()
    assert hass.states.get(CAMERA).attributes["entity_picture"] != before


async def test_a_camera_that_comes_later_is_there_without_a_reload(
    hass: HomeAssistant, service: FakeArchive, loaded: MockConfigEntry
) -> None:
    service.add_camera("cam2", "Gate")
    await until(lambda: service.sockets)
    await service.push()
    await until(lambda: hass.states.get("camera.gate"))
    service.status["cameras"].pop()
    await service.push()
    await until(lambda: hass.states.get("camera.gate") is None)


async def test_the_token_is_in_no_log(
    hass: HomeAssistant, service: FakeArchive, loaded: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    assert TOKEN in (await async_get_stream_source(hass, CAMERA) or "")
    service.refusals["/api/cameras/cam0/snapshot.jpg"] = (503, "unavailable", "no picture", "")
    with pytest.raises(HomeAssistantError):
        await async_get_image(hass, CAMERA)
    await hass.config_entries.async_reload(loaded.entry_id)
    assert TOKEN not in caplog.text
