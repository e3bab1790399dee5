"""RTSPS and encrypted WebRTC and LL-HLS of either media server."""

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.rtsp_gate import FakeGate
from rtsp_bench import Bench, listening
from support.rtsp_talk import RtspTalk, basic
from support.waiting import until
from support.web_certificate import make_certificate, trusting

from livecam_nvr.core.events import AccessEnded
from livecam_nvr.domain.status import MediaServerStatus, ServerState

WHO = "anna:right%20one"


@pytest.fixture
def gate() -> FakeGate:
    made = FakeGate(demo=None)
    made.add_user("anna", "right one")
    return made


async def test_rtsps_beside_rtsp(
    kind: str, make_bench: Callable[..., Bench], gate: FakeGate, tmp_path: Path
) -> None:
    tls = make_certificate(tmp_path)
    bench = make_bench(kind, gate=gate, tls=tls)
    assert await bench.start(), bench.server.status()
    await bench.publish("cam0")
    address = bench.server.addresses("cam0")
    assert address.rtsp.startswith("rtsp://")
    assert address.rtsps == f"rtsps://{{host}}:{bench.config.listen.rtsps_port}/cam0"
    assert all(url is None or url.startswith("https://") for url in (address.webrtc, address.ll_hls))
    await bench.sees("cam0", url=bench.url("cam0", WHO, "rtsps"))
    # Both at once: they share one pipeline, and with it the packets.
    plain = await bench.view("cam0", who=WHO)
    before = plain.frames
    await bench.sees("cam0", frames=30, url=bench.url("cam0", WHO, "rtsps"))
    await until(lambda: plain.frames > before + 30, "the plain viewer goes on")

    # What has ended over RTSP has ended over RTSPS, too.
    secret = await bench.view("cam0", url=bench.url("cam0", WHO, "rtsps"))
    await until(lambda: secret.frames > 5, "a viewer over RTSPS")
    bench.bus.publish(AccessEnded(frozenset({"user:anna#1"})))
    await until(lambda: not secret.connected and not plain.connected, "both are sent away")

    port, trust = bench.config.listen.rtsps_port, trusting(tls)
    async with RtspTalk(port, tls=trust) as talk:
        assert (await talk.ask("DESCRIBE", "/cam0")).status == 401
        assert (await talk.ask("DESCRIBE", "/cam0", Authorization=basic("anna", "right one"))).status == 200
        if kind == "gstreamer":  # MediaMTX encrypts UDP, too (SRTP)
            udp = "RTP/AVP;unicast;client_port=20000-20001"
            answer = await talk.ask(
                "SETUP", "/cam0/stream=0", Transport=udp, Authorization=basic("anna", "right one")
            )
            assert answer.status == 461

    # A certificate that is replaced is used for the next connections.
    make_certificate(tmp_path, "other")
    assert tls.certificate
    assert tls.private_key
    (tmp_path / "other.key").replace(tls.private_key)
    (tmp_path / "other.pem").replace(tls.certificate)

    async def is_new() -> bool:
        try:
            async with RtspTalk(port, tls=trusting(tls)) as talk:
                return (await talk.ask("OPTIONS", "/cam0")).status == 200
        except (ssl.SSLError, OSError):
            return False

    await until(is_new, "the new certificate")


async def test_only_encrypted_beyond_this_machine(
    kind: str, make_bench: Callable[..., Bench], gate: FakeGate, tmp_path: Path
) -> None:
    tls = make_certificate(tmp_path).model_copy(update={"only": True})
    bench = make_bench(kind, gate=gate, tls=tls, address="0.0.0.0")
    assert await bench.start(), bench.server.status()
    await bench.publish("cam0")
    address = bench.server.addresses("cam0")
    assert address.rtsp == address.rtsps
    await bench.sees("cam0", url=bench.url("cam0", WHO))
    listen = bench.config.listen
    assert bench.server.pid
    there = listening(bench.server.pid)
    assert ("tcp", "127.0.0.1", listen.rtsp_port) in there
    beyond = {port for proto, where, port in there if proto == "tcp" and where != "127.0.0.1"}
    more = set() if kind == "gstreamer" else {listen.webrtc_port, listen.hls_port}
    assert beyond == {listen.rtsps_port, *more}


async def test_a_certificate_that_cannot_be_used_is_told(
    kind: str, make_bench: Callable[..., Bench], tmp_path: Path
) -> None:
    tls = make_certificate(tmp_path)
    assert tls.certificate
    tls.certificate.write_text("no certificate")
    bench = make_bench(kind, tls=tls)
    assert not await bench.start(1)

    def failed() -> MediaServerStatus | None:
        now = bench.server.status()
        return now if now.fault else None  # it is gone again while the next attempt begins

    status = await until(failed, "a fault")
    assert isinstance(status, MediaServerStatus)
    assert status.state is not ServerState.READY
    assert status.fault
    assert "certificate" in f"{status.fault.message} {status.fault.hint}".lower()
