"""Quality changed and cameras restarted while the service runs, and nobody else notices."""

import asyncio
import contextlib
import itertools
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support import clips
from support.browser import chromium, shown_frame
from support.mqtt import Listener, listen
from support.service import STALL_S, Service, small_camera
from support.v4l2_device import FakeCamera, Picture, UsbPorts, compiled
from support.waiting import PATIENCE_S, until

if TYPE_CHECKING:
    from support.broker import Broker

LARGE = {
    "id": "cam0",
    "kind": "test",
    "size": "1280x720",
    "fps": 10,
    "bitrate_kbps": 800,
    "stall_seconds": STALL_S,
}


async def post(service: Service, path: str, body: dict[str, Any], camera_id: str = "cam0") -> tuple[int, Any]:
    """Status and answer of a POST."""

    def send() -> tuple[int, Any]:
        request = urllib.request.Request(
            f"{service.url}/api/cameras/{camera_id}/{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", **service.bearer},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.load(refusal)

    return await asyncio.to_thread(send)


async def recordings(service: Service, camera_id: str) -> list[dict[str, Any]]:
    """What the index has of a camera, oldest first."""
    found = json.loads(await service.get(f"/api/cameras/{camera_id}/recordings"))["recordings"]
    return sorted(found, key=lambda segment: segment["start_utc_s"])


async def frames_more(service: Service, count: int, camera_id: str = "cam0") -> None:
    """Waits until a camera has delivered so many frames more."""
    wanted = (await service.camera(camera_id))["frames"] + count

    async def there() -> bool:
        return bool((await service.camera(camera_id))["frames"] >= wanted)

    await until(there, f"{count} frames more")


async def announced(listener: Listener, platform: str, needle: str = "") -> dict[str, Any]:
    """A component of cam0, once it is announced."""
    found: dict[str, Any] = {}

    def there() -> bool:
        nonlocal found
        with contextlib.suppress(AssertionError):
            found = listener.component("cam0", platform, needle)
        return bool(found)

    await until(there, f"{platform} {needle}")
    return found


async def test_one_camera_changes_and_the_other_loses_no_frame(
    make_service: Callable[..., Service], broker: "Broker"
) -> None:
    service = make_service(
        cameras=[LARGE, small_camera("cam1")],
        mqtt={"host": "127.0.0.1", "port": broker.port},
        recording={"segment_seconds": 600},
    )
    async with listen(broker.port) as listener:
        await service.start()
        select, number = await announced(listener, "select", "resolution"), await announced(listener, "number")
        assert select["options"] == ["480p", "720p", "1080p"]
        await listener.until_topic(select["state_topic"], b"720p")
        await frames_more(service, 10)

        status, answer = await post(service, "quality", {"height": 480})
        assert (status, answer["running"]) == (200, {"width": 848, "height": 480})
        away = [answer["interruption_s"]]
        await listener.until_topic(select["state_topic"], b"480p")
        await frames_more(service, 10)

        await listener.client.publish(select["command_topic"], b"1080p", qos=1)
        await listener.until_topic(select["state_topic"], b"1080p")
        await until(service.all_live, "all LIVE")
        camera = await service.camera("cam0")
        assert (camera["width"], camera["height"]) == (1920, 1080)
        away.append(camera["quality"]["interruption_s"])
        await frames_more(service, 10)

        await listener.client.publish(number["command_topic"], b"15", qos=1)
        await listener.until_topic(number["state_topic"], b"15")
        away.append((await service.camera("cam0"))["quality"]["interruption_s"])
        await frames_more(service, 15)

        restart = await announced(listener, "button", "restart")
        before = service.children("ffmpeg")
        await listener.client.publish(restart["command_topic"], b"PRESS", qos=1)
        await until(lambda: len(set(service.children("ffmpeg")) - set(before)) == 1, "another ffmpeg")
        await until(service.all_live)
        await frames_more(service, 15)

        assert (await post(service, "restart", {}))[0] == 202
        await frames_more(service, 15)
        assert await service.stop() == 0
        await service.start()
        segments = await recordings(service, "cam0")
        quiet = await recordings(service, "cam1")

    # A file that ends on the clock goes on in the next one.
    ends = [segment for segment in segments if segment["cause"] != "clock"]
    heights = [segment["height"] for segment in segments]
    assert [height for height, _ in itertools.groupby(heights)] == [720, 480, 1080]
    assert [segment["cause"] for segment in ends] == 5 * ["reconfigured"] + ["service"]
    gaps = []
    for one, next_one in itertools.pairwise(segments):
        gap = next_one["start_utc_s"] - one["start_utc_s"] - one["duration_s"]
        assert gap >= -0.1
        if one["cause"] != "clock":
            gaps.append(gap)
            assert next_one["sequence"] == 0
    # What was said of the interruptions is what is missing on disk, as far as a busy machine can tell.
    assert all(seconds > 0 for seconds in away), away
    if not service.was_late("cam0"):
        assert gaps[:3] == [pytest.approx(seconds, abs=2) for seconds in away]
    # The other camera: without a hole.
    assert [segment["cause"] for segment in quiet if segment["cause"] != "clock"] == ["service"]
    numbers = [n for segment in quiet for n in clips.frame_numbers(service.recordings / segment["path"])]
    assert numbers == list(range(len(numbers)))


async def test_a_quality_that_fails_comes_back_and_is_told(
    make_service: Callable[..., Service],
    broker: "Broker",
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    usb = UsbPorts(tmp_path / "dev", compiled(tmp_path_factory.getbasetemp()))
    usb.plug(FakeCamera((Picture("YUYV", {"640x480": (15,), "1280x720": (15,)}),)))
    service = make_service(
        cameras=[{**LARGE, "kind": "v4l2", "device": "/dev/video0", "fps": 15}, small_camera("cam1")],
        mqtt={"host": "127.0.0.1", "port": broker.port},
    )
    monkeypatch.setenv("LD_PRELOAD", usb.env["LD_PRELOAD"])
    monkeypatch.setenv("V4L2_FAKE_DEV", usb.env["V4L2_FAKE_DEV"])
    async with listen(broker.port) as listener:
        await service.start()
        select = await announced(listener, "select", "resolution")
        await listener.until_topic(select["state_topic"], b"720p")
        await frames_more(service, 15)

        status, answer = await post(service, "quality", {"height": 1080})
        assert status == 503
        assert "1080p at 15 frames a second failed: the camera has no pictures of 1080 lines" in str(answer)
        assert "back to 720p" in answer["error"]["hint"]

        async def back() -> bool:
            quality = json.loads(await service.get("/api/cameras/cam0/quality"))
            return not quality["changing"] and quality["running"] == {"width": 1280, "height": 720}

        await until(back, "the old quality")
        await frames_more(service, 15)
        await until(service.all_live, "all LIVE")

        def warned() -> int:
            return sum("WARNING" in line and "1080p" in line for line in service.read_log().splitlines())

        seen, lines = len(listener.seen), warned()
        await listener.client.publish(select["command_topic"], b"1080p", qos=1)
        # It is told again what runs, because somebody has asked.
        await until(lambda: (select["state_topic"], b"720p") in listener.seen[seen:], "the old state")
        await until(back, "the old quality once more")
        assert warned() == lines + 1
        assert (select["state_topic"], b"1080p") not in listener.seen
        # What it can have still works.
        status, answer = await post(service, "quality", {"height": 480})
        assert (status, answer["running"]) == (200, {"width": 640, "height": 480})


async def test_it_is_remembered_until_the_config_says_something_else(
    make_service: Callable[..., Service],
) -> None:
    service = make_service(cameras=[LARGE])
    await service.start()
    # Whoever asked hangs up at once: that is no reason to give up.
    body = b'{"height": 480, "fps": 5}'
    known = f"Host: localhost\r\nAuthorization: Bearer {service.token}\r\n"
    head = f"{known}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    _, writer = await asyncio.open_connection("127.0.0.1", service.ports["http_port"])
    writer.write(b"POST /api/cameras/cam0/quality HTTP/1.1\r\n" + head.encode() + body)
    await writer.drain()

    async def changing_or_changed() -> bool:
        return bool((await service.camera("cam0"))["quality"]["height"] == 480)

    await until(changing_or_changed, "a change under way")
    writer.close()

    async def proven() -> bool:
        camera = await service.camera("cam0")
        return camera["height"] == 480 and not camera["quality"]["changing"]

    await until(proven, "the new quality")
    await service.stop()
    await service.start()
    camera = await service.camera("cam0")
    assert (camera["height"], camera["quality"]["height"], camera["quality"]["fps"]) == (480, 480, 5)
    await service.stop()
    service.config["cameras"] = [{**LARGE, "size": "640x360"}]
    await service.start()
    camera = await service.camera("cam0")
    assert (camera["height"], camera["quality"]["height"], camera["quality"]["fps"]) == (360, 360, 10)


async def test_rtsp_clients_get_the_new_quality_at_the_old_address(
    make_service: Callable[..., Service], server: str
) -> None:
    service = make_service(server, cameras=[LARGE])
    await service.start()

    async def served() -> object:
        show = ["-show_entries", "stream=width,height", "-of", "csv=p=0", "-rtsp_transport", "tcp"]
        child = await asyncio.create_subprocess_exec(
            "ffprobe", "-v", "quiet", *show, service.rtsp("cam0"), stdout=asyncio.subprocess.PIPE
        )
        out, _ = await child.communicate()
        return out.decode().strip()

    async def shows(size: str) -> bool:
        return await served() == size

    await until(lambda: shows("1280,720"), "the first quality")
    assert (await post(service, "quality", {"height": 480}))[0] == 200
    await until(lambda: shows("848,480"), "the second quality")


@pytest.mark.browser
async def test_the_page_goes_on_by_itself(make_service: Callable[..., Service]) -> None:
    service = make_service(cameras=[LARGE])
    await service.start()
    async with chromium() as browser:
        page = await browser.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await service.sign_in(page)
        await page.goto(service.url)

        async def moves(width: int) -> bool:
            shown = await page.evaluate("document.querySelector('video')?.videoWidth")
            return shown == width and await shown_frame(page, 0) > 5

        await until(lambda: moves(1280), "the first quality")
        await page.keyboard.press("i")
        await page.locator("select.height").select_option("480")
        await until(lambda: moves(848), "the second quality")
        await until(page.locator("select.height").is_enabled)
        await until(lambda: page.get_by_text("848×480").count(), "the real size")  # noqa: RUF001
        assert complaints == []
