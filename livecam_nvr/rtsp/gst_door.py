"""The door of GStreamer's RTSP server: asks the service who may watch, and sends away those who may no longer.

Part of `gst_child.py`, in the system's Python; imports nothing of this project either. Only Basic is offered (RFC
7617; RFC 2326, 14): Digest needs what a password's slow hash does not keep.
"""

import base64
import collections
import http.client
import json
import threading
import time
import typing

from gi.repository import (  # type: ignore[import-not-found] # the system's Python has it
    GLib,
    Gst,
    GstRtsp,
    GstRtspServer,
)

_REALM = "livecam-nvr"
_ASK_S = 10.0
_PATIENCE_S = 30.0
_REQUESTS = (
    "describe",
    "setup",
    "play",
    "pause",
    "teardown",
    "get-parameter",
    "set-parameter",
    "announce",
    "record",
)
# What needs no session of one's own: these two are for whoever the doorkeeper admits, who is asked elsewhere.
_ENTRANCES = ("describe", "setup")
_PUBLISHING = ("announce", "record")
# Every connection has a thread of its own: strangers must not make thousands, nor keep theirs for nothing. Whoever
# is let in counts no more.
_MOST_STRANGERS = 512
_MOST_STRANGERS_OF_ONE = 128
_STRANGERS_STAY_S = 30.0
_SWEEP_EVERY_S = 10
# Orders that are remembered for those whose answer is on its way meanwhile.
_REMEMBERED = 64

# PyGObject makes a class when it first meets its type, and crashes if two threads meet it at once: all that the
# clients' threads will meet is made here, by one.
_MET = (
    *(GstRtsp.RTSPConnection, GstRtsp.RTSPHeaderField.TRANSPORT, GstRtsp.RTSPMessage, GstRtsp.RTSPMethod.OPTIONS),
    *(GstRtsp.RTSPResult.OK, GstRtsp.RTSPStatusCode.OK, GstRtsp.RTSPUrl, GstRtspServer.RTSPAuth),
    *(GstRtspServer.RTSPClient, GstRtspServer.RTSPContext, GstRtspServer.RTSPMediaFactory),
    *(GstRtspServer.RTSPServer, GstRtspServer.RTSPSession, GstRtspServer.RTSPToken),
)

_MAY_NOT, _MAY = "outsider", "viewer"


class Grant(typing.NamedTuple):
    """What somebody was let in with."""

    credential: str
    session: str


class Ended(typing.NamedTuple):
    """Credentials and sessions that are over."""

    credentials: "frozenset[str]"
    sessions: "frozenset[str]"
    keep_session: str

    def ends(self, grant: Grant) -> bool:
        """Whether what came with this grant has to go."""
        if grant.session and grant.session in self.sessions:
            return True
        kept = bool(grant.session) and grant.session == self.keep_session
        return grant.credential in self.credentials and not kept


class Visitor:
    """One connection."""

    def __init__(self, client: "GstRtspServer.RTSPClient", encrypted: bool) -> None:
        self.client = client
        self.address = client.get_connection().get_ip() or ""
        self.encrypted = encrypted
        self.leaving = False
        self.since = time.monotonic()
        # By camera and the Authorization header: one question for each, however many requests come.
        self.grants: dict[tuple[str, str], Grant] = {}
        self.sessions: set[str] = set()


class Door:
    """Knows all connections, and what each was let in with."""

    def __init__(self, port: int, secret: str) -> None:
        self._port = port
        self._secret = "Basic " + base64.b64encode(secret.encode()).decode()
        self._lock = threading.Lock()
        self._visitors: dict[int, Visitor] = {}
        self._ended: collections.deque[tuple[float, Ended]] = collections.deque(maxlen=_REMEMBERED)
        self._tokens = {role: _token(role) for role in (_MAY, _MAY_NOT)}
        GLib.timeout_add_seconds(_SWEEP_EVERY_S, self._sweep)

    def watch(self, server: "GstRtspServer.RTSPServer", encrypted: bool) -> None:
        """Guards a server; before it is attached."""
        server.set_auth(_Guard(self))
        server.connect("client-connected", self._connected, encrypted)

    def certify(self, server: "GstRtspServer.RTSPServer", certificate: object) -> None:
        """Gives a server's next connections this certificate."""
        server.get_auth().set_tls_certificate(certificate)

    def end(self, ended: Ended) -> None:
        """Ends the connections that came with these, and their streams; on the main loop."""
        with self._lock:
            self._ended.append((time.monotonic(), ended))
            over = [v for v in self._visitors.values() if any(ended.ends(g) for g in v.grants.values())]
        for visitor in over:
            # Its sessions end with it, over UDP, too: GstRTSPMedia's stop-on-disconnect.
            visitor.client.close()

    def judge(self, ctx: "GstRtspServer.RTSPContext") -> bool:
        """Gives a request the token of who may watch, or of who may not (404); False without either (401)."""
        with self._lock:
            visitor = self._visitors.get(hash(ctx.client))
        if visitor is None or ctx.factory is None:
            return False
        camera = (
            ctx.uri.abspath.lstrip("/").partition("/")[0] if ctx.factory.camera is None else ctx.factory.camera
        )
        sent = _header(ctx.request, GstRtsp.RTSPHeaderField.AUTHORIZATION)
        if (camera, sent) not in visitor.grants:
            asked_at = time.monotonic()
            status, grant = self._ask(ctx, visitor, camera, sent)
            # A busy machine is still looking at the password: a 401 would be told to people as a wrong one.
            while status == http.HTTPStatus.SERVICE_UNAVAILABLE and time.monotonic() - asked_at < _PATIENCE_S:
                status, grant = self._ask(ctx, visitor, camera, sent)
            if status == http.HTTPStatus.NOT_FOUND:
                ctx.set_token(self._tokens[_MAY_NOT])
                return True
            if grant is None or not self._admit(visitor, (camera, sent), grant, asked_at):
                return False
        ctx.set_token(self._tokens[_MAY])
        return True

    def _admit(self, visitor: Visitor, key: "tuple[str, str]", grant: Grant, asked_at: float) -> bool:
        with self._lock:
            # It may have ended between the answer and now.
            if any(at >= asked_at and ended.ends(grant) for at, ended in self._ended):
                return False
            visitor.grants[key] = grant
        return True

    def _ask(
        self, ctx: "GstRtspServer.RTSPContext", visitor: Visitor, camera: str, sent: str
    ) -> "tuple[int, Grant | None]":
        """The doorkeeper's answer; 0 if there is none. Whoever cannot be asked about is refused."""
        user, password = _basic(sent)
        question = {
            "ip": visitor.address,
            "user": user,
            "password": password,
            "action": "read",
            "path": camera,
            "protocol": "rtsp",
            "query": ctx.uri.query or "",
        }
        # Not urllib, which would go to a proxy that the environment names.
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_ASK_S)
        try:
            headers = {"Authorization": self._secret, "Content-Type": "application/json"}
            connection.request("POST", "/", json.dumps(question).encode(), headers)
            response = connection.getresponse()
            said = response.read()
            if response.status == http.HTTPStatus.OK:
                answer = json.loads(said)
                return response.status, Grant(str(answer["credential"]), str(answer["session"]))
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
            return 0, None
        else:
            return response.status, None
        finally:
            connection.close()

    def _connected(self, _server: object, client: "GstRtspServer.RTSPClient", encrypted: bool) -> None:
        """Before its first request is read (GstRTSPServer tells first and attaches the client then)."""
        visitor = Visitor(client, encrypted)
        with self._lock:
            self._visitors[hash(client)] = visitor
            too_many = self._too_many(visitor.address)
        client.connect("closed", self._closed)
        client.connect("new-session", _remember_session, visitor)
        for request in _REQUESTS:
            client.connect(f"pre-{request}-request", _precheck, request, visitor)
        if too_many is not None:
            GLib.idle_add(too_many.client.close)

    def _too_many(self, address: str) -> "Visitor | None":
        """The stranger who goes for the one that just came: the oldest, who had the longest to sign in."""
        strangers = [v for v in self._visitors.values() if not v.grants and not v.leaving]
        same = [v for v in strangers if v.address == address]
        if len(same) <= _MOST_STRANGERS_OF_ONE:
            same = strangers if len(strangers) > _MOST_STRANGERS else []
        for oldest in same[:1]:
            oldest.leaving = True
            return oldest
        return None

    def _closed(self, client: "GstRtspServer.RTSPClient") -> None:
        with self._lock:
            self._visitors.pop(hash(client), None)

    def _sweep(self) -> bool:
        """Sends away who is connected, but was never let in."""
        before = time.monotonic() - _STRANGERS_STAY_S
        with self._lock:
            idle = [v for v in self._visitors.values() if not v.grants and v.since < before]
        for visitor in idle:
            visitor.client.close()
        return True


class _Guard(GstRtspServer.RTSPAuth):  # type: ignore[misc] # gi has no types
    """Asks the door for each DESCRIBE and SETUP; without the door's word nobody gets anywhere."""

    def __init__(self, door: Door) -> None:
        super().__init__()
        self._door = door
        self.set_supported_methods(GstRtsp.RTSPAuthMethod.BASIC)
        self.set_realm(_REALM)

    def do_authenticate(self, ctx: "GstRtspServer.RTSPContext") -> bool:
        """GStreamer asks this when the factory is known; False is answered with 401 and what is offered."""
        return self._door.judge(ctx)


def restrict(factory: "GstRtspServer.RTSPMediaFactory", public: bool) -> None:
    """Opens a factory to those who may watch; or to nobody, who then get 404."""
    may = "true" if public else "false"
    rights = f"media.factory.access=(boolean){may}, media.factory.construct=(boolean){may}"
    factory.add_role_from_structure(Gst.Structure.new_from_string(f"{_MAY}, {rights}"))


def _token(role: str) -> "GstRtspServer.RTSPToken":
    token = GstRtspServer.RTSPToken.new()
    token.set_string("media.factory.role", role)
    return token


def _precheck(
    _client: object, ctx: "GstRtspServer.RTSPContext", request: str, visitor: Visitor
) -> "GstRtsp.RTSPStatusCode":
    """What may be asked at all, before GStreamer looks at it."""
    if request in _PUBLISHING:
        return GstRtsp.RTSPStatusCode.METHOD_NOT_ALLOWED
    # A session belongs to the connection that was let in, so that knowing its number is worth nothing.
    if ctx.session is not None and ctx.session.get_sessionid() not in visitor.sessions:
        return GstRtsp.RTSPStatusCode.SESSION_NOT_FOUND
    if ctx.session is None and request not in _ENTRANCES:
        return GstRtsp.RTSPStatusCode.SESSION_NOT_FOUND if request in _NEED_SESSION else GstRtsp.RTSPStatusCode.OK
    if request == "setup" and visitor.encrypted and not _over_tcp(ctx.request):
        # RTP over UDP would leave this machine in the clear.
        return GstRtsp.RTSPStatusCode.UNSUPPORTED_TRANSPORT
    return GstRtsp.RTSPStatusCode.OK


_NEED_SESSION = ("play", "pause", "teardown")


def _over_tcp(request: "GstRtsp.RTSPMessage") -> bool:
    """Whether all transports that a SETUP offers run inside of its connection (RFC 2326, 12.39)."""
    offered = _header(request, GstRtsp.RTSPHeaderField.TRANSPORT).split(",")
    return all("/TCP" in one.partition(";")[0].upper() for one in offered)


def _remember_session(_client: object, session: "GstRtspServer.RTSPSession", visitor: Visitor) -> None:
    visitor.sessions.add(session.get_sessionid())


def _header(request: "GstRtsp.RTSPMessage", field: "GstRtsp.RTSPHeaderField") -> str:
    """A header's first value; empty without one, or if it is no text."""
    try:
        found, value = request.get_header(field, 0)
    except UnicodeDecodeError:
        return ""
    return value if found == GstRtsp.RTSPResult.OK and value else ""


def _basic(sent: str) -> "tuple[str, str]":
    """User and password of an Authorization header; empty for any other scheme."""
    scheme, _, value = sent.strip().partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
    except ValueError:
        return "", ""
    return user, password
