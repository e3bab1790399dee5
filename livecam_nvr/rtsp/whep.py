"""WebRTC for the page: WHEP requests go to MediaMTX, each with a ticket of whoever asks (core.ports.Whep)."""

import asyncio
import contextlib
import logging
import re
import ssl
from collections.abc import Callable
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

import aiohttp
from yarl import URL

from livecam_nvr.config.models import Config
from livecam_nvr.core.access import Gate
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import AccessEnded
from livecam_nvr.core.ports import MediaServer, WhepSession
from livecam_nvr.domain.access import SUB, Principal, not_signed_in
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import MediaServerStatus, ServerState
from livecam_nvr.rtsp.mediamtx import MediaMtxServer
from livecam_nvr.rtsp.ports import authority, local_host
from livecam_nvr.rtsp.visits import Visits

_log = logging.getLogger(__name__)

# Longer than MediaMTX waits for the doorkeeper.
_TIMEOUT_S = 8.0
_TICKET_S = 30.0
_MOST_ANSWER = 64 << 10
_FRAGMENT = "application/trickle-ice-sdpfrag"
_SECRET = re.compile(r"[0-9a-f-]{36}")
_FIRST_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_REASONS: dict[int, str] = {
    HTTPStatus.NOT_FOUND: "the media server does not have this camera now",
    HTTPStatus.UNAUTHORIZED: "the media server lets nobody in now",
}


class MediaMtxWhep:
    """Asks the WebRTC listener of our own MediaMTX, which sends the pictures to the browser by itself (UDP).

    It asks the doorkeeper whose ticket that is, which ends its sessions when that credential does. A ticket does
    not tell of which sign-in it is: what ends with that is ended here.

    Args:
        config: Where MediaMTX listens, and with which certificate.
        gate: Makes the tickets.
        bus: Tells whose access has ended.
        status: How MediaMTX is now.
    """

    def __init__(self, config: Config, gate: Gate, bus: EventBus, status: Callable[[], MediaServerStatus]) -> None:
        listen = config.listen
        scheme = "https" if config.tls.enabled else "http"
        self._url = f"{scheme}://{authority(local_host(listen.address), listen.webrtc_port)}/"
        self._certificate = config.tls.certificate if config.tls.enabled else None
        self._gate = gate
        self._status = status
        self._visits = Visits()
        self._endings: set[asyncio.Task[None]] = set()
        self._unsubscribe = bus.subscribe(AccessEnded, self._ended)

    async def stop(self) -> None:
        """Idempotent. The sessions end with MediaMTX."""
        self._unsubscribe()
        endings = tuple(self._endings)
        for task in endings:
            task.cancel()
        await asyncio.gather(*endings, return_exceptions=True)

    @property
    def ready(self) -> bool:
        """See core.ports.Whep."""
        return self._status().state is ServerState.READY

    async def begin(self, camera_id: str, offer: str, principal: Principal) -> WhepSession:
        """See core.ports.Whep."""
        ticket = self._gate.make_ticket(principal, _scope(camera_id), _TICKET_S)
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {ticket.text}"}
        status, answer, location = await self._ask("POST", f"{camera_id}/whep", offer, headers)
        if status == HTTPStatus.CREATED:
            session_id = location.rpartition("/")[2]
            if _SECRET.fullmatch(session_id):
                self._visits.note(f"{camera_id}/{session_id}", principal)
                return WhepSession(session_id, answer)
        _log.debug("%s: no WebRTC: %d %s", camera_id, status, answer[:200])
        if status == HTTPStatus.UNAUTHORIZED and not self._gate.ticket(ticket.text, _scope(camera_id)):
            raise not_signed_in()
        if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_ACCEPTABLE):
            raise LivecamError(
                ErrorKind.INVALID, f"{camera_id} cannot be sent to this browser over WebRTC", "another way may do"
            )
        reason = _REASONS.get(status, "the media server did not answer as it should")
        raise LivecamError(ErrorKind.UNAVAILABLE, f"no WebRTC: {reason}", "it is tried again, or another way does")

    async def trickle(self, camera_id: str, session_id: str, fragment: str) -> None:
        """See core.ports.Whep."""
        await self._change("PATCH", camera_id, session_id, fragment, {"Content-Type": _FRAGMENT, "If-Match": "*"})

    async def end(self, camera_id: str, session_id: str) -> None:
        """See core.ports.Whep."""
        await self._change("DELETE", camera_id, session_id, None, {})

    def _ended(self, event: AccessEnded) -> None:
        for visit in self._visits.ended(event):
            camera_id, _, session_id = visit.partition("/")
            task = asyncio.create_task(
                self._end_quietly(camera_id, session_id), name=f"end of WebRTC of {camera_id}"
            )
            self._endings.add(task)
            task.add_done_callback(self._endings.discard)

    async def _end_quietly(self, camera_id: str, session_id: str) -> None:
        with contextlib.suppress(LivecamError):  # most have ended long ago; and without a server there are none
            await self.end(camera_id, session_id)

    async def _change(
        self, method: str, camera_id: str, session_id: str, body: str | None, headers: dict[str, str]
    ) -> None:
        if not _SECRET.fullmatch(session_id):
            raise _no_session()
        status, _, _ = await self._ask(method, f"{camera_id}/whep/{session_id}", body, headers)
        if status == HTTPStatus.NOT_FOUND:
            raise _no_session()
        if status == HTTPStatus.BAD_REQUEST:
            raise LivecamError(ErrorKind.INVALID, "this is no fragment of SDP (RFC 8840)")
        if status >= HTTPStatus.BAD_REQUEST:
            raise LivecamError(ErrorKind.UNAVAILABLE, "the media server did not answer as it should")

    async def _ask(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, str, str]:
        """Status, text and Location of an answer.

        Raises:
            LivecamError: UNAVAILABLE if there is none.
        """
        try:
            trust = True if self._certificate is None else await asyncio.to_thread(_pinned, self._certificate)
            timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
            # Seldom enough for a connection each: none is kept that could be a dead one after a restart.
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(
                    method, URL(self._url + path), data=body, headers=headers, ssl=trust, allow_redirects=False
                ) as answer,
            ):
                text = (await answer.content.read(_MOST_ANSWER)).decode("utf-8", "replace")
                return answer.status, text, answer.headers.get("Location", "")
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            _log.debug("WHEP: %r", error)
            raise LivecamError(
                ErrorKind.UNAVAILABLE,
                "no WebRTC: the media server does not answer",
                "it is started again by itself",
            ) from error


def whep_of(server: MediaServer, config: Config, gate: Gate, bus: EventBus) -> MediaMtxWhep | None:
    """The WebRTC of this media server; None if it has none."""
    return MediaMtxWhep(config, gate, bus, server.status) if isinstance(server, MediaMtxServer) else None


def _scope(camera_id: str) -> str:
    return f"/media/{camera_id.removesuffix(SUB)}"


def _no_session() -> LivecamError:
    return LivecamError(ErrorKind.NOT_FOUND, "there is no such WebRTC session (any more)")


def _pinned(path: Path) -> aiohttp.Fingerprint:
    """Takes our own certificate and no other, whatever name is in it. Blocks.

    Raises:
        ValueError: The file holds none.
    """
    found = _FIRST_CERTIFICATE.search(path.read_text("ascii", "replace"))
    if found is None:
        raise ValueError(f"{path} holds no certificate")
    return aiohttp.Fingerprint(sha256(ssl.PEM_cert_to_DER_cert(found[0])).digest())
