"""The doorkeeper: a listener on loopback that the media servers ask who may watch and who may publish."""

import asyncio
import contextlib
import hmac
import json
import secrets
import socket
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs

from livecam_nvr.config.models import Config
from livecam_nvr.core.access import AuditLog, Client, Deed, Door, Gate
from livecam_nvr.core.events import AccessEnded
from livecam_nvr.domain.access import SUB, Principal, Role, not_signed_in
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.rtsp.ports import LOOPBACK, is_wildcard, plain_address
from livecam_nvr.rtsp.visits import Visits

if TYPE_CHECKING:
    from livecam_nvr.rtsp.doorkeeper_http import Answer

PUBLISHER = "publisher"
CONTROL = "control"

# Shorter than the servers' own 10 s: MediaMTX lets nobody else in while it waits for an answer.
ANSWER_S = 5.0
_BACKLOG = 128
_USER = "media-server"
_TOKEN = "lnv_"  # noqa: S105 - how tokens begin
# MediaMTX names no protocol for its control API.
_DOORS = {"rtsp": Door.RTSP, "webrtc": Door.WEBRTC, "hls": Door.HLS, "": Door.HTTP}
_STATUS = {
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.THROTTLED: 429,
}


@dataclass(frozen=True, slots=True)
class Question:
    """What a media server asks; the fields are those of MediaMTX's external authentication."""

    ip: str = ""
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    """A bearer token; MediaMTX repeats the password here."""
    action: str = ""
    path: str = ""
    protocol: str = ""
    id: str = ""
    query: str = field(default="", repr=False)

    @classmethod
    def read(cls, text: bytes) -> Self:
        """From JSON; raises ValueError for anything else. A null counts as empty."""
        said = json.loads(text)
        try:
            return cls(**{each.name: _text(said.get(each.name)) for each in fields(cls)})
        except AttributeError:
            raise ValueError("a question is a JSON object") from None


class Doorkeeper:
    """Answers 200 to whoever may, and 401, 403, 404 or 429 to whoever may not.

    Reading is for whom the gate knows and who may see the camera: by user and password, by a token (as bearer, as
    password or as user name), or by a ticket for `/media/CAMERA` (as bearer, as password, as user name, or as
    `?ticket=`). Publishing is for the service itself, whatever users there are.
    """

    def __init__(self, gate: Gate, audit: AuditLog, config: Config, answer_within_s: float = ANSWER_S) -> None:
        self._answer_within_s = answer_within_s
        self._gate = gate
        self._audit = audit
        self.publisher_password = secrets.token_urlsafe(24)
        """With the user PUBLISHER, for the life of the service."""
        self.control_password = secrets.token_urlsafe(24)
        """With the user CONTROL, for the media server's control API."""
        self.secret = f"{_USER}:{secrets.token_urlsafe(24)}"
        """The credentials with which a media server asks (RFC 7617)."""
        self.port = 0
        """Where it listens once it has started."""
        self._expected = "Basic " + b64encode(self.secret.encode()).decode()
        self._cameras = {camera.id for camera in config.streams}
        self._ours = _own_addresses(config)
        self._visits = Visits()
        self._listener: socket.socket | None = None
        self._close: Callable[[], Awaitable[None]] | None = None

    @property
    def address(self) -> str:
        """Whom MediaMTX asks; has the secret where programs expect one, and leave it out of their logs."""
        return f"http://{self.secret}@127.0.0.1:{self.port}/"

    def listen(self) -> None:
        """Takes a port that is free, before the media server is told of it. Whoever asks waits for `start`."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
            self.port = self._listener.getsockname()[1]

    async def start(self) -> None:
        """Answers; idempotent."""
        # The web library is a fifth of a start's work, which no camera has to wait for.
        from livecam_nvr.rtsp.doorkeeper_http import serve  # noqa: PLC0415

        self.listen()
        if self._close is None and self._listener is not None:
            self._close = await serve(self._listener, self._answer)

    async def stop(self) -> None:
        """Answers nobody any more; idempotent."""
        close, self._close = self._close, None
        if close is not None:
            await close()
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def add(self, stream_id: str) -> None:
        """A stream more."""
        self._cameras.add(stream_id)

    def remove(self, stream_id: str) -> None:
        """A stream less: it looks as if it had never been; harmless if there is none."""
        self._cameras.discard(stream_id)

    def ended(self, event: AccessEnded) -> set[str]:
        """The ids of MediaMTX's sessions that ran on this."""
        return self._visits.ended(event)

    def unknown(self, visit_ids: set[str]) -> set[str]:
        """Those sessions of which it is not known any more what they run on."""
        return self._visits.unknown(visit_ids)

    async def _answer(self, credentials: str, read: Callable[[], Awaitable[bytes]]) -> "Answer":
        if not _same(credentials, self._expected):
            return 404, ""
        try:
            question = Question.read(await read())
        except ValueError:
            return 400, ""
        try:
            async with asyncio.timeout(self._answer_within_s):
                principal = await self._judge(question)
        except LivecamError as error:
            return _STATUS.get(error.kind, 403), error.message
        except TimeoutError:
            return 503, ""
        if principal is None:
            return 200, ""
        if question.id:
            self._visits.note(question.id, principal)
        return 200, {"credential": principal.credential, "session": principal.session}

    async def _judge(self, question: Question) -> Principal | None:
        """Who it is; None if it is the service itself. Raises LivecamError for whoever may not."""
        match question.action:
            case "read":
                return await self._reader(question)
            case "publish" if self._is_publisher(question):
                return None
            case "api" if question.ip in LOOPBACK and _are(question, CONTROL, self.control_password):
                return None
        if question.user or question.password or question.token:
            detail = f"to {question.action or 'do something else'}"
            # Not by the name that was sent: people type passwords there.
            self._refused(question, "somebody", detail)
        raise not_signed_in()

    def _is_publisher(self, question: Question) -> bool:
        return (
            question.protocol == "rtsp"
            and question.path in self._cameras
            and _plain(question.ip) in self._ours
            and _are(question, PUBLISHER, self.publisher_password)
        )

    async def _reader(self, question: Question) -> Principal:
        principal = await self._who(question)
        if question.path not in self._cameras or not principal.may(Role.VIEWER, question.path):
            self._refused(question, principal.words, "to watch")
            raise LivecamError(ErrorKind.NOT_FOUND, "there is no such camera", "")
        return principal

    async def _who(self, question: Question) -> Principal:
        gate, client = self._gate, _client(question)
        query = parse_qs(question.query).get("ticket", [])
        bearer = question.token if question.token != question.password else ""
        for text in (bearer, *query):
            if text:
                found = gate.token(text, client) or self._ticket(text, question.path)
                if found is None:
                    raise not_signed_in()
                return found
        user, password = question.user, question.password
        if not user and not password:
            if gate.demo is None:
                raise not_signed_in()
            return gate.demo
        found = self._ticket(password, question.path) or self._ticket(user, question.path)
        if found is None and user.startswith(_TOKEN):
            found = gate.token(user, client)
        return found or await gate.password(user, password, client)

    def _ticket(self, text: str, path: str) -> Principal | None:
        """Whose ticket this is; one for a camera is one for its smaller stream, too."""
        names = dict.fromkeys((path, path.removesuffix(SUB)))
        return next((p for name in names if text and (p := self._gate.ticket(text, f"/media/{name}"))), None)

    def _refused(self, question: Question, who: str, detail: str) -> None:
        # What strangers send may be long, and of any kind.
        who, target = (ascii(text)[1:-1][:64] for text in (who, question.path))
        self._audit.note(Deed.REFUSED, who, _client(question), target=target, ok=False, detail=detail)


def _own_addresses(config: Config) -> frozenset[str]:
    """Where our publishers come from: to an address of its own, a connection comes from that very address."""
    address = plain_address(config)
    return frozenset(LOOPBACK if is_wildcard(address) else (*LOOPBACK, address))


def _client(question: Question) -> Client:
    return Client(_plain(question.ip), _DOORS.get(question.protocol, Door.RTSP))


def _text(value: object) -> str:
    """JSON may hold halves of characters (RFC 8259, 8.2), which nothing else can take."""
    return str(value or "").encode("utf-8", "replace").decode()


def _plain(address: str) -> str:
    """An IPv4 address that came in IPv6's clothes (RFC 4291, 2.5.5.2) as itself."""
    with contextlib.suppress(ValueError):
        ip = ip_address(address)
        return str(ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else str(ip)
    return address[:64]


def _are(question: Question, user: str, password: str) -> bool:
    return question.user == user and _same(question.password, password)


def _same(sent: str, expected: str) -> bool:
    return hmac.compare_digest(sent.encode("utf-8", "replace"), expected.encode())
