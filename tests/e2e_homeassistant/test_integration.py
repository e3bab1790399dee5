"""The integration in a real Home Assistant, with a real service: set-up, pictures, the past, orders, troubles."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.async_api import Page
from support import clips
from support.broker import Broker
from support.browser import chromium, shown_frame
from support.home_assistant import INTEGRATION, HomeAssistant
from support.mqtt import listen
from support.service import Service
from support.waiting import until

from livecam_nvr.access.store import AccessStore
from livecam_nvr.announce.card import ServiceCard
from livecam_nvr.announce.service import NetworkAnnouncement
from livecam_nvr.domain.access import Role

JPEG = b"\xff\xd8"
AWAY = "unavailable"
PASSWORD = "correct horse battery"

MakeService = Callable[..., Service]


class House(NamedTuple):
    """A service whose entities the integration carries."""

    service: Service
    home: HomeAssistant
    entry_id: str
    install_id: str
    ids: dict[str, str]
    """Unique id to entity id."""

    def of(self, key: str, camera: str = "cam0") -> str:
        """An entity of a camera; of the node if that is empty."""
        return self.ids["_".join(part for part in (self.install_id, camera, key) if part)]

    async def becomes(self, key: str, state: str, camera: str = "cam0") -> dict[str, Any]:
        """Waits until an entity has this state; all of it."""
        return await self.home.until_state(self.of(key, camera), state)


async def start(service: Service) -> None:
    """Starts a service in which somebody has signed in once: before that, nobody can be let in."""

    def let_in() -> None:
        with AccessStore(service.access) as store:
            store.add_user("anna", PASSWORD, Role.ADMIN, None)

    await asyncio.to_thread(let_in)
    await service.start()


def address(service: Service) -> dict[str, Any]:
    """What a person types first."""
    return {"host": "127.0.0.1", "port": service.ports["http_port"], "ssl": False, "verify_ssl": True}


def token(service: Service) -> tuple[dict[str, Any], ...]:
    """What a person answers then."""
    return {"next_step_id": "token"}, {"token": service.token}


@asynccontextmanager
async def moved_in(home: HomeAssistant, service: Service) -> AsyncIterator[House]:
    """The integration is set up, and all cameras are there."""
    await start(service)
    step = await home.set_up(INTEGRATION, address(service), *token(service))
    assert step["type"] == "create_entry", step
    yield await known(home, service)
    assert home.complaints() == []


async def away_was_told(home: HomeAssistant) -> None:
    """The log says once that the service was lost, and says nothing else; forgets it."""
    await until(home.complaints, "it is told that the service was lost")
    complaints = home.complaints()
    assert all("Error requesting livecam-nvr data" in one for one in complaints), complaints
    assert len(complaints) == 1, complaints
    home.forget_log()


async def known(home: HomeAssistant, service: Service) -> House:
    """What the integration has made of the service, once it is there."""
    (entry,) = await home.entries(INTEGRATION)
    install_id = (await service.status())["install_id"]
    wanted = [f"{install_id}_{camera['id']}_online" for camera in service.config["cameras"]]
    ids: dict[str, str] = {}

    async def there() -> bool:
        nonlocal ids
        # Not loaded before all of them are there.
        (entry,) = await home.entries(INTEGRATION)
        ids = await home.entity_ids(INTEGRATION)
        return entry["state"] == "loaded" and all(unique_id in ids for unique_id in wanted)

    await until(there, "its entities")
    house = House(service, home, entry["entry_id"], install_id, ids)
    for camera in service.config["cameras"]:
        await house.becomes("online", "on", camera["id"])
    return house


@pytest.fixture
async def house(home: HomeAssistant, make_service: MakeService) -> AsyncIterator[House]:
    """Two cameras, no broker."""
    async with moved_in(home, make_service()) as house:
        yield house


async def flow_of(home: HomeAssistant, source: str, unique_id: str = "") -> dict[str, Any]:
    """A flow that waits for somebody, by what began it (and for which service); empty if there is none."""
    flows = [flow for flow in await home.flows() if flow["context"]["source"] == source]
    return next((flow for flow in flows if unique_id in ("", flow["context"]["unique_id"])), {})


async def get(service: Service, path: str) -> dict[str, Any]:
    """JSON of the service's own API."""
    return dict(json.loads(await service.get(path)))


async def test_it_takes_over_from_mqtt_and_gives_back(
    home: HomeAssistant, broker: Broker, make_service: MakeService
) -> None:
    # Home Assistant remembers what people made of entities that are gone: other tests have another node.
    service = make_service(node={"id": "manor"}, mqtt={"host": "127.0.0.1", "port": broker.port})
    await home.add_broker(broker.port)
    await start(service)
    for unique_id in ("cam0_recording", "cam0_online", "cam1_motion", "cam1_online"):
        await until(lambda one=unique_id: has(home, "mqtt", f"manor_{one}"), f"{unique_id} over MQTT")
    before = await home.entity_ids("mqtt")
    switch = before["manor_cam0_recording"]
    await home.until_state(switch, "on")
    await home.until_state(before["manor_cam0_online"], "on")
    # What people make of it: names, places, entities that they want to see or not.
    area = (await home.ask("config/area_registry/create", name="Garden"))["area_id"]
    device = (await home.devices())["livecam-nvr_manor_cam0"]["id"]
    await home.ask("config/device_registry/update", device_id=device, area_id=area, name_by_user="The gate")
    await home.ask("config/entity_registry/update", entity_id=switch, name="Film it")
    hidden = before["manor_cam1_motion"]
    await home.ask("config/entity_registry/update", entity_id=hidden, disabled_by="user")
    await home.call("switch.turn_off", switch)
    await home.until_state(switch, "off")
    await home.call("switch.turn_on", switch)
    await home.until_state(switch, "on")

    # It is found at the broker by itself.
    flow = await until(lambda: flow_of(home, "mqtt"), "a discovery")
    assert isinstance(flow, dict)
    step = await home.get(f"/api/config/config_entries/flow/{flow['flow_id']}")
    step = await home.go_on(step, address(service), *token(service))
    assert step["type"] == "create_entry", step
    house = await known(home, service)
    key = f"{house.install_id}_"
    expected = {key + old.removeprefix("manor_"): entity for old, entity in before.items() if "refused" not in old}
    assert {unique_id: house.ids.get(unique_id) for unique_id in expected} == expected

    async def moved_out() -> bool:
        return not [one for one in await home.entity_ids("mqtt") if "refused" not in one]

    await until(moved_out, "MQTT has none of them any more")
    assert (await home.state(switch))["attributes"]["friendly_name"].endswith("Film it")
    entries = {entry["entity_id"]: entry for entry in await home.entities(INTEGRATION)}
    assert entries[hidden]["disabled_by"] == "user"
    devices = {found["id"]: found for found in await home.ask("config/device_registry/list")}
    assert (devices[device]["area_id"], devices[device]["name_by_user"]) == (area, "The gate")
    assert devices[device]["config_entries"] == [house.entry_id]
    async with listen(broker.port) as listener:
        await until(lambda: "livecam-nvr/manor/status" in listener.newest, "what the broker keeps")
        assert listener.discovered() == {}
    for state in ("off", "on"):
        await until(lambda state=state: was(home, switch, state), f"history of {state}")

    # Home Assistant starts again: nobody takes anything over again.
    await home.restart()
    assert (await known(home, service)).ids == house.ids
    await home.call("switch.turn_off", switch)
    await home.until_state(switch, "off")
    assert not (await service.camera("cam0"))["recording"]["wanted"]

    await home.remove_entries(INTEGRATION)
    await until(lambda: has(home, "mqtt", "manor_cam1_online"), "the entities over MQTT again")
    await home.until_state(switch, "off")
    same = {one: entity for one, entity in before.items() if "refused" not in one}

    async def as_before() -> bool:
        after = await home.entity_ids("mqtt")
        return {one: after.get(one) for one in same} == same and await home.entity_ids(INTEGRATION) == {}

    await until(as_before, "all entities over MQTT as they were")
    assert (await home.devices())["livecam-nvr_manor_cam0"]["area_id"] == area
    await home.ask("config/area_registry/delete", area_id=area)


async def has(home: HomeAssistant, platform: str, unique_id: str) -> bool:
    """Whether an integration has this entity."""
    return unique_id in await home.entity_ids(platform)


async def was(home: HomeAssistant, entity_id: str, state: str) -> bool:
    """Whether history knows of an entity's state within the last hour."""
    since = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    found = await home.ask("history/history_during_period", start_time=since, entity_ids=[entity_id])
    return state in [one["s"] for one in found.get(entity_id, ())]


async def test_live_pictures(home: HomeAssistant, make_service: MakeService, server: str) -> None:
    async with moved_in(home, make_service(server)) as house:
        camera = house.of("camera")
        await house.becomes("camera", "recording")
        first = await until(lambda: picture(home, camera), "a picture")
        assert isinstance(first, bytes)
        assert first.startswith(JPEG)

        async def another() -> bool:
            return await picture(home, camera) not in (b"", first)

        await until(another, "another picture")
        path = ""

        async def streams() -> bool:
            nonlocal path
            with contextlib.suppress(AssertionError):  # it gives up after a while
                path = (await home.ask("camera/stream", entity_id=camera))["url"]
            return bool(path)

        await until(streams, "a stream")
        video = await until(lambda: plays(home.url + path), "the stream")
        assert isinstance(video, dict)
        assert (video["codec_name"], video["width"], video["height"]) == ("h264", 640, 360)

        capabilities = await home.ask("camera/capabilities", entity_id=camera)
        if server == "mediamtx":
            assert "web_rtc" in capabilities["frontend_stream_types"]
            await seen_by_webrtc(home, camera)
        else:
            assert capabilities["frontend_stream_types"] == ["hls"]

        await home.call("camera.turn_off", camera)
        await house.becomes("camera", "idle")
        await home.call("camera.turn_on", camera)
        await house.becomes("online", "on")


async def picture(home: HomeAssistant, camera: str) -> bytes:
    """What Home Assistant shows of a camera; empty if that is nothing yet."""
    async with home.request("GET", f"/api/camera_proxy/{camera}") as answer:
        return await answer.read() if answer.ok else b""


async def plays(url: str) -> dict[str, Any]:
    """The video of what is at an address; empty if there is none yet."""
    try:
        found = json.loads(
            await asyncio.to_thread(clips.run, "ffprobe", "-v", "error", "-of", "json", "-show_streams", url)
        )
    except (AssertionError, OSError, ValueError, RuntimeError):
        return {}
    return next((dict(stream) for stream in found["streams"] if stream["codec_type"] == "video"), {})


OFFER = """
async () => {
  const peer = window.peer = new RTCPeerConnection();
  peer.addTransceiver("video", { direction: "recvonly" });
  peer.ontrack = ({ streams }) => {
    const video = document.body.appendChild(document.createElement("video"));
    video.muted = true; video.autoplay = true; video.srcObject = streams[0];
  };
  await peer.setLocalDescription(await peer.createOffer());
  return peer.localDescription.sdp;
}
"""


async def seen_by_webrtc(home: HomeAssistant, camera: str) -> None:
    """Plays a camera in a real browser, by what Home Assistant's own API answers."""
    async with chromium() as browser, home.socket() as socket:
        page = await browser.new_page()
        offer = await page.evaluate(OFFER)
        number = await socket.send("camera/webrtc/offer", entity_id=camera, offer=offer)
        while (event := await socket.event(number))["type"] != "answer":
            assert event["type"] in ("session", "candidate"), event
        answer = {"type": "answer", "sdp": event["answer"]}
        await page.evaluate("(answer) => window.peer.setRemoteDescription(answer)", answer)
        first = await until(lambda: seen(page), "a picture")
        assert isinstance(first, int)
        await until(lambda: later(page, first), "more pictures")


async def seen(page: Page) -> int:
    """The number of the frame that the page shows; 0 if it shows none."""
    return max(0, await shown_frame(page, 0))


async def later(page: Page, than: int) -> bool:
    return await shown_frame(page, 0) > than + 10


async def test_the_past_in_the_media_browser(house: House, tmp_path: Path) -> None:
    home, service = house.home, house.service

    async def finished() -> bool:
        return (await get(service, "/api/cameras/cam0/segments"))["segments"] != []

    await until(finished, "a file that is finished")
    root = await home.ask("media_source/browse_media", media_content_id=f"media-source://{INTEGRATION}")
    playable = await until(lambda: first_film(home, root), "something that plays")
    assert isinstance(playable, dict)
    assert (await home.get_bytes(playable["thumbnail"])).startswith(JPEG)
    found = await home.ask("media_source/resolve_media", media_content_id=playable["media_content_id"])
    video = await until(lambda: plays(home.url + found["url"]), "the film")
    assert isinstance(video, dict)
    assert (video["codec_name"], video["width"]) == ("h264", 640)

    # A file, in ranges, as players fetch it.
    path = service.segments("cam0")[0]
    name = path.relative_to(service.recordings / "cam0")
    (entry,) = await home.entries(INTEGRATION)
    item = f"media-source://{INTEGRATION}/{entry['entry_id']}/cam0/file/{name}"
    url = (await home.ask("media_source/resolve_media", media_content_id=item))["url"]
    whole = path.read_bytes()
    async with home.request("GET", url, headers={"Range": "bytes=100-299"}) as answer:
        assert (answer.status, await answer.read()) == (206, whole[100:300])
        assert answer.headers["Content-Range"] == f"bytes 100-299/{len(whole)}"
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(await home.get_bytes(url))
    numbers = await asyncio.to_thread(clips.frame_numbers, copy)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    # The address is for this file only, and only for a while.
    for wrong in (url.partition("?")[0], url.replace(path.name, "../../../config.yaml")):
        async with home.request("GET", wrong, headers={"Authorization": ""}) as answer:
            assert answer.status in (400, 401, 403, 404), wrong


async def first_film(home: HomeAssistant, node: dict[str, Any]) -> dict[str, Any]:
    """The first thing below a level that plays, depth first; empty if there is none."""
    for child in node["children"]:
        if child["can_play"]:
            return dict(child)
        if child["can_expand"]:
            below = await home.ask("media_source/browse_media", media_content_id=child["media_content_id"])
            if found := await first_film(home, below):
                return found
    return {}


async def test_actions(house: House) -> None:
    home, service = house.home, house.service
    camera, begin = house.of("camera"), datetime.now(UTC)
    await home.call(f"{INTEGRATION}.stop_recording", camera)
    await house.becomes("recording", "off")
    await house.becomes("recording_active", "off")
    await home.call(f"{INTEGRATION}.start_recording", camera)
    await house.becomes("recording", "on")
    await house.becomes("recording_active", "on")

    answer = await home.call(f"{INTEGRATION}.keep_clip", camera, title="The fox", return_response=True)
    assert answer[camera]["title"] == "The fox"
    (clip,) = (await get(service, "/api/clips"))["clips"]
    assert (clip["camera_id"], clip["title"]) == ("cam0", "The fox")

    await until(lambda: datetime.now(UTC) - begin > timedelta(seconds=5), "enough to export")
    fields = {"begin": begin.isoformat(), "end": (begin + timedelta(seconds=3)).isoformat()}
    answer = await home.call(
        f"{INTEGRATION}.export_clip", house.of("camera", "cam1"), **fields, return_response=True
    )
    export = answer[house.of("camera", "cam1")]
    assert export["state"] == "done"
    assert (await home.get_bytes(export["url"]))[4:8] == b"ftyp"

    await home.call("select.select_option", house.of("resolution"), option="480p")
    await house.becomes("resolution", "480p")
    await service.post("/api/cameras/cam1/events", {"label": "motion", "state": "begin"})
    await house.becomes("motion", "on", "cam1")
    await service.post("/api/cameras/cam1/events", {"label": "motion", "state": "end"})
    await house.becomes("motion", "off", "cam1")


async def test_diagnostics_tell_no_secrets(house: House) -> None:
    home, service = house.home, house.service
    (device,) = [found for name, found in (await home.devices()).items() if name.endswith("cam0")]
    path = f"/api/diagnostics/config_entry/{house.entry_id}"
    for found in (path, f"{path}/device/{device['id']}"):
        said = (await home.get_bytes(found)).decode()
        assert json.loads(said)["data"]["service"]["api"] == 1
        for secret in (service.token, PASSWORD, "anna", str(service.folder), house.install_id, "127.0.0.1"):
            assert secret not in said, f"{secret!r} is in {found}"


async def test_a_disk_problem_is_a_repair(home: HomeAssistant, make_service: MakeService) -> None:
    # So much is never free.
    service = make_service(recording={"min_free": "900TB"})
    async with moved_in(home, service) as house:
        issue = await until(lambda: repair(home, "disk"), "an issue")
        assert isinstance(issue, dict)
        assert issue["translation_placeholders"]["reason"]
        problem = await house.becomes("disk_problem", "on", "")
        assert problem["attributes"]["reason"]
        service.config["recording"]["min_free"] = 0
        await service.stop()
        await house.becomes("connected", "off", "")
        await service.start()
        await house.becomes("disk_problem", "off", "")

        async def repaired() -> bool:
            return not await repair(home, "disk")

        await until(repaired, "no issue any more")
        await away_was_told(home)


async def repair(home: HomeAssistant, what: str) -> dict[str, Any]:
    """One of our issues; empty if there is none."""
    issues = (await home.ask("repairs/list_issues"))["issues"]
    return next(
        (dict(one) for one in issues if one["domain"] == INTEGRATION and one["translation_key"] == what), {}
    )


async def test_what_ends_comes_back(house: House) -> None:
    home, service = house.home, house.service
    await service.kill()
    await house.becomes("recording", AWAY)
    await house.becomes("connected", "off", "")
    await service.start()
    await house.becomes("connected", "on", "")
    await house.becomes("recording", "on", "cam0")
    await away_was_told(home)

    # Home Assistant starts while the service is away.
    await service.stop()
    await home.restart()
    await service.start()
    await house.becomes("recording", "on", "cam0")
    home.forget_log()

    # The token is taken away: somebody is asked for another one.
    await asyncio.to_thread(revoke, service)
    flow = await until(lambda: flow_of(home, "reauth"), "a question for another token")
    assert isinstance(flow, dict)
    await asyncio.to_thread(renew, service)
    await until(lambda: lets_in(service), "the new token")
    step = await home.get(f"/api/config/config_entries/flow/{flow['flow_id']}")
    step = await home.go_on(step, *token(service))
    assert step.get("reason") == "reauth_successful", step
    await house.becomes("recording", "on")
    await away_was_told(home)

    # A camera leaves, and its device with it; another one comes.
    await service.stop()
    service.config["cameras"] = [camera for camera in service.config["cameras"] if camera["id"] == "cam0"]
    await service.start()
    await house.becomes("connected", "on", "")
    await until(lambda: cameras_are(home, "cam0"), "cam1 gone")
    await away_was_told(home)


def revoke(service: Service) -> None:
    with AccessStore(service.access) as store:
        for made in store.tokens():
            store.remove_token(made.id)


def renew(service: Service) -> None:
    with AccessStore(service.access) as store:
        service.token = store.add_token("again", Role.OPERATOR, None).secret


async def lets_in(service: Service) -> bool:
    """Whether the token opens the service's doors: it looks once in a while what was changed beside it."""
    try:
        return bool(await service.status())
    except OSError:
        return False


async def cameras_are(home: HomeAssistant, *cameras: str) -> bool:
    """Whether the integration has devices of these cameras and no other."""
    entries = await home.ask("config/device_registry/list")
    names = [name for one in entries for domain, name, *_ in one["identifiers"] if domain == INTEGRATION]
    return sorted(name.rpartition("_")[2] for name in names if "_" in name) == sorted(cameras)


async def test_it_is_found_in_the_network(home: HomeAssistant, make_service: MakeService) -> None:
    service = make_service()
    await start(service)
    status = await service.status()
    # It listens on loopback and announces itself nowhere; so this is done for it, and nobody else hears it.
    card = ServiceCard(
        status["install_id"],
        status["node_id"],
        status["name"],
        status["version"],
        service.ports["http_port"],
        https=False,
    )
    announcement = NetworkAnnouncement(card, lambda: ["127.0.0.1"], first_s=0)
    announcement.start()
    try:
        flow = await until(lambda: flow_of(home, "zeroconf", status["install_id"]), "a discovery")
        assert isinstance(flow, dict)
        step = await home.get(f"/api/config/config_entries/flow/{flow['flow_id']}")
        step = await home.go_on(step, {}, {"next_step_id": "password"}, {"username": "anna", "password": PASSWORD})
        assert (step["type"], step["title"]) == ("create_entry", status["name"])
    finally:
        await announcement.stop()
    (made,) = [one for one in (await get(service, "/api/tokens"))["tokens"] if one["name"] == "homeassistant"]
    assert made["role"] == "operator"
    await known(home, service)
    assert home.complaints() == []
