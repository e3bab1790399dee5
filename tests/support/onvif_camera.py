"""An IP camera's ONVIF side on loopback: SOAP over HTTP with WS-Security, and an answer to searches."""

import asyncio
import base64
import hashlib
import re
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from aiohttp import web
from support.waiting import PATIENCE_S

SOAP = "http://www.w3.org/2003/05/soap-envelope"
SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
UTILITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
TURNS = "http://www.onvif.org/ver10/tptz"
PTZ = "http://www.onvif.org/ver20/ptz/wsdl"
NAMESPACES = (
    f'xmlns:s="{SOAP}" xmlns:tds="{DEVICE}" xmlns:trt="{MEDIA}" xmlns:tptz="{PTZ}"'
    ' xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error"'
)
JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"
PROBE_TYPE = re.compile(rb"Types[^>]*>\w+:(\w+)<")

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Stream:
    """A profile of the camera."""

    token: str
    codec: str = "H264"
    size: tuple[int, int] = (1920, 1080)
    fps: int = 25
    bitrate: int = 4096
    audio: str = ""
    path: str = ""
    source: str = "source0"


@dataclass
class Call:
    """A request that was let in."""

    operation: str
    body: ET.Element

    def text(self, name: str) -> str | None:
        return next((e.text for e in self.body.iter() if e.tag.rpartition("}")[2] == name), None)

    def attributes(self, name: str) -> dict[str, str]:
        return next((dict(e.attrib) for e in self.body.iter() if e.tag.rpartition("}")[2] == name), {})


def default_streams() -> list[Stream]:
    return [
        Stream("main", audio="AAC"),
        Stream("sub", size=(640, 360), fps=15, bitrate=512),
        Stream("tiny", size=(176, 144)),
    ]


@dataclass
class OnvifDevice:
    """Set what it is like before or while it runs; `async with OnvifDevice(...) as camera`."""

    user: str = ""
    password: str = ""
    http_auth: str = ""
    """`digest` or `basic`: asked for by HTTP, too; snapshots only with `basic`."""
    clock_offset: timedelta = timedelta()
    ptz: bool = True
    pan_tilt: bool = True
    zoom: bool = True
    home: bool = True
    old: bool = False
    """Knows GetCapabilities and no GetServices."""
    xaddr_host: str = ""
    streams: list[Stream] = field(default_factory=default_streams)
    presets: dict[str, str] = field(default_factory=lambda: {"1": "Door", "2": "Gate"})
    odd: dict[str, Answer] = field(default_factory=dict)
    """Operation to what happens instead of the right answer."""
    calls: list[Call] = field(default_factory=list)
    velocity: tuple[float, float, float] | None = None
    refused: int = 0
    """Wrong passwords so far."""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/{path:.*}", self._soap)
        app.router.add_get("/snapshot/{token}", self._snapshot)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}/onvif/device_service"

    def operations(self) -> list[str]:
        return [call.operation for call in self.calls]

    def last(self, operation: str) -> Call:
        return next(call for call in reversed(self.calls) if call.operation == operation)

    async def _soap(self, request: web.Request) -> web.StreamResponse:
        envelope = ET.fromstring(await request.read())  # noqa: S314
        body = envelope.find(f"{{{SOAP}}}Body")
        assert body is not None
        operation = body[0].tag.rpartition("}")[2]
        open_to_all = operation in ("GetSystemDateAndTime", "GetServices", "GetCapabilities")
        if self.http_auth == "digest" and not open_to_all and not digest_fits(request, self.user, self.password):
            return challenge()
        if self.user and not open_to_all and not self._token_fits(envelope):
            self.refused += 1
            return fault("Sender", "NotAuthorized", "Sender not Authorized")
        self.calls.append(Call(operation, body[0]))
        if operation in self.odd:
            return await self.odd[operation](request)
        return self._answer(self.calls[-1], request.path)

    def _token_fits(self, envelope: ET.Element) -> bool:
        def text(namespace: str, name: str) -> str:
            return envelope.findtext(f".//{{{namespace}}}{name}") or ""

        created = text(UTILITY, "Created")
        try:
            asked = datetime.fromisoformat(created)
        except ValueError:
            return False
        age = abs(self.now() - asked)
        digest = hashlib.sha1(  # noqa: S324 - what WS-Security has
            base64.b64decode(text(SECURITY, "Nonce")) + created.encode() + self.password.encode()
        ).digest()
        same = text(SECURITY, "Password") == base64.b64encode(digest).decode()
        return same and text(SECURITY, "Username") == self.user and age < timedelta(seconds=PATIENCE_S)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.clock_offset

    def _answer(self, call: Call, path: str) -> web.Response:
        service = {"device_service": "Device", "media": "Media", "ptz": "Ptz"}[path.rpartition("/")[2]]
        answer: Any = getattr(self, f"_{service}_{call.operation}", None)
        if answer is None or (service == "Ptz" and not self.ptz):
            return fault("Receiver", "ActionNotSupported", "Optional Action Not Implemented")
        told = answer(call)
        return told if isinstance(told, web.Response) else soap(told)

    def _Device_GetSystemDateAndTime(self, _call: Call) -> str:  # noqa: N802
        now = self.now()
        return (
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>"
            "<tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime>"
            f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
            f"<tt:Second>{now.second}</tt:Second></tt:Time><tt:Date><tt:Year>{now.year}</tt:Year>"
            f"<tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day></tt:Date></tt:UTCDateTime>"
            "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )

    def _xaddr(self, name: str) -> str:
        return f"http://{self.xaddr_host or self.place}/onvif/{name}"

    def _Device_GetServices(self, _call: Call) -> str | web.Response:  # noqa: N802
        if self.old:
            return fault("Receiver", "ActionNotSupported", "Optional Action Not Implemented")
        names = [(DEVICE, "device_service"), (MEDIA, "media"), *([(PTZ, "ptz")] if self.ptz else [])]
        services = "".join(
            f"<tds:Service><tds:Namespace>{namespace}</tds:Namespace><tds:XAddr>{self._xaddr(name)}</tds:XAddr>"
            "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
            for namespace, name in names
        )
        return f"<tds:GetServicesResponse>{services}</tds:GetServicesResponse>"

    def _Device_GetCapabilities(self, _call: Call) -> str:  # noqa: N802
        ptz = f"<tt:PTZ><tt:XAddr>{self._xaddr('ptz')}</tt:XAddr></tt:PTZ>" if self.ptz else ""
        return (
            "<tds:GetCapabilitiesResponse><tds:Capabilities>"
            f"<tt:Media><tt:XAddr>{self._xaddr('media')}</tt:XAddr></tt:Media>{ptz}"
            "</tds:Capabilities></tds:GetCapabilitiesResponse>"
        )

    def _Device_GetDeviceInformation(self, _call: Call) -> str:  # noqa: N802
        return (
            "<tds:GetDeviceInformationResponse><tds:Manufacturer>Acme</tds:Manufacturer>"
            "<tds:Model>Eye 3</tds:Model><tds:FirmwareVersion>1.2.3</tds:FirmwareVersion>"
            "<tds:SerialNumber>42</tds:SerialNumber><tds:HardwareId>7</tds:HardwareId>"
            "</tds:GetDeviceInformationResponse>"
        )

    def _Media_GetProfiles(self, _call: Call) -> str:  # noqa: N802
        profiles = "".join(self._profile(stream) for stream in self.streams)
        return f"<trt:GetProfilesResponse>{profiles}</trt:GetProfilesResponse>"

    def _profile(self, stream: Stream) -> str:
        width, height = stream.size
        sound = (
            f'<tt:AudioEncoderConfiguration token="a"><tt:Name>a</tt:Name><tt:UseCount>1</tt:UseCount>'
            f"<tt:Encoding>{stream.audio}</tt:Encoding><tt:Bitrate>32</tt:Bitrate><tt:SampleRate>8</tt:SampleRate>"
            "</tt:AudioEncoderConfiguration>"
            if stream.audio
            else ""
        )
        ptz = (
            '<tt:PTZConfiguration token="p"><tt:Name>p</tt:Name><tt:UseCount>1</tt:UseCount>'
            "<tt:NodeToken>node0</tt:NodeToken></tt:PTZConfiguration>"
            if self.ptz
            else ""
        )
        return (
            f'<trt:Profiles token="{stream.token}" fixed="true"><tt:Name>{stream.token} stream</tt:Name>'
            '<tt:VideoSourceConfiguration token="v"><tt:Name>v</tt:Name><tt:UseCount>1</tt:UseCount>'
            f"<tt:SourceToken>{stream.source}</tt:SourceToken>"
            '<tt:Bounds x="0" y="0" width="1920" height="1080"/></tt:VideoSourceConfiguration>'
            '<tt:VideoEncoderConfiguration token="e"><tt:Name>e</tt:Name><tt:UseCount>1</tt:UseCount>'
            f"<tt:Encoding>{stream.codec}</tt:Encoding><tt:Resolution><tt:Width>{width}</tt:Width>"
            f"<tt:Height>{height}</tt:Height></tt:Resolution><tt:Quality>4</tt:Quality><tt:RateControl>"
            f"<tt:FrameRateLimit>{stream.fps}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval>"
            f"<tt:BitrateLimit>{stream.bitrate}</tt:BitrateLimit></tt:RateControl>"
            f"</tt:VideoEncoderConfiguration>{sound}{ptz}</trt:Profiles>"
        )

    def _Media_GetStreamUri(self, call: Call) -> str | web.Response:  # noqa: N802
        token = call.text("ProfileToken")
        stream = next((s for s in self.streams if s.token == token), None)
        if stream is None:
            return fault("Sender", "NoProfile", "Profile token does not exist")
        uri = escape(f"rtsp://127.0.0.1:554/{stream.path or stream.token}")
        return f"<trt:GetStreamUriResponse>{media_uri(uri)}</trt:GetStreamUriResponse>"

    def _Media_GetSnapshotUri(self, call: Call) -> str:  # noqa: N802
        uri = f"http://{self.place}/snapshot/{call.text('ProfileToken')}"
        return f"<trt:GetSnapshotUriResponse>{media_uri(uri)}</trt:GetSnapshotUriResponse>"

    def _Ptz_GetNode(self, _call: Call) -> str:  # noqa: N802
        kinds = [*(["PanTilt"] if self.pan_tilt else []), *(["Zoom"] if self.zoom else [])]
        spaces = "".join(
            f"<tt:Continuous{kind}VelocitySpace><tt:URI>{TURNS}/{kind}Spaces/VelocityGenericSpace</tt:URI>"
            f"<tt:XRange><tt:Min>-1</tt:Min><tt:Max>1</tt:Max></tt:XRange></tt:Continuous{kind}VelocitySpace>"
            for kind in kinds
        )
        return (
            '<tptz:GetNodeResponse><tptz:PTZNode token="node0"><tt:Name>n</tt:Name>'
            f"<tt:SupportedPTZSpaces>{spaces}</tt:SupportedPTZSpaces>"
            "<tt:MaximumNumberOfPresets>8</tt:MaximumNumberOfPresets>"
            f"<tt:HomeSupported>{str(self.home).lower()}</tt:HomeSupported></tptz:PTZNode></tptz:GetNodeResponse>"
        )

    def _Ptz_GetPresets(self, _call: Call) -> str:  # noqa: N802
        told = "".join(
            f'<tptz:Preset token="{escape(token)}"><tt:Name>{escape(name)}</tt:Name></tptz:Preset>'
            for token, name in self.presets.items()
        )
        return f"<tptz:GetPresetsResponse>{told}</tptz:GetPresetsResponse>"

    def _Ptz_ContinuousMove(self, call: Call) -> str:  # noqa: N802
        pan_tilt, zoom = call.attributes("PanTilt"), call.attributes("Zoom")
        self.velocity = (float(pan_tilt.get("x", 0)), float(pan_tilt.get("y", 0)), float(zoom.get("x", 0)))
        return "<tptz:ContinuousMoveResponse/>"

    def _Ptz_Stop(self, _call: Call) -> str:  # noqa: N802
        self.velocity = None
        return "<tptz:StopResponse/>"

    def _Ptz_GotoPreset(self, call: Call) -> str | web.Response:  # noqa: N802
        if call.text("PresetToken") not in self.presets:
            return fault("Sender", "NoToken", "The requested preset token does not exist.")
        self.velocity = None
        return "<tptz:GotoPresetResponse/>"

    def _Ptz_GotoHomePosition(self, _call: Call) -> str:  # noqa: N802
        return "<tptz:GotoHomePositionResponse/>"

    async def _snapshot(self, request: web.Request) -> web.StreamResponse:
        if self.http_auth == "digest" and not digest_fits(request, self.user, self.password):
            return challenge()
        wanted = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if self.http_auth == "basic" and request.headers.get("Authorization") != f"Basic {wanted}":
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="camera"'})
        if "snapshot" in self.odd:
            return await self.odd["snapshot"](request)
        return web.Response(body=JPEG, content_type="image/jpeg")


def soap(body: str, status: int = 200) -> web.Response:
    """A SOAP envelope."""
    text = f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope {NAMESPACES}><s:Body>{body}</s:Body></s:Envelope>'
    return web.Response(status=status, body=text.encode(), content_type="application/soap+xml")


def fault(code: str, subcode: str, reason: str) -> web.Response:
    """A SOAP 1.2 fault as ONVIF wants it."""
    return soap(
        f"<s:Fault><s:Code><s:Value>s:{code}</s:Value><s:Subcode><s:Value>ter:{subcode}</s:Value></s:Subcode>"
        f'</s:Code><s:Reason><s:Text xml:lang="en">{escape(reason)}</s:Text></s:Reason></s:Fault>',
        400 if code == "Sender" else 500,
    )


def media_uri(uri: str) -> str:
    return (
        f"<trt:MediaUri><tt:Uri>{uri}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>"
        "<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>"
    )


def challenge() -> web.Response:
    return web.Response(
        status=401, headers={"WWW-Authenticate": 'Digest realm="camera", qop="auth", nonce="n0", algorithm=MD5'}
    )


def digest_fits(request: web.Request, user: str, password: str) -> bool:
    """RFC 7616, MD5 and qop=auth."""
    told = request.headers.get("Authorization", "")
    parts = {key: quoted or bare for key, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^, ]+))', told)}

    def md5(*words: str) -> str:
        return hashlib.md5(":".join(words).encode(), usedforsecurity=False).hexdigest()

    if not told.startswith("Digest ") or parts.get("uri") != request.path_qs:
        return False
    inner = (parts["nonce"], parts["nc"], parts["cnonce"], "auth")
    wanted = md5(md5(user, "camera", password), *inner, md5(request.method, request.path_qs))
    return parts.get("response") == wanted


class SearchResponder(asyncio.DatagramProtocol):
    """Answers WS-Discovery probes on `group` that come over loopback; `async with`."""

    def __init__(
        self, group: tuple[str, int], answers: list[str], kind: bytes = b"NetworkVideoTransmitter"
    ) -> None:
        self.group = group
        self.answers = answers
        self.kind = kind
        self.probes: list[bytes] = []

    async def __aenter__(self) -> Self:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.bind(self.group)
        request = struct.pack("=4s4si", socket.inet_aton(self.group[0]), b"", socket.if_nametoindex("lo"))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
        self._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=sock)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._transport.close()
        await asyncio.sleep(0)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.probes.append(data)
        found = PROBE_TYPE.search(data)
        assert found, data
        if found[1] == self.kind:
            for answer in self.answers:
                self._transport.sendto(answer.encode(), addr)


def probe_match(
    xaddrs: str,
    *,
    name: str = "Front%20door",
    endpoint: str = "urn:uuid:00000000-0000-0000-0000-000000000001",
    scopes: str | None = None,
    types: str = "dn:NetworkVideoTransmitter tds:Device",
) -> str:
    """An answer to a probe."""
    if scopes is None:
        start = "onvif://www.onvif.org"
        scopes = (
            f"{start}/type/video_encoder {start}/hardware/Eye_3 {start}/name/{name} {start}/location/country/china"
            f" {start}/location/city/hangzhou"
        )
    return (
        f'<?xml version="1.0"?><s:Envelope xmlns:s="{SOAP}" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"'
        f' xmlns:dn="http://www.onvif.org/ver10/network/wsdl" xmlns:tds="{DEVICE}"><s:Body><d:ProbeMatches>'
        f"<d:ProbeMatch><a:EndpointReference><a:Address>{endpoint}</a:Address></a:EndpointReference>"
        f"<d:Types>{types}</d:Types><d:Scopes>{scopes}</d:Scopes><d:XAddrs>{xaddrs}</d:XAddrs>"
        "<d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"
    )
