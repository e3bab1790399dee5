"""Live pictures over WebRTC: browsers' offers are handed on to the service, which has a media server for that.

This is a provider beside the cameras and not a method of theirs: a camera that answers offers by itself is taken
for one that can do nothing else, and the frontend then has no HLS to fall back on. That is needed where the
service's UDP port cannot be reached, as from outside the house.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import override

from homeassistant.components.camera import (
    Camera,
    CameraWebRTCProvider,
    WebRTCAnswer,
    WebRTCError,
    WebRTCSendMessage,
    async_register_webrtc_provider,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey
from webrtc_models import RTCIceCandidateInit

from .client import ApiError, LivecamClient
from .const import DOMAIN
from .coordinator import LivecamConfigEntry
from .stream_source import has_webrtc, stream_source

_LOGGER = logging.getLogger(__name__)

_REFUSED = "webrtc_offer_failed"
_CANDIDATE = re.compile(r"candidate:[^\r\n]+")


@dataclass(slots=True)
class _Session:
    """One browser that watches one camera."""

    camera_id: str
    offer: str
    name: str | None = None
    """What the service calls it; None until that has answered."""
    waiting: list[RTCIceCandidateInit] = field(default_factory=list)
    """Came before the service's answer."""


PROVIDERS: HassKey[dict[str, LivecamWebRTCProvider]] = HassKey("livecam_nvr_webrtc")
"""By entry."""


@callback
def async_setup_webrtc(hass: HomeAssistant, entry: LivecamConfigEntry) -> None:
    """Offers WebRTC for the cameras of an entry for as long as it is loaded."""
    runtime = entry.runtime_data

    def cameras() -> dict[str, str]:
        found = {
            stream_source(entry, camera): camera.id for camera in runtime.coordinator.data.cameras if has_webrtc(camera)
        }
        return {source: camera_id for source, camera_id in found.items() if source is not None}

    provider = LivecamWebRTCProvider(hass, runtime.client, cameras)
    known = hass.data.setdefault(PROVIDERS, {})
    known[entry.entry_id] = provider

    @callback
    def forget() -> None:
        del known[entry.entry_id]

    # Called from the last to the first.
    entry.async_on_unload(provider.async_stop)
    entry.async_on_unload(async_register_webrtc_provider(hass, provider))
    entry.async_on_unload(forget)


class LivecamWebRTCProvider(CameraWebRTCProvider):
    """Serves the cameras of one service.

    Args:
        hass: Home Assistant.
        client: Asks the service.
        cameras: Tells which of its cameras have WebRTC now: their stream source, and their id.
    """

    def __init__(self, hass: HomeAssistant, client: LivecamClient, cameras: Callable[[], Mapping[str, str]]) -> None:
        """See the class."""
        self._hass = hass
        self._client = client
        self._cameras = cameras
        self._sessions: dict[str, _Session] = {}
        self._endings: set[asyncio.Task[None]] = set()

    @property
    @override
    def domain(self) -> str:
        """See CameraWebRTCProvider."""
        return DOMAIN

    @callback
    @override
    def async_is_supported(self, stream_source: str) -> bool:
        """Whether this is one of our cameras, and there is WebRTC for it now."""
        return stream_source in self._cameras()

    @override
    async def async_handle_async_webrtc_offer(
        self, camera: Camera, offer_sdp: str, session_id: str, send_message: WebRTCSendMessage
    ) -> None:
        """Sends the service's answer, or why there is none."""
        camera_id = self._cameras().get(await camera.stream_source() or "")
        if camera_id is None:
            send_message(WebRTCError(_REFUSED, "The service has no WebRTC for this camera now"))
            return
        session = self._sessions[session_id] = _Session(camera_id, offer_sdp)
        try:
            answer, session.name = await self._client.whep_offer(camera_id, offer_sdp)
        except ApiError as error:
            self._sessions.pop(session_id, None)
            send_message(WebRTCError(_REFUSED, error.words))
            return
        if session_id not in self._sessions:  # the browser has gone meanwhile
            await self._end(session)
            return
        send_message(WebRTCAnswer(answer))
        await self._trickle(session)

    @override
    async def async_on_webrtc_candidate(self, session_id: str, candidate: RTCIceCandidateInit) -> None:
        """Tells the service where the browser can be reached, too."""
        if (session := self._sessions.get(session_id)) and candidate.candidate:
            session.waiting.append(candidate)
            await self._trickle(session)

    @callback
    @override
    def async_close_session(self, session_id: str) -> None:
        """Ends the session at the service, too; one that has no answer yet, as soon as it comes."""
        if (session := self._sessions.pop(session_id, None)) and session.name is not None:
            task = self._hass.async_create_task(self._end(session), f"end of WebRTC of {session.camera_id}")
            self._endings.add(task)
            task.add_done_callback(self._endings.discard)

    async def async_stop(self) -> None:
        """Ends all sessions."""
        for session_id in tuple(self._sessions):
            self.async_close_session(session_id)
        await asyncio.gather(*self._endings)

    async def _trickle(self, session: _Session) -> None:
        if session.name is None or not session.waiting:
            return
        candidates, session.waiting = session.waiting, []
        if not (fragment := ice_fragment(session.offer, candidates)):
            return
        try:
            await self._client.whep_candidate(session.camera_id, session.name, fragment)
        except ApiError as error:  # the browser looks for the way as well: one is enough
            _LOGGER.debug("%s: candidates were not taken: %s", session.camera_id, error.words)

    async def _end(self, session: _Session) -> None:
        if session.name is None:
            return
        try:
            await self._client.whep_end(session.camera_id, session.name)
        except ApiError as error:  # most have ended long ago, with their connection
            _LOGGER.debug("%s: a WebRTC session was not ended: %s", session.camera_id, error.words)


def ice_fragment(offer: str, candidates: Iterable[RTCIceCandidateInit]) -> str:
    """Candidates as `application/trickle-ice-sdpfrag` (RFC 8840, section 9).

    Args:
        offer: The SDP that they belong to; names its user, password and media.
        candidates: Those that name no media of the offer are left out.

    Returns:
        The fragment; empty if no candidate is left.
    """
    media: list[tuple[str, str]] = []
    session: dict[str, str] = {}
    for line in offer.splitlines():
        if line.startswith("m="):
            media.append((line, str(len(media))))
        elif line.startswith("a=mid:") and media:
            media[-1] = media[-1][0], line.removeprefix("a=mid:")
        elif line.startswith(("a=ice-ufrag:", "a=ice-pwd:")):
            session.setdefault(line.partition(":")[0], line)
    of_media: dict[int, list[str]] = {}
    mids = [mid for _, mid in media]
    for candidate in candidates:
        at = mids.index(candidate.sdp_mid) if candidate.sdp_mid in mids else candidate.sdp_m_line_index
        if at is not None and at < len(media) and _CANDIDATE.fullmatch(candidate.candidate):
            of_media.setdefault(at, []).append(f"a={candidate.candidate}")
    if not of_media:
        return ""
    lines = [*session.values()]
    for at in sorted(of_media):
        lines += [media[at][0], f"a=mid:{media[at][1]}", *of_media[at]]
    return "\r\n".join(lines) + "\r\n"
