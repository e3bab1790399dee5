"""A camera that is asked by the real library: what it tells, who it lets in, and all that can be wrong with it."""

import asyncio
import logging
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from aiohttp import web
from blockbuster import blockbuster_ctx
from fakes.runtime_clock import FakeClock
from support.onvif_camera import JPEG, OnvifDevice, Stream, fault, soap
from support.ports import free_port
from support.waiting import PATIENCE_S

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.onvif.camera import OnvifCamera
from livecam_nvr.onvif.errors import NotLetIn
from livecam_nvr.onvif.profiles import choose

ROOT = Path(__file__).parents[3]


def camera(device: OnvifDevice, *, password: str | None = None, timeout_s: float = PATIENCE_S) -> OnvifCamera:
    secret = device.password if password is None else password
    userinfo = f"{quote(device.user, safe='')}:{quote(secret, safe='')}@" if device.user else ""
    return OnvifCamera(f"http://{userinfo}{device.place}", timeout_s=timeout_s)


async def test_what_a_camera_tells() -> None:
    async with OnvifDevice() as device, camera(device) as client:
        told = await client.describe()
    assert (told.manufacturer, told.model, told.firmware, told.has_ptz) == ("Acme", "Eye 3", "1.2.3", True)
    main = told.profiles[0]
    assert (main.name, main.codec, main.width, main.height) == ("main stream", "h264", 1920, 1080)
    assert (main.fps, main.bitrate_kbps, main.audio) == (25, 4096, "aac")
    assert main.stream_uri == "rtsp://127.0.0.1:554/main"
    assert main.snapshot_uri == f"http://{device.place}/snapshot/main"
    [choice] = choose(told.profiles)
    assert choice.sub is not None
    assert (choice.main.token, choice.sub.token) == ("main", "sub")
    assert abs(told.clock_offset_s or 0) < PATIENCE_S


async def test_h265_and_several_lenses() -> None:
    streams = [Stream("a", "H265", source="left"), Stream("b", "H265", source="right")]
    async with OnvifDevice(streams=streams) as device, camera(device) as client:
        told = await client.describe()
    assert [choice.main.token for choice in choose(told.profiles)] == ["a", "b"]
    assert {profile.codec for profile in told.profiles} == {"h265"}


@pytest.mark.parametrize(
    ("user", "password"),
    [("admin", "hunter2"), ("a d", 'p@/:?#%"<&>ß漢'), ("ü", " lead and trail "), ("x", "")],
)
@pytest.mark.parametrize("http_auth", ["", "digest"])
async def test_any_password_lets_in(user: str, password: str, http_auth: str) -> None:
    async with (
        OnvifDevice(user=user, password=password, http_auth=http_auth) as device,
        camera(device) as client,
    ):
        assert len((await client.describe()).profiles) == 3
        assert await client.snapshot() == JPEG
    assert device.refused == 0


@pytest.mark.parametrize("hours", [-200_000, -3, 5, 20_000])
async def test_a_camera_with_a_wrong_clock_lets_in(hours: int) -> None:
    device = OnvifDevice(user="u", password="p", clock_offset=timedelta(hours=hours))
    async with device, camera(device) as client:
        told = await client.describe()
    assert told.clock_offset_s == pytest.approx(hours * 3600, abs=PATIENCE_S)
    assert device.refused == 0


async def test_a_camera_whose_clock_is_set_meanwhile_lets_in() -> None:
    async with OnvifDevice(user="u", password="p") as device, camera(device) as client:
        await client.describe()
        device.clock_offset = timedelta(days=-400)
        assert len((await client.describe()).profiles) == 3
    assert device.refused == 1


@pytest.mark.parametrize("http_auth", ["", "digest"])
async def test_a_wrong_password_is_tried_once(
    http_auth: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    clock = FakeClock()
    async with OnvifDevice(user="admin", password="right", http_auth=http_auth) as device:
        async with OnvifCamera(f"http://admin:hunter2@{device.place}", clock=clock) as client:
            with pytest.raises(NotLetIn, match="does not let the user 'admin' in") as caught:
                await client.describe()
            for _ in range(5):
                with pytest.raises(NotLetIn):
                    await client.abilities()
            assert device.refused + (http_auth == "digest") == 1
            clock.advance(31)
            with pytest.raises(NotLetIn):
                await client.describe()
            assert device.refused + 2 * (http_auth == "digest") == 2
        assert caught.value.kind is ErrorKind.UNAVAILABLE
        assert "clock" in caught.value.hint
        assert "ONVIF users" in caught.value.hint
        shown = (
            str(caught.value) + caught.value.hint + repr(caught.value) + caplog.text + "".join(capfd.readouterr())
        )
        assert "hunter2" not in shown


async def test_no_password_where_one_is_needed() -> None:
    async with OnvifDevice(user="admin", password="right") as device, OnvifCamera(device.place) as client:
        with pytest.raises(NotLetIn, match="wants a user name and a password"):
            await client.describe()


async def test_an_old_camera_without_get_services() -> None:
    async with OnvifDevice(old=True) as device, camera(device) as client:
        assert (await client.describe()).has_ptz
    assert "GetCapabilities" in device.operations()


async def test_a_camera_that_names_another_host_is_asked_at_its_own() -> None:
    async with OnvifDevice(xaddr_host="192.0.2.1") as device, camera(device) as client:
        assert len((await client.describe()).profiles) == 3


async def test_snapshots_with_basic_authentication() -> None:
    async with (
        OnvifDevice(user="ü", password="p:w", http_auth="basic") as device,
        camera(device) as client,
    ):
        assert await client.snapshot() == JPEG


async def _web_page(_request: web.Request) -> web.Response:
    return web.Response(text="<html>login</html>", content_type="text/html")


async def _not_found(_request: web.Request) -> web.Response:
    return web.Response(status=404, text="not here")


async def _broken(_request: web.Request) -> web.Response:
    return web.Response(status=500)


async def _random(_request: web.Request) -> web.Response:
    return web.Response(body=bytes(range(256)) * 40)


async def _cut_xml(_request: web.Request) -> web.Response:
    return web.Response(body=b"<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Bo")


async def _other_xml(_request: web.Request) -> web.Response:
    return web.Response(body=b"<Envelope><a/></Envelope>")


async def _empty_body(_request: web.Request) -> web.Response:
    return soap("")


async def _elsewhere(_request: web.Request) -> web.Response:
    return web.Response(status=307, headers={"Location": "http://192.0.2.1/steal"})


async def _endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"<Envelope>" * 10_000)


async def _says_no(_request: web.Request) -> web.Response:
    return fault("Receiver", "Action", "disk\x9b31m\n full")


ODD = [_web_page, _not_found, _broken, _random, _cut_xml, _other_xml, _empty_body, _elsewhere, _endless]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.__name__)
async def test_what_answers_everything_oddly_is_no_camera(odd: object) -> None:
    operations = ("GetSystemDateAndTime", "GetServices", "GetCapabilities", "GetDeviceInformation", "GetProfiles")
    device = OnvifDevice(odd=dict.fromkeys(operations, odd))  # type: ignore[arg-type]
    async with device, camera(device) as client:
        with pytest.raises(LivecamError) as caught:
            await client.describe()
    assert caught.value.kind is ErrorKind.MEDIA, caught.value
    assert device.place in caught.value.message


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.__name__)
@pytest.mark.parametrize("operation", ["GetSnapshotUri", "GetStreamUri"])
async def test_one_odd_answer_does_not_spoil_the_others(odd: object, operation: str) -> None:
    async with OnvifDevice(odd={operation: odd}) as device, camera(device) as client:  # type: ignore[dict-item]
        told = await client.describe()
    missing = [p.snapshot_uri if operation == "GetSnapshotUri" else p.stream_uri for p in told.profiles]
    assert missing == [None, None, None]
    assert told.model == "Eye 3"


async def test_a_camera_with_a_broken_clock_answer_is_asked_all_the_same() -> None:
    async with OnvifDevice(odd={"GetSystemDateAndTime": _empty_body}) as device, camera(device) as client:
        told = await client.describe()
    assert told.clock_offset_s is None
    assert len(told.profiles) == 3


async def test_a_refusal_is_told_in_the_cameras_words() -> None:
    async with OnvifDevice(odd={"GetProfiles": _says_no}) as device, camera(device) as client:
        with pytest.raises(LivecamError, match="refused GetProfiles: disk 31m full"):
            await client.describe()


@pytest.mark.parametrize(
    "odd", [_web_page, _not_found, _broken, _random, _elsewhere, _endless], ids=lambda odd: odd.__name__
)
async def test_a_snapshot_that_is_none(odd: object) -> None:
    async with OnvifDevice(odd={"snapshot": odd}) as device, camera(device) as client:  # type: ignore[dict-item]
        with pytest.raises(LivecamError) as caught:
            await client.snapshot()
    assert caught.value.kind is ErrorKind.MEDIA


async def test_no_snapshots_offered() -> None:
    async with OnvifDevice(odd={"GetSnapshotUri": _says_no}) as device, camera(device) as client:
        with pytest.raises(LivecamError, match="offers no snapshots") as caught:
            await client.snapshot()
    assert caught.value.kind is ErrorKind.CONFLICT


async def test_a_slow_camera_is_given_up() -> None:
    async def slow(_request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        raise AssertionError

    async with OnvifDevice(odd={"GetProfiles": slow}) as device, camera(device, timeout_s=0.3) as client:
        with pytest.raises(LivecamError, match=r"no answer within 0\.3 s") as caught:
            await client.describe()
    assert caught.value.kind is ErrorKind.UNAVAILABLE


async def test_nothing_is_there() -> None:
    async with OnvifCamera(f"http://u:hunter2@127.0.0.1:{free_port()}") as client:
        with pytest.raises(LivecamError, match="cannot be reached") as caught:
            await client.describe()
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert "hunter2" not in str(caught.value)


async def test_a_name_that_nobody_knows() -> None:
    async with OnvifCamera("http://no-such-camera.invalid") as client:
        with pytest.raises(LivecamError, match="cannot be reached"):
            await client.describe()


@pytest.mark.parametrize("answer", [b"", b"RTSP/1.0 400 Bad Request\r\n\r\n"])
async def test_what_does_not_speak_http(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, family=socket.AF_INET) as server:
        port = server.sockets[0].getsockname()[1]
        async with OnvifCamera(f"127.0.0.1:{port}") as client:
            with pytest.raises(LivecamError) as caught:
                await client.describe()
    assert caught.value.kind is (ErrorKind.MEDIA if answer else ErrorKind.UNAVAILABLE)


async def test_nothing_blocks_the_event_loop() -> None:
    async with OnvifDevice(user="u", password="p", http_auth="digest") as device:
        with blockbuster_ctx("livecam_nvr"):
            async with camera(device) as client:
                await client.describe()
                await client.snapshot()


async def test_close_ends_what_is_under_way() -> None:
    begun = asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        begun.set()
        await asyncio.sleep(60)
        raise AssertionError

    async with OnvifDevice(odd={"GetProfiles": slow}) as device:
        client = camera(device)
        asking = asyncio.create_task(client.describe())
        await begun.wait()
        await client.close()
        with pytest.raises(LivecamError):
            await asking
        with pytest.raises(LivecamError, match="has been closed"):
            await client.describe()


def test_the_library_is_loaded_only_when_a_camera_is_asked_and_leaves_the_logs_alone() -> None:
    code = """
import asyncio, logging, sys
import livecam_nvr.onvif.service, livecam_nvr.onvif.camera, livecam_nvr.onvif.discovery
assert not {"zeep", "lxml", "onvif", "httpx", "requests"} & set(sys.modules)

async def ask():
    async with livecam_nvr.onvif.camera.OnvifCamera("http://127.0.0.1:1") as camera:
        try:
            await camera.describe()
        except livecam_nvr.onvif.camera.LivecamError as error:
            assert "cannot be reached" in error.message, error.message

async def main():
    await asyncio.gather(*(ask() for _ in range(4)))

asyncio.run(main())
assert "zeep" in sys.modules
assert not logging.getLogger().handlers
assert logging.getLogger().level == logging.WARNING
assert not logging.getLogger("zeep.transports").isEnabledFor(logging.INFO)
assert not logging.getLogger("onvif.zeep_aiohttp").isEnabledFor(logging.INFO)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
