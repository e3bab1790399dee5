"""WHEP through the service to a real MediaMTX: sessions begin, and end with whoever's access does."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.rtsp_gate import FakeGate
from rtsp_bench import Bench
from support.waiting import until
from support.web_certificate import make_certificate

from livecam_nvr.config.models import TlsConfig
from livecam_nvr.core.events import AccessEnded
from livecam_nvr.domain.access import Kind, Principal, Role
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.rtsp.mediamtx import MediaMtxServer
from livecam_nvr.rtsp.whep import MediaMtxWhep, whep_of

pytestmark = pytest.mark.mediamtx

ANNA = Principal(Kind.USER, "anna", Role.VIEWER, credential="user:anna#1", session="kitchen")
GUEST = Principal(Kind.USER, "guest", Role.VIEWER, frozenset({"cam9"}), "user:guest#1")
# What a browser that wants to see H.264 offers, without its candidates.
OFFER = "\r\n".join(
    (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0",
        "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux",
        "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass",
        "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
        "a=rtpmap:96 H264/90000",
        "a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        "",
    )
)
OTHER_CODEC = OFFER.replace("H264", "VP8").replace(
    "a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;", "a=x-"
)
FRAGMENT = (
    "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n"
    "a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\n"
)


class House:
    """A MediaMTX to which one camera publishes, and the way to its WebRTC."""

    def __init__(self, bench: Bench, whep: MediaMtxWhep) -> None:
        self.bench = bench
        self.whep = whep

    async def readers(self) -> int:
        """Open sessions."""
        assert isinstance(self.bench.server, MediaMtxServer)
        control = self.bench.server._control
        assert control is not None
        return len(await control.readers(encrypted=bool(self.bench.config.tls.enabled)))


@pytest.fixture(params=["http", "https"])
async def house(
    request: pytest.FixtureRequest, make_bench: Callable[..., Bench], tmp_path: Path
) -> AsyncIterator[House]:
    tls = make_certificate(tmp_path) if request.param == "https" else TlsConfig()
    bench = make_bench("mediamtx", gate=FakeGate(demo=None), tls=tls)
    assert await bench.start(), bench.server.status()
    whep = whep_of(bench.server, bench.config, bench.gate, bench.bus)
    assert whep is not None
    await bench.publish("cam0")

    async def is_there() -> bool:
        assert isinstance(bench.server, MediaMtxServer)
        return any(path.ready for path in await bench.server.paths())

    await until(is_there, "cam0 is published")
    yield House(bench, whep)
    await whep.stop()


async def test_a_session_begins_and_ends(house: House) -> None:
    whep = house.whep
    assert whep.ready
    session = await whep.begin("cam0", OFFER, ANNA)
    assert "m=video" in session.answer
    assert "a=candidate" in session.answer
    assert await house.readers() == 1
    await whep.trickle("cam0", session.id, FRAGMENT)
    await whep.end("cam0", session.id)

    async def nobody() -> bool:
        return await house.readers() == 0

    await until(nobody, "nobody reads")
    for again in (
        whep.end("cam0", session.id),
        whep.end("cam0", "../../v3"),
        whep.trickle("cam0", session.id, FRAGMENT),
    ):
        with pytest.raises(LivecamError) as error:
            await again
        assert error.value.kind is ErrorKind.NOT_FOUND


async def test_a_session_ends_with_the_sign_in_or_the_credential(house: House) -> None:
    other = replace(ANNA, session="living room")
    for who in (ANNA, other, GUEST_OF_ALL):
        await house.whep.begin("cam0", OFFER, who)
    assert await house.readers() == 3
    for event, left in (
        (AccessEnded(sessions=frozenset({"kitchen"})), 2),
        (AccessEnded(credentials=frozenset({"user:guest#2"})), 1),
        (AccessEnded(sessions=frozenset({"living room"})), 0),
    ):
        house.bench.bus.publish(event)

        async def so_many(left: int = left) -> bool:
            return await house.readers() == left

        await until(so_many, f"{left} left after {event}")


GUEST_OF_ALL = Principal(Kind.USER, "guest", Role.VIEWER, credential="user:guest#2", session="")


@pytest.mark.parametrize(
    ("camera_id", "offer", "who", "kind"),
    [
        ("cam1", OFFER, ANNA, ErrorKind.UNAVAILABLE),  # nobody publishes it
        ("cam0", OFFER, GUEST, ErrorKind.UNAVAILABLE),
        ("cam0", OTHER_CODEC, ANNA, ErrorKind.INVALID),
        ("cam0", "nonsense", ANNA, ErrorKind.INVALID),
    ],
)
async def test_what_does_not_go_is_told(
    house: House, camera_id: str, offer: str, who: Principal, kind: ErrorKind
) -> None:
    with pytest.raises(LivecamError) as error:
        await house.whep.begin(camera_id, offer, who)
    assert error.value.kind is kind


async def test_a_server_that_is_gone(house: House) -> None:
    await house.bench.server.stop()
    assert not house.whep.ready
    with pytest.raises(LivecamError) as error:
        await house.whep.begin("cam0", OFFER, ANNA)
    assert error.value.kind is ErrorKind.UNAVAILABLE
    house.bench.bus.publish(AccessEnded(sessions=frozenset({"kitchen"})))


async def test_only_our_own_certificate_will_do(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    bench = make_bench("mediamtx", tls=make_certificate(tmp_path))
    assert await bench.start(), bench.server.status()
    tls = make_certificate(tmp_path, "other")
    config = bench.config.model_copy(update={"tls": tls})
    whep = MediaMtxWhep(config, bench.gate, bench.bus, bench.server.status)
    with pytest.raises(LivecamError, match="does not answer"):
        await whep.begin("cam0", OFFER, ANNA)
    await whep.stop()
