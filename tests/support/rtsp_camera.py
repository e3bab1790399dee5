"""An IP camera made of sockets: RTSP 1.0 (RFC 2326) on loopback, with every oddness that a test asks for."""

import asyncio
import base64
import contextlib
import hashlib
import re
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from support.rtsp_films import VIDEO_CLOCK, Film, Shot, play, with_sets
from support.rtsp_packets import Sender, payloads, video_sdp
from support.rtsp_sounds import Sound

USER, PASSWORD = "me", "s3cret-pass"
_REALM, _NONCE = "camera", "5ccc069c403ebaf9f0171e9517f40e41"


def endless(film: Film) -> Callable[[], Iterable[Shot]]:
    """What a good camera sends: the film for ever, its parameter sets in front of every keyframe."""
    return lambda: with_sets(film, play(film))


@dataclass
class Habits:
    """How a camera behaves; as it stands, it is a good one."""

    film: Film | None = None
    """None: no video at all."""
    script: Callable[[], Iterable[Shot]] | None = None
    """What each PLAY sends; None: `endless(film)`."""
    sdp_sets: Sequence[bytes] | None = None
    """Parameter sets in the session description; None: the film's, empty: none."""
    stamp: Callable[[Shot], int] = lambda shot: shot.stamp
    """The RTP timestamp that it gives a frame, without what all begin from."""
    first_stamp: int = 0xFFFF_0000
    """What its timestamps begin from: soon over the edge of their 32 bits."""
    at_end: Literal["hang up", "stall", "goodbye"] = "hang up"
    """What it does when the script is over; `goodbye` is an RTCP BYE before hanging up."""
    sounds: Sequence[Sound] = ()
    reports_every_s: float = 1.0
    """Seconds between sender reports; 0: never."""
    wrong_s: Callable[[int], float] = lambda _number: 0.0
    """How far ahead its wall clock is in its n-th report."""
    login: Literal["", "basic", "digest"] = ""
    describe_s: float = 0.0
    """How long it thinks before it describes itself."""
    status: str = ""
    """What it answers every DESCRIBE with, instead."""
    junk: Callable[[int], bytes] = lambda _number: b""
    """Bytes that it lets slip into the connection before its n-th frame."""


@dataclass(frozen=True)
class Sent:
    """A frame that went out."""

    session: int
    utc_ns: int
    shot: Shot


@dataclass
class RtspCamera:
    """A camera that runs; see `rtsp_camera`."""

    habits: Habits
    port: int = 0
    sent: list[Sent] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    """Every request's method."""
    plays: int = 0
    open: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """With user and password if it wants any."""
        login = f"{USER}:{PASSWORD}@" if self.habits.login else ""
        return f"rtsp://{login}{self.address}/live?channel=1"

    def session(self, number: int = 0) -> list[Sent]:
        """What went out after one PLAY."""
        return [sent for sent in self.sent if sent.session == number]

    def pictures(self, session: int = 0) -> list[tuple[bytes, ...]]:
        """The slices of all frames that were sent in one session."""
        return [sent.shot.picture for sent in self.session(session)]


@asynccontextmanager
async def rtsp_camera(habits: Habits) -> AsyncIterator[RtspCamera]:
    """A camera on a free port of loopback."""
    camera = RtspCamera(habits)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        camera.open.add(task)
        try:
            await _Connection(camera, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            # Only the context manager cancels; a handler that ends as cancelled would be reported as an error.
            pass
        finally:
            camera.open.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", camera.port, limit=1 << 20)
    camera.port = server.sockets[0].getsockname()[1]
    try:
        yield camera
    finally:
        server.close()
        running = tuple(camera.open)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@dataclass
class _Stream:
    """One track that was set up: how its packets reach the viewer."""

    send: Callable[[bytes], None]
    send_control: Callable[[bytes], None]


class _Connection:
    """One viewer."""

    def __init__(self, camera: RtspCamera, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._camera = camera
        self._habits = camera.habits
        self._stamp: Callable[[Shot], int] = lambda shot: self._habits.first_stamp + self._habits.stamp(shot)
        self._reader = reader
        self._writer = writer
        self._streams: dict[int, _Stream] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._sockets: list[asyncio.DatagramTransport] = []
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Until one of the two hangs up."""
        requests = asyncio.create_task(self._answer_all())
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait({requests, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (requests, over, *self._tasks):
                task.cancel()
            await asyncio.gather(requests, over, *self._tasks, return_exceptions=True)
            for transport in self._sockets:
                transport.close()

    async def _answer_all(self) -> None:
        while True:
            first = await self._reader.readexactly(1)
            if first == b"$":  # the viewer's own reports
                head = await self._reader.readexactly(3)
                await self._reader.readexactly(int.from_bytes(head[1:], "big"))
                continue
            text = (first + await self._reader.readuntil(b"\r\n\r\n")).decode(errors="replace")
            method, url, _ = text.split("\r\n")[0].split(" ", 2)
            if method.startswith("RTSP/"):  # an answer to what slipped into the connection
                continue
            headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in text.split("\r\n")[1:])}
            if size := int(headers.get("content-length", "0")):
                await self._reader.readexactly(size)
            self._camera.methods.append(method)
            await self._answer(method, url, headers)

    async def _answer(self, method: str, url: str, headers: dict[str, str]) -> None:
        status, more, body = "200 OK", ["Session: 12345678;timeout=60"], ""
        if method == "OPTIONS":
            more = ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER"]
        elif not self._let_in(method, headers.get("authorization", "")):
            status, more = "401 Unauthorized", [self._challenge()]
        elif method == "DESCRIBE":
            await asyncio.sleep(self._habits.describe_s)
            status = self._habits.status or status
            body = self._describe()
            more = ["Content-Type: application/sdp", f"Content-Base: rtsp://{self._camera.address}/live/"]
        elif method == "SETUP":
            transport = await self._set_up(int(url.rsplit("=", 1)[1]), headers["transport"])
            more.append(f"Transport: {transport}")
        elif method == "TEARDOWN":
            self._over.set()
        head = [f"RTSP/1.0 {status}", f"CSeq: {headers['cseq']}", *more]
        if body:
            head.append(f"Content-Length: {len(body)}")
        self._writer.write("\r\n".join([*head, "", body]).encode())
        await self._writer.drain()
        if method == "PLAY" and status == "200 OK":
            self._play()

    def _challenge(self) -> str:
        if self._habits.login == "basic":
            return f'WWW-Authenticate: Basic realm="{_REALM}"'
        return f'WWW-Authenticate: Digest realm="{_REALM}", nonce="{_NONCE}"'

    def _let_in(self, method: str, said: str) -> bool:
        if self._habits.login == "basic":
            return said == "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self._habits.login == "digest":  # RFC 2617 3.2.2, without qop, as most cameras do it
            given = dict(re.findall(r'(\w+)="?([^",]*)"?', said))
            secret = _md5(f"{USER}:{_REALM}:{PASSWORD}")
            wanted = _md5(f"{secret}:{_NONCE}:" + _md5(f"{method}:{given.get('uri', '')}"))
            return said.startswith("Digest ") and given.get("response") == wanted
        return True

    def _describe(self) -> str:
        habits = self._habits
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=camera", "c=IN IP4 0.0.0.0", "t=0 0", "a=control:*"]
        if habits.film is not None:
            sets = habits.film.sets if habits.sdp_sets is None else habits.sdp_sets
            lines += [*video_sdp(habits.film.codec, sets), "a=control:track=0"]
        for number, sound in enumerate(habits.sounds, 1):
            lines += [*sound.sdp(), f"a=control:track={number}"]
        return "\r\n".join([*lines, ""])

    async def _set_up(self, track: int, wanted: str) -> str:
        if "TCP" in wanted:
            rtp = int(wanted.split("interleaved=")[1].partition("-")[0])
            self._streams[track] = _Stream(
                lambda packet: self._interleave(rtp, packet), lambda packet: self._interleave(rtp + 1, packet)
            )
            return f"RTP/AVP/TCP;unicast;interleaved={rtp}-{rtp + 1}"
        there = int(wanted.split("client_port=")[1].partition("-")[0])
        loop = asyncio.get_running_loop()
        pair = []
        for offset, sock in enumerate(_two_ports()):
            sock.connect(("127.0.0.1", there + offset))
            pair.append((await loop.create_datagram_endpoint(asyncio.DatagramProtocol, sock=sock))[0])
        self._sockets += pair
        here = pair[0].get_extra_info("sockname")[1]
        self._streams[track] = _Stream(pair[0].sendto, pair[1].sendto)
        return f"RTP/AVP;unicast;client_port={there}-{there + 1};server_port={here}-{here + 1}"

    def _interleave(self, channel: int, packet: bytes) -> None:
        self._writer.write(bytes((0x24, channel)) + len(packet).to_bytes(2, "big") + packet)

    def _play(self) -> None:
        session = self._camera.plays
        self._camera.plays += 1
        begin = time.monotonic()
        for track, stream in self._streams.items():
            sound = self._habits.sounds[track - 1] if track else None
            run = self._send_sound(sound, stream, begin) if sound else self._send_video(session, stream, begin)
            self._tasks.append(asyncio.create_task(run))

    async def _send_video(self, session: int, stream: _Stream, begin: float) -> None:
        habits = self._habits
        assert habits.film is not None
        script = habits.script or endless(habits.film)
        sender = Sender(96, 0x1234)
        next_report, number = 0.0, 0
        # A report says when a frame was taken, whenever that is sent.
        utc_s = time.time() - time.monotonic() + begin
        for count, shot in enumerate(script()):
            await asyncio.sleep(max(0.0, begin + shot.due_s - time.monotonic()))
            if habits.reports_every_s and shot.due_s >= next_report:
                next_report += habits.reports_every_s
                stream.send_control(sender.report(self._stamp(shot), utc_s + shot.due_s + habits.wrong_s(number)))
                number += 1
            if junk := habits.junk(count):
                self._writer.write(junk)
            parts = payloads(habits.film.codec, shot.nals)
            for at, packet in enumerate(sender.packets(parts, self._stamp(shot)), 1):
                stream.send(packet)
                if self._sockets and at % 40 == 0:
                    await asyncio.sleep(0.004)  # a camera's link has 100 Mbit/s, and a socket's buffer is small
            # Noted before the socket is waited for: a viewer that leaves has been sent it all the same.
            self._camera.sent.append(Sent(session, time.time_ns(), shot))
            await self._writer.drain()
        if habits.at_end == "goodbye":
            stream.send_control(b"\x81\xcb\0\1\0\0\x12\x34")
        if habits.at_end != "stall":
            self._over.set()

    async def _send_sound(self, sound: Sound, stream: _Stream, begin: float) -> None:
        sender = Sender(sound.payload_type, 0x5678)
        next_report, number = 0.0, 0
        utc_s = time.time() - time.monotonic() + begin
        while not self._over.is_set():
            due_s = number * sound.ticks / sound.clock
            await asyncio.sleep(max(0.0, begin + due_s - time.monotonic()))
            if self._habits.reports_every_s and due_s >= next_report:
                next_report += self._habits.reports_every_s
                wrong_s = self._habits.wrong_s(round(due_s / self._habits.reports_every_s))
                stream.send_control(sender.report(number * sound.ticks, utc_s + due_s + wrong_s))
            payload = sound.payloads[number % len(sound.payloads)]
            for packet in sender.packets([payload], number * sound.ticks):
                stream.send(packet)
            await self._writer.drain()
            number += 1


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _two_ports() -> tuple[socket.socket, socket.socket]:
    """UDP sockets on an even port and the next one (RFC 3550, section 11)."""
    while True:
        first, second = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        first.bind(("127.0.0.1", 0))
        port = first.getsockname()[1]
        with contextlib.suppress(OSError):
            if port % 2 == 0:
                second.bind(("127.0.0.1", port + 1))
                first.setblocking(False)
                second.setblocking(False)
                return first, second
        first.close()
        second.close()


__all__ = ["PASSWORD", "USER", "VIDEO_CLOCK", "Habits", "RtspCamera", "Sent", "endless", "rtsp_camera"]
