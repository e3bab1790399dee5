"""Browsers' offers go to the service, and its answers back; sessions end at both ends."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, override

import pytest
from aiohttp import web
from homeassistant.components.camera import (
    Camera,
    CameraWebRTCProvider,
    WebRTCSendMessage,
    async_register_webrtc_provider,
    get_camera_from_entity_id,
)
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket, WebSocketGenerator
from webrtc_models import RTCIceCandidateInit

from fake_service import PATIENCE_S, FakeService, until

CAMERA = "camera.front_door"
_OFFER = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\na=mid:0\r\n"
_CANDIDATE = "candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host"
_WHEP = "/api/cameras/cam0/whep"


class WhepService(FakeService):
    """Each session has a name of its own; while `held` is not set, no offer is answered."""

    def __init__(self) -> None:
        super().__init__()
        self.held = asyncio.Event()
        self.held.set()
        self.begun = 0

    @override
    async def _whep(self, request: web.Request) -> web.StreamResponse:
        self.begun += 1
        name = f"session{self.begun}"
        await self.held.wait()
        return web.Response(
            status=201, text=f"answer{self.begun}", content_type="application/sdp", headers={"Location": f"whep/{name}"}
        )

    def sent(self, method: str) -> list[tuple[str, Any]]:
        return [(path.removeprefix(_WHEP), body) for how, path, body in self.orders if how == method and "whep" in path]


@pytest.fixture
async def service() -> AsyncIterator[WhepService]:
    async with WhepService() as fake:
        for camera in fake.status["cameras"]:
            camera["addresses"] = {
                "rtsp": f"rtsp://127.0.0.1:8554/{camera['id']}",
                "rtsps": None,
                "webrtc": f"http://127.0.0.1:8889/{camera['id']}/whep",
                "ll_hls": None,
            }
        yield fake
        fake.held.set()


@pytest.fixture
async def browser(
    hass: HomeAssistant, loaded: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> MockHAClientWebSocket:
    return await hass_ws_client(hass)


async def _offer(browser: MockHAClientWebSocket, offer: str = _OFFER) -> int:
    await browser.send_json_auto_id({"type": "camera/webrtc/offer", "entity_id": CAMERA, "offer": offer})
    result = await browser.receive_json()
    assert result["success"], result
    return int(result["id"])


async def _event(browser: MockHAClientWebSocket) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        return dict((await browser.receive_json())["event"])


async def _candidate(browser: MockHAClientWebSocket, session_id: str) -> None:
    candidate = {"candidate": _CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0}
    await browser.send_json_auto_id(
        {"type": "camera/webrtc/candidate", "entity_id": CAMERA, "session_id": session_id, "candidate": candidate}
    )


async def test_the_frontend_has_both_ways(hass: HomeAssistant, browser: MockHAClientWebSocket) -> None:
    await browser.send_json_auto_id({"type": "camera/capabilities", "entity_id": CAMERA})
    assert sorted((await browser.receive_json())["result"]["frontend_stream_types"]) == ["hls", "web_rtc"]


async def test_an_offer_is_answered_and_the_session_ended_with_the_browsers(
    browser: MockHAClientWebSocket, service: WhepService
) -> None:
    subscription = await _offer(browser)
    session_id = (await _event(browser))["session_id"]
    assert await _event(browser) == {"type": "answer", "answer": "answer1"}
    assert service.sent("POST") == [("", _OFFER)]
    await _candidate(browser, session_id)
    assert (await browser.receive_json())["success"]
    fragment = f"a=ice-ufrag:u\r\na=ice-pwd:p\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na={_CANDIDATE}\r\n"
    assert service.sent("PATCH") == [("/session1", fragment)]
    await browser.send_json_auto_id({"type": "unsubscribe_events", "subscription": subscription})
    assert (await browser.receive_json())["success"]
    await until(lambda: service.sent("DELETE") == [("/session1", "")])


async def test_several_browsers_at_once(browser: MockHAClientWebSocket, service: WhepService) -> None:
    first = await _offer(browser)
    assert [(await _event(browser))["type"] for _ in range(2)] == ["session", "answer"]
    await _offer(browser)
    assert (await _event(browser))["type"] == "session"
    assert (await _event(browser))["answer"] == "answer2"
    await browser.send_json_auto_id({"type": "unsubscribe_events", "subscription": first})
    await until(lambda: service.sent("DELETE") == [("/session1", "")])
    await browser.close()
    await until(lambda: ("/session2", "") in service.sent("DELETE"))


async def test_candidates_that_come_before_the_answer_are_sent_after_it(
    browser: MockHAClientWebSocket, service: WhepService
) -> None:
    service.held.clear()
    await _offer(browser)
    session_id = (await _event(browser))["session_id"]
    await _candidate(browser, session_id)
    assert (await browser.receive_json())["success"]
    assert service.sent("PATCH") == []
    service.held.set()
    assert (await _event(browser))["type"] == "answer"
    await until(lambda: len(service.sent("PATCH")) == 1)


async def test_a_browser_that_goes_before_the_answer_leaves_no_session(
    hass: HomeAssistant, browser: MockHAClientWebSocket, service: WhepService
) -> None:
    service.held.clear()
    subscription = await _offer(browser)
    await until(lambda: service.begun)
    await browser.send_json_auto_id({"type": "unsubscribe_events", "subscription": subscription})
    await _event(browser)
    assert (await browser.receive_json())["success"]
    service.held.set()
    await until(lambda: service.sent("DELETE") == [("/session1", "")])


async def test_why_there_is_no_answer_is_told(browser: MockHAClientWebSocket, service: WhepService) -> None:
    words = ("cam0 cannot be sent to this browser over WebRTC", "another way may do")
    service.refusals[_WHEP] = (400, "invalid", *words)
    await _offer(browser)
    await _event(browser)
    assert await _event(browser) == {"type": "error", "code": "webrtc_offer_failed", "message": ": ".join(words)}


async def test_candidates_that_the_service_does_not_take_end_nothing(
    browser: MockHAClientWebSocket, service: WhepService
) -> None:
    await _offer(browser)
    session_id = (await _event(browser))["session_id"]
    await _event(browser)
    service.refusals[f"{_WHEP}/session1"] = (404, "not_found", "there is no such session", "")
    for session in (session_id, "unknown"):
        await _candidate(browser, session)
        assert (await browser.receive_json())["success"]
    # Nor does an end that is one already.
    await browser.close()


async def test_sessions_end_when_the_entry_is_unloaded(
    hass: HomeAssistant, browser: MockHAClientWebSocket, service: WhepService, loaded: MockConfigEntry
) -> None:
    await _offer(browser)
    await _event(browser)
    await _event(browser)
    await hass.config_entries.async_unload(loaded.entry_id)
    assert service.sent("DELETE") == [("/session1", "")]


async def test_without_webrtc_at_the_service_there_is_hls_only(
    hass: HomeAssistant, browser: MockHAClientWebSocket, service: WhepService
) -> None:
    camera = get_camera_from_entity_id(hass, CAMERA)
    provider = camera.webrtc_provider
    assert provider is not None
    service.camera()["addresses"]["webrtc"] = None
    await until(lambda: service.sockets)
    await service.push()
    await until(lambda: camera.webrtc_provider is None)
    assert [str(one) for one in camera.camera_capabilities.frontend_stream_types] == ["hls"]
    # An offer that was on its way all the same.
    told: list[Any] = []
    await provider.async_handle_async_webrtc_offer(camera, _OFFER, "late", told.append)
    assert told[0].code == "webrtc_offer_failed"
    assert service.sent("POST") == []


async def test_ours_comes_before_a_provider_that_takes_any_rtsp(
    hass: HomeAssistant, browser: MockHAClientWebSocket, service: WhepService, loaded: MockConfigEntry
) -> None:
    class Restreamer(CameraWebRTCProvider):
        """Like Home Assistant's go2rtc."""

        @property
        @override
        def domain(self) -> str:
            return "restreamer"

        @override
        def async_is_supported(self, stream_source: str) -> bool:
            return stream_source.startswith("rtsp://")

        @override
        async def async_handle_async_webrtc_offer(
            self, camera: Camera, offer_sdp: str, session_id: str, send_message: WebRTCSendMessage
        ) -> None:
            raise NotImplementedError

        @override
        async def async_on_webrtc_candidate(self, session_id: str, candidate: RTCIceCandidateInit) -> None:
            raise NotImplementedError

    # So many that ours would come first by chance in one of a thousand runs only.
    others = [async_register_webrtc_provider(hass, Restreamer()) for _ in range(1000)]
    await hass.async_block_till_done()
    camera = get_camera_from_entity_id(hass, CAMERA)
    assert camera.webrtc_provider is not None
    assert camera.webrtc_provider.domain == "livecam_nvr"
    # Where the service has none, theirs is better than nothing.
    service.camera()["addresses"]["webrtc"] = None
    await until(lambda: service.sockets)
    await service.push()
    await until(lambda: camera.webrtc_provider is not None and camera.webrtc_provider.domain == "restreamer")
    del others
