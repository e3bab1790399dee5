"""What people paste works in a real Home Assistant: the dashboard, and an automation of each blueprint."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, NamedTuple

import aiomqtt
import pytest
from aiohttp import web
from playwright.async_api import Browser
from support.broker import Broker
from support.browser import chromium
from support.home_assistant import HomeAssistant
from support.home_assistant_home import add_integration, start
from support.home_assistant_pages import DASHBOARD, VIEWS, Look, copy_blueprints, look, paste_dashboard, signed_in
from support.ports import free_port
from support.service import Service, small_camera
from support.waiting import PATIENCE_S, until

NODE = "paste"
"""Home Assistant remembers ids of what is gone: only a node that was never there gets those that people get."""
PHONES = "Anna's phone", "Tablet"
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
PHONE: dict[str, Any] = {"viewport": {"width": 400, "height": 860}, "is_mobile": True, "has_touch": True}
SWITCHES = [f"switch.camera_{number}_recording" for number in range(2)]
MOTION = "binary_sensor.camera_0_motion"
DISK_PROBLEM = "binary_sensor.livecam_nvr_disk_problem"
DOOR = "binary_sensor.door"

Automate = Callable[..., Awaitable[None]]


class Phones(NamedTuple):
    """Phones that have Home Assistant's app."""

    devices: list[str]
    messages: list[dict[str, Any]]
    """What was pushed to them, and not looked at yet."""


@pytest.fixture
async def service(home: HomeAssistant, broker: Broker, make_service: Callable[..., Service]) -> Service:
    """A service whose entities Home Assistant has from the broker."""
    cameras = [small_camera(f"cam{number}", name=f"Camera {number}") for number in range(2)]
    made = make_service(node={"id": NODE}, cameras=cameras, mqtt={"host": "127.0.0.1", "port": broker.port})
    await start(made)
    await home.add_broker(broker.port)
    for switch in SWITCHES:
        await home.until_state(switch, "on")
    return made


@pytest.fixture
async def phones(home: HomeAssistant) -> AsyncIterator[Phones]:
    """Two, and what their maker's server was sent for them."""
    messages: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        messages.append(await request.json())
        return web.json_response({}, status=201)

    app = web.Application()
    app.router.add_post("/push", take)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    about = {"app_id": "app", "app_name": "App", "app_version": "1", "manufacturer": "Acme", "model": "One"}
    about |= {"os_name": "Android", "os_version": "16"}
    for name in PHONES:
        pushed = {"push_token": name, "push_url": f"http://127.0.0.1:{port}/push"}
        own = {"device_id": name, "device_name": name, "supports_encryption": False, "app_data": pushed}
        await home.post("/api/mobile_app/registrations", {**about, **own})
    devices = [found["id"] for found in await home.ask("config/device_registry/list") if found["name"] in PHONES]
    assert len(devices) == len(PHONES)
    yield Phones(devices, messages)
    await home.remove_entries("mobile_app")
    await runner.cleanup()


@pytest.fixture
async def automate(home: HomeAssistant) -> AsyncIterator[Automate]:
    """Makes automations of blueprints as the editor does; they are gone after the test."""
    copy_blueprints(home)
    addresses: list[str] = []

    async def make(blueprint: str, **inputs: Any) -> None:
        use = {"path": f"livecam_nvr/{blueprint}.yaml", "input": inputs}
        addresses.append(f"/api/config/automation/config/{blueprint}")
        await home.post(addresses[-1], {"alias": blueprint, "use_blueprint": use})
        await home.until_state(f"automation.{blueprint}", "on")

    yield make
    for address in addresses:
        await home.delete(address)


async def test_motion_is_told_once(
    home: HomeAssistant, service: Service, phones: Phones, automate: Automate
) -> None:
    await automate(
        "notify_on_motion",
        motion=MOTION,
        camera="camera.camera_0",
        phones=phones.devices,
        pause=3600,
        message="{{ camera_name }} saw something",
        also=[{"action": "persistent_notification.create", "data": {"message": "{{ message }}"}}],
    )

    async def reported(state: str) -> None:
        await service.post("/api/cameras/cam0/events", {"label": "motion", "state": state})
        await home.until_state(MOTION, "off" if state == "end" else "on")

    await reported("begin")
    await until(lambda: len(phones.messages) == 2, "a message for each phone")
    assert {message["push_token"] for message in phones.messages} == set(PHONES)
    message = phones.messages[0]
    assert (message["title"], message["message"]) == ("Camera 0", "Camera 0 saw something")
    assert (await home.get_bytes(message["data"]["image"])).startswith(b"\xff\xd8")

    async def done_besides() -> bool:
        return bool(await home.ask("persistent_notification/get"))

    await until(done_besides, "what else was wanted")
    told = (await home.state("automation.notify_on_motion"))["attributes"]["last_triggered"]
    await reported("end")
    await reported("begin")
    # It is in the pause.
    assert (await home.state("automation.notify_on_motion"))["attributes"]["last_triggered"] == told
    assert not home.complaints("automation", "blueprint")


async def test_disk_problems_are_told_when_they_change(
    home: HomeAssistant, broker: Broker, service: Service, phones: Phones, automate: Automate
) -> None:
    assert service.config["node"]["id"] == NODE
    await automate("notify_on_disk_problem", problem=DISK_PROBLEM, phones=phones.devices[:1], again=0)

    # The disk cannot be filled here. The service says nothing of it as long as nothing changes.
    async def said(level: str, reason: str) -> None:
        problem = {"problem": "OFF" if level == "ok" else "ON", "level": level, "trouble": "space"}
        payload = json.dumps({**problem, "reason": reason, "hint": "Delete some." if reason else ""})
        async with aiomqtt.Client("127.0.0.1", broker.port) as client:
            await client.publish(f"livecam-nvr/{NODE}/disk/problem", payload, qos=1, retain=True)

        async def heard() -> bool:
            return (await home.state(DISK_PROBLEM))["attributes"].get("reason") == reason

        await until(heard, reason)

    for level, reason, messages in (
        ("warning", "40 GB free.", 1),
        ("warning", "39 GB free.", 1),
        ("critical", "9 GB free.", 2),
        ("ok", "", 3),
    ):
        await said(level, reason)
        await until(lambda messages=messages: len(phones.messages) >= messages, f"{messages} messages")
    told = ["40 GB free. Delete some.", "9 GB free. Delete some.", "All is well again."]
    assert [message["message"] for message in phones.messages] == told
    assert not home.complaints("automation", "blueprint")


async def test_what_is_seen_of_an_open_door_is_kept(
    home: HomeAssistant, broker: Broker, service: Service, automate: Automate
) -> None:
    device = {"identifiers": ["door"], "name": "Door"}
    door = {"unique_id": "door", "name": None, "device_class": "door", "state_topic": "door", "device": device}
    buttons = [f"button.camera_{number}_keep_that" for number in range(2)]
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.publish("door", "OFF", qos=1, retain=True)
        await client.publish("homeassistant/binary_sensor/door/config", json.dumps(door), qos=1, retain=True)
        await home.until_state(DOOR, "off")
        await automate("keep_clip_on_door", doors=[DOOR], keep=buttons, pause=0)
        await client.publish("door", "ON", qos=1, retain=True)

    async def kept() -> bool:
        clips = json.loads(await service.get("/api/clips"))["clips"]
        return {clip["camera_id"] for clip in clips} == {"cam0", "cam1"}

    await until(kept, "a clip of each camera")
    assert not home.complaints("automation", "blueprint")


async def test_it_is_recorded_while_nobody_is_there(
    home: HomeAssistant, service: Service, automate: Automate
) -> None:
    await home.call("switch.turn_off", SWITCHES[0])
    await home.until_state(SWITCHES[0], "off")
    await home.post("/api/states/person.anna", {"state": "home"})
    await automate("record_while_away", switches=SWITCHES, people=["person.anna"], delay=1)
    await home.post("/api/states/person.anna", {"state": "not_home"})
    await home.until_state(SWITCHES[0], "on")
    assert (await service.camera("cam0"))["recording"]["wanted"]
    await home.post("/api/states/person.anna", {"state": "home"})
    await home.until_state(SWITCHES[0], "off")
    # The one that was recorded before still is.
    assert (await home.state(SWITCHES[1]))["state"] == "on"
    assert not home.complaints("automation", "blueprint")


async def test_the_dashboard_is_whole_by_either_way(home: HomeAssistant, service: Service) -> None:
    await paste_dashboard(home)
    async with chromium() as browser:
        for size in (DESK, PHONE):
            await every_view_is_whole(browser, home, size, VIEWS, stills=2)
        await add_integration(service, home)
        for switch in SWITCHES:
            await home.until_state(switch, "on")
        await every_view_is_whole(browser, home, DESK, ("live", "camera-0"), videos=2)
    assert not home.complaints("lovelace")


async def every_view_is_whole(
    browser: Browser,
    home: HomeAssistant,
    size: dict[str, Any],
    views: Iterable[str],
    *,
    stills: int = 0,
    videos: int = 0,
) -> None:
    """No card shows an error, and the cameras' pictures are there."""
    async with signed_in(browser, home, **size) as page:
        for view in views:
            cameras = {"live": 2, "wall": 2, "state": 0}.get(view, 1)
            await page.goto(f"{home.url}/{DASHBOARD}/{view}")
            found = Look([], 0, 0, 0)

            async def there(cameras: int = cameras) -> bool:
                nonlocal found
                found = await look(page)
                pictures = found.stills >= min(stills, cameras) and found.videos >= min(videos, cameras)
                return found.cards > 2 and pictures and not found.errors

            try:
                await until(there, within_s=2 * PATIENCE_S)
            except AssertionError:
                raise AssertionError(f"{view} with {cameras} cameras is {found}") from None
