"""The page's encryption: what certificates are taken, how new ones are taken up, what plain HTTP hears there."""

import asyncio
import logging
import shutil
import ssl
from pathlib import Path

import aiohttp
import pytest
from fakes.web_edge import Edge, edge
from support.waiting import PATIENCE_S, until
from support.web_certificate import make_certificate, trusting

from livecam_nvr.config.models import TlsConfig
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.limits import Limits
from livecam_nvr.web.tls import Certificate, load

ASYNCIOS_OWN_S = 60.0
"""After so long, asyncio itself gives up a handshake."""


async def test_everything_works_encrypted(tmp_path: Path) -> None:
    tls = make_certificate(tmp_path)
    async with (
        edge(tls=tls) as place,
        aiohttp.ClientSession(place.url, connector=aiohttp.TCPConnector(ssl=trusting(tls))) as client,
    ):
        async with client.get("/seen") as response:
            assert (await response.json())["scheme"] == "https"
            assert "Strict-Transport-Security" not in response.headers
        async with client.post("/echo", data=b"x", headers={"Origin": place.url}) as response:
            assert await response.read() == b"x"
        async with client.post(
            "/echo", data=b"x", headers={"Origin": place.url.replace("https", "http")}
        ) as response:
            assert response.status == 403
        async with client.ws_connect("/socket", headers={"Origin": place.url}) as socket:
            await socket.send_str("hello")
            assert (await socket.receive(PATIENCE_S)).data == "hello"
        # Any name: the browser has compared it with the certificate.
        async with client.get("/seen", headers={"Host": "nvr.example"}) as response:
            assert response.status == 200


async def answered(place: Edge, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(request)
    async with asyncio.timeout(PATIENCE_S):
        answer = await reader.read()
    writer.close()
    return answer


async def test_plain_http_is_shown_the_way(tmp_path: Path) -> None:
    async with edge(tls=make_certificate(tmp_path)) as place:
        head = b"Host: localhost:8001\r\nConnection: close\r\n\r\n"
        answer = await answered(place, b"GET /seen?a=%2F HTTP/1.1\r\n" + head)
        assert answer.startswith(b"HTTP/1.1 308 ")
        assert b"\r\nLocation: https://localhost:8001/seen?a=%2F\r\n" in answer
        assert b"no-store" in answer  # or the browser would stay with it when there is no certificate any more
        assert (await answered(place, b"GET /nothing HTTP/1.1\r\n" + head)).startswith(b"HTTP/1.1 308 ")
        answer = await answered(place, b"POST /echo HTTP/1.1\r\n" + head)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"https://" in answer
        assert (await answered(place, b"\x15\x03\x01")).split(b" ")[1] == b"400"
        assert (await answered(place, b"\x16 is no handshake either"))[:4] != b"HTTP"


async def test_nothing_older_than_tls_1_2_is_spoken(tmp_path: Path) -> None:
    tls = make_certificate(tmp_path)
    assert tls.certificate is not None
    assert tls.private_key is not None
    assert load(tls.certificate, tls.private_key).minimum_version is ssl.TLSVersion.TLSv1_2
    async with edge(tls=tls) as place:
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            context = trusting(tls)
            context.minimum_version = context.maximum_version = version
            _, writer = await asyncio.open_connection("127.0.0.1", place.port, ssl=context)
            assert writer.get_extra_info("ssl_object").version() == name
            writer.close()


async def test_a_handshake_that_drags_on_is_cut_off(tmp_path: Path) -> None:
    async with edge(tls=make_certificate(tmp_path), limits=Limits(head_s=0.3)) as place:
        for sent in (b"", b"\x16", b"\x16\x03\x01\x02\x00"):
            reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
            writer.write(sent)
            async with asyncio.timeout(ASYNCIOS_OWN_S / 2):
                assert await reader.read() == b""
            writer.close()


async def test_connections_that_have_not_got_so_far_end_with_the_service(tmp_path: Path) -> None:
    async with edge(tls=make_certificate(tmp_path)) as place:
        pairs = [await asyncio.open_connection("127.0.0.1", place.port) for _ in range(5)]
        pairs[0][1].write(b"\x16")
    for reader, writer in pairs:
        async with asyncio.timeout(ASYNCIOS_OWN_S / 2):
            assert await reader.read() == b""
        writer.close()


async def serial(place: Edge, context: ssl.SSLContext) -> bytes | None:
    """The certificate that is shown, if this context trusts it."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", place.port, ssl=context)
    except ssl.SSLError:
        return None
    shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return shown


async def test_new_files_are_taken_up_and_broken_ones_are_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (tmp_path / "live").mkdir()
    first = make_certificate(tmp_path, "first")
    second = make_certificate(tmp_path, "second")
    live = TlsConfig(certificate=tmp_path / "live" / "it.pem", private_key=tmp_path / "live" / "it.key")

    def put(certificate: Path | None, key: Path | None) -> None:
        for source, target in ((certificate, live.certificate), (key, live.private_key)):
            assert source is not None
            assert target is not None
            fresh = target.with_suffix(".new")
            shutil.copy(source, fresh)
            fresh.replace(target)

    put(first.certificate, first.private_key)
    certificate = Certificate(live, look_every_s=0.05)
    context = await certificate.open()
    server = await asyncio.start_server(lambda _r, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    place = Edge(server.sockets[0].getsockname()[1], True)
    watching = asyncio.create_task(certificate.watch())
    try:
        assert await serial(place, trusting(first))
        put(second.certificate, first.private_key)
        await until(lambda: "the old one stays" in caplog.text)
        assert await serial(place, trusting(first))
        put(second.certificate, second.private_key)
        await until(lambda: "is in use" in caplog.text)
        assert await serial(place, trusting(second))
        assert await serial(place, trusting(first)) is None
        assert live.certificate is not None
        caplog.clear()
        live.certificate.unlink()
        await until(lambda: "cannot be read" in caplog.text)
        assert await serial(place, trusting(second))
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        server.close()
        await server.wait_closed()


def spoil(tls: TlsConfig, folder: Path, what: str) -> TlsConfig:
    certificate, key = tls.certificate, tls.private_key
    assert certificate is not None
    assert key is not None
    if what == "missing":
        key.unlink()
    elif what == "swapped":
        return TlsConfig(certificate=key, private_key=certificate)
    elif what == "another's":
        return TlsConfig(certificate=certificate, private_key=make_certificate(folder, "other").private_key)
    elif what == "passphrase":
        return make_certificate(folder, "hidden", passphrase=b"x")
    elif what == "empty certificate":
        certificate.write_bytes(b"")
    elif what == "empty key":
        key.write_bytes(b"")
    elif what == "folder":
        return TlsConfig(certificate=folder, private_key=key)
    return tls


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("missing", "nvr.key cannot be read: No such file"),
        ("swapped", "nvr.key is no certificate"),
        ("another's", "other.key is not the key of"),
        ("passphrase", "hidden.key has a passphrase"),
        ("empty certificate", "nvr.pem is no certificate"),
        ("empty key", "nvr.key is no private key"),
        ("folder", "cannot be read: Is a directory"),
    ],
)
async def test_what_is_wrong_with_the_files_is_said(tmp_path: Path, what: str, told: str) -> None:
    tls = spoil(make_certificate(tmp_path), tmp_path, what)
    with pytest.raises(LivecamError) as caught:
        async with edge(tls=tls):
            pass
    assert caught.value.kind is ErrorKind.CONFIG
    assert told in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(("days", "told"), [(-2, "ended on"), (0.2, "valid until"), (60, "")])
def test_a_certificate_that_ends_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, days: float, told: str
) -> None:
    tls = make_certificate(tmp_path, days=days)
    assert tls.certificate is not None
    assert tls.private_key is not None
    load(tls.certificate, tls.private_key)
    warned = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [told in record.getMessage() for record in warned] == ([True] if told else [])
