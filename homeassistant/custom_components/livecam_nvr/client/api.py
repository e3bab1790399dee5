"""All that the integration asks of the service, by name."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from ssl import SSLContext
from typing import Any, Literal

import aiohttp

from .errors import CannotConnect, Conflict, InvalidAnswer, InvalidAuth
from .models import (
    Carrier,
    Clip,
    Coverage,
    Day,
    Export,
    ReportedEvent,
    Segments,
    ServiceInfo,
    Session,
    Status,
    Ticket,
    Timeline,
)
from .reading import Reading
from .transport import Transport, camera_path

SILENCE_S = 12.0
"""The service says something every five seconds; a connection that is silent for so long is dead."""
_SIGNED_OUT = 4401
_MOST_TOKENS = 50


class LivecamClient(Transport):
    """One service. Every method raises ApiError, see errors.py."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str, ssl: bool | SSLContext = True) -> None:
        """`session` stays the caller's; `url` is the page's address; `ssl=False`: its certificate is not checked."""
        super().__init__(session, url, token, ssl)

    # Who we are, and who the service is

    async def session(self) -> Session:
        """Who we are to the service; whoever brings no token is nobody."""
        return Session.of(Reading(await self.ask("GET", "/api/session"), "session"))

    async def info(self, auth: str | None = None) -> ServiceInfo:
        """Which service it is, and who carries the entities. With `auth`, asked by that user, see basic_auth."""
        return _info(await self.ask("GET", "/api/home-assistant", auth=auth))

    async def carry(self, carrier: Carrier) -> ServiceInfo:
        """From now on so; returns when the broker has been told.

        Raises:
            Unavailable: The broker could not be told; it is remembered, and told later.
        """
        return _info(await self.ask("POST", "/api/home-assistant", body={"carrier": carrier}))

    async def make_token(self, name: str, auth: str) -> str:
        """A new token with the rights of an operator of all cameras; `name`, or with a number behind it.

        Raises:
            InvalidAuth: Name or password is wrong.
            Forbidden: The user is no admin.
        """
        for number in range(1, _MOST_TOKENS + 1):
            body = {"name": name if number == 1 else f"{name}-{number}", "role": "operator"}
            try:
                made = await self.ask("POST", "/api/tokens", body=body, auth=auth)
            except Conflict:
                continue
            return Reading(made, "token").text("token")
        raise Conflict(f"there are {_MOST_TOKENS} tokens called {name!r}", "remove those that nobody uses")

    # How it is

    async def status(self) -> Status:
        """How everything is."""
        return Status.of(Reading(await self.ask("GET", "/api/status"), "status"))

    async def raw_status(self) -> dict[str, Any]:
        """The same as the service writes it."""
        value = await self.ask("GET", "/api/status")
        if not isinstance(value, dict):
            raise InvalidAnswer("the status is no JSON object")
        return value

    async def events(self) -> AsyncIterator[Status]:
        """How everything is, at once and whenever it has changed; ends when the service stops.

        Raises:
            CannotConnect: The connection was lost, or silent for SILENCE_S.
            InvalidAuth: The token is not valid, or no longer.
        """
        socket = await self.websocket("/api/events")
        try:
            while True:
                try:
                    async with asyncio.timeout(SILENCE_S):
                        message = await socket.receive()
                except TimeoutError:
                    raise CannotConnect("the service has fallen silent") from None
                if message.type is aiohttp.WSMsgType.TEXT:
                    yield Status.of(Reading(_parsed(message.data), "status"))
                elif socket.close_code == _SIGNED_OUT:
                    raise InvalidAuth("the token is no longer valid")
                elif message.type is aiohttp.WSMsgType.ERROR:
                    raise CannotConnect("the connection was lost", str(message.data))
                else:
                    return
        finally:
            await socket.close()

    # Orders

    async def set_recording(self, camera_id: str, on: bool) -> None:
        """The recording switch."""
        await self.ask("POST", camera_path(camera_id, "recording"), body={"on": on})

    async def set_mode(self, camera_id: str, mode: str) -> None:
        """What recording depends on."""
        await self.ask("POST", camera_path(camera_id, "mode"), body={"mode": mode})

    async def set_enabled(self, camera_id: str, on: bool) -> None:
        """Stops a whole camera, or starts it again."""
        await self.ask("POST", camera_path(camera_id, "enabled"), body={"on": on})

    async def set_quality(self, camera_id: str, *, height: int | None = None, fps: float | None = None) -> None:
        """The picture's height, or its frames a second, or both; returns with the first frame of the new quality."""
        wanted = {"height": height, "fps": fps}
        body = {key: value for key, value in wanted.items() if value is not None}
        await self.ask("POST", camera_path(camera_id, "quality"), body=body)

    async def restart(self, camera_id: str) -> None:
        """Ends what runs of the camera and starts it anew."""
        await self.ask("POST", camera_path(camera_id, "restart"), body={})

    async def keep(
        self,
        camera_id: str,
        *,
        before_s: float | None = None,
        after_s: float | None = None,
        begin: datetime | None = None,
        end: datetime | None = None,
        title: str = "",
    ) -> Clip:
        """Keeps what was and will be seen around now; or, with `begin` and `end`, what was recorded between."""
        wanted = {
            "before_s": before_s,
            "after_s": after_s,
            "from": None if begin is None else begin.isoformat(),
            "to": None if end is None else end.isoformat(),
            "title": title or None,
        }
        body = {key: value for key, value in wanted.items() if value is not None}
        return Clip.of(Reading(await self.ask("POST", camera_path(camera_id, "keep"), body=body), "clip"))

    async def report_event(
        self, camera_id: str, label: str, state: Literal["begin", "end", "moment"] = "moment"
    ) -> ReportedEvent | None:
        """Tells of something that happens in front of a camera; None if something ends that did not last."""
        body = {"label": label, "state": state}
        answer = Reading(await self.ask("POST", camera_path(camera_id, "events"), body=body), "answer")
        return answer.maybe("event", ReportedEvent.of)

    # What was recorded

    async def days(self, camera_id: str) -> tuple[Day, ...]:
        """The local days with footage, oldest first."""
        return Reading(await self.ask("GET", camera_path(camera_id, "days")), "answer").each("days", Day.of)

    async def segments(self, camera_id: str, begin: datetime, end: datetime, limit: int = 1000) -> Segments:
        """The finished files that touch a range, oldest first."""
        params = {**_range(begin, end), "limit": str(limit)}
        return Segments.of(
            Reading(await self.ask("GET", camera_path(camera_id, "segments"), params=params), "segments")
        )

    async def timeline(self, camera_id: str, begin: datetime, end: datetime) -> Timeline:
        """Footage, gaps, events and clips of a range of at most 31 days."""
        answer = await self.ask("GET", camera_path(camera_id, "timeline"), params=_range(begin, end))
        return Timeline.of(Reading(answer, "timeline"))

    async def coverage(self, camera_id: str, begin: datetime, end: datetime) -> Coverage:
        """How much of a range was recorded, and of the last hour and day."""
        answer = await self.ask("GET", camera_path(camera_id, "coverage"), params=_range(begin, end))
        return Coverage.of(Reading(answer, "coverage"))

    async def events_of(self, camera_id: str, begin: datetime, end: datetime) -> tuple[ReportedEvent, ...]:
        """What happened in front of a camera in a range of at most 31 days, oldest first."""
        answer = await self.ask("GET", camera_path(camera_id, "events"), params=_range(begin, end))
        return Reading(answer, "answer").each("events", ReportedEvent.of)

    async def clips(self, camera_id: str | None = None) -> tuple[Clip, ...]:
        """What is kept, newest first."""
        params = None if camera_id is None else {"camera": camera_id}
        return Reading(await self.ask("GET", "/api/clips", params=params), "answer").each("clips", Clip.of)

    # Exports

    async def export(
        self, cameras: Sequence[str], begin: datetime, end: datetime, *, exact: bool = False, title: str = ""
    ) -> Export:
        """Orders a file of one camera, or of two side by side."""
        body = {"cameras": list(cameras), "exact": exact, "title": title}
        body |= {"from": begin.isoformat(), "to": end.isoformat()}
        return Export.of(Reading(await self.ask("POST", "/api/exports", body=body), "export"))

    async def export_state(self, export_id: str) -> Export:
        """How far it is."""
        return Export.of(Reading(await self.ask("GET", f"/api/exports/{export_id}"), "export"))

    async def ticket(self, path: str, seconds: int) -> Ticket:
        """A link that opens one path for whoever has it, for at most a day."""
        body = {"path": path, "seconds": seconds}
        return Ticket.of(Reading(await self.ask("POST", "/api/tickets", body=body), "ticket"))

    # Pictures

    async def snapshot(self, camera_id: str, height: int | None = None) -> bytes:
        """The newest picture as JPEG, at most so many pixels high."""
        params = None if height is None else {"height": str(height)}
        return (await self.read("GET", camera_path(camera_id, "snapshot.jpg"), params=params))[0]

    async def thumbnail(self, camera_id: str, at: datetime, height: int | None = None) -> bytes:
        """The last stored picture at or before a moment, as JPEG."""
        params = {"at": at.isoformat()} | ({} if height is None else {"height": str(height)})
        return (await self.read("GET", camera_path(camera_id, "thumbnail.jpg"), params=params))[0]

    # WebRTC, by WHEP (draft-ietf-wish-whep)

    async def whep_offer(self, camera_id: str, sdp: str) -> tuple[str, str]:
        """Begins a session: its answer, and what it is called."""
        headers = {"Content-Type": "application/sdp"}
        answer, said = await self.read("POST", camera_path(camera_id, "whep"), headers=headers, data=sdp)
        session = said.get("Location", "").rsplit("/", 1)[-1]
        if not session:
            raise InvalidAnswer("the WebRTC session has no address")
        return answer.decode(), session

    async def whep_candidate(self, camera_id: str, session: str, fragment: str) -> None:
        """Where the browser can be reached, too (RFC 8840)."""
        headers = {"Content-Type": "application/trickle-ice-sdpfrag"}
        await self.read("PATCH", camera_path(camera_id, f"whep/{session}"), headers=headers, data=fragment)

    async def whep_end(self, camera_id: str, session: str) -> None:
        """Ends a session."""
        await self.read("DELETE", camera_path(camera_id, f"whep/{session}"))


def _info(value: object) -> ServiceInfo:
    return ServiceInfo.of(Reading(value, "home-assistant"))


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise InvalidAnswer("a message is no JSON") from None


def _range(begin: datetime, end: datetime) -> dict[str, str]:
    return {"from": begin.isoformat(), "to": end.isoformat()}
