"""Who carries the entities in Home Assistant, with the whole service and a real broker."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

import pytest
from support.mqtt import Listener, listen
from support.service import Service
from support.waiting import PATIENCE_S, until

if TYPE_CHECKING:
    from support.broker import Broker

ADDRESS = "/api/home-assistant"
MIGRATE = {"migrate_discovery": True}


def kept(listener: Listener, topics: list[str]) -> list[Any]:
    """What the broker keeps on announcements' topics: JSON, or None if that is nothing."""
    return [json.loads(listener.newest[topic]) if listener.newest.get(topic) else None for topic in topics]


async def test_the_integration_takes_the_entities_over_and_gives_them_back(
    make_service: Callable[..., Service], broker: "Broker"
) -> None:
    service = make_service(mqtt={"host": "127.0.0.1", "port": broker.port})

    async def asked() -> dict[str, Any]:
        return dict(json.loads(await service.get(ADDRESS)))

    async def connected() -> bool:
        return bool((await asked())["mqtt"]["connected"])

    async with listen(broker.port) as listener:
        await service.start()
        await until(lambda: len(listener.discovered()) == 3, "announcements")
        await until(connected)

        async def told_as_announced() -> dict[str, Any] | None:
            said = await asked()
            components = {name: device["components"] for name, device in listener.discovered().items()}
            ids = {
                camera_id: {key: one["unique_id"] for key, one in components[device].items() if "unique_id" in one}
                for camera_id, device in said["mqtt"]["devices"].items()
                if device in components
            }
            same = sorted(components) == sorted(said["mqtt"]["devices"].values())
            return said if same and said["mqtt"]["unique_ids"] == ids else None

        first: Any = await until(told_as_announced, "what it says of the announcements is what they are")
        assert (first["carrier"], first["since_utc"], first["api"], first["role"]) == ("mqtt", None, 1, "admin")
        status = await service.status()
        for key in ("install_id", "node_id", "version", "name"):
            assert first[key] == status[key]
        assert status["installed_version"] == status["version"]
        assert first["install_id"] == (service.folder / "data" / "install-id").read_text().strip()
        announced = listener.discovered()
        topics = [f"homeassistant/device/{device_id}/config" for device_id in announced]

        with pytest.raises(HTTPError, match="409"):
            await service.post(ADDRESS, {"carrier": "integration"})
        assert (await service.post(ADDRESS, {"carrier": "moving"}))["carrier"] == "moving"
        await until(lambda: kept(listener, topics) == [MIGRATE] * 3, "the entities are let go")
        moved = await service.post(ADDRESS, {"carrier": "integration"})
        await until(lambda: kept(listener, topics) == [None] * 3, "the announcements are gone")
        assert (moved["carrier"], moved["by"]) == ("integration", "token tests (127.0.0.1)")
        # For those who use MQTT itself, everything goes on.
        await service.post("/api/cameras/cam0/recording", {"on": False})
        await listener.until_topic("livecam-nvr/livecam/cam0/recording", b"OFF")

        await service.stop()
        await listener.until_topic("livecam-nvr/livecam/status", b"offline")
        await service.start()
        await until(connected)
        await listener.until_topic("livecam-nvr/livecam/status", b"online")
        again = await asked()
        assert {**again, "webrtc": None} == {**moved, "webrtc": None}
        assert kept(listener, topics) == [None] * 3

        config = str(service.folder / "config.yaml")
        argv = [
            sys.executable,
            "-m",
            "livecam_nvr",
            "home-assistant",
            "--config",
            config,
            "--carrier",
            "mqtt",
            "--yes",
        ]
        done = await asyncio.to_thread(subprocess.run, argv, check=True, capture_output=True, text=True)
        assert done.stdout == "The entities are announced over MQTT from now on.\n"
        await until(lambda: listener.discovered() == announced, "all is announced as it was")
        back = await asked()
        assert (back["carrier"], back["by"].split("-")[0]) == ("mqtt", "token home")


async def test_a_broker_that_is_away_is_told_when_it_is_back(
    make_service: Callable[..., Service], broker: "Broker"
) -> None:
    service = make_service(mqtt={"host": "127.0.0.1", "port": broker.port})
    async with listen(broker.port) as listener:
        await service.start()
        await until(lambda: len(listener.discovered()) == 3, "announcements")
        topics = [topic for topic in listener.newest if topic.startswith("homeassistant/")]
    broker.kill()
    with pytest.raises(HTTPError, match="503"):
        await service.post(ADDRESS, {"carrier": "moving"})
    assert json.loads(await service.get(ADDRESS))["carrier"] == "moving"
    await broker.start()
    async with listen(broker.port) as listener:
        await until(
            lambda: kept(listener, topics) == [MIGRATE] * 3, "the entities are let go", within_s=2 * PATIENCE_S
        )


async def test_other_names_and_cameras_are_told_without_a_new_connection(
    make_service: Callable[..., Service], broker: "Broker"
) -> None:
    service = make_service(mqtt={"host": "127.0.0.1", "port": broker.port})
    node, cam0, cam1 = (f"homeassistant/device/livecam-nvr_livecam{end}/config" for end in ("", "_cam0", "_cam1"))
    async with listen(broker.port) as listener:
        await service.start()
        await until(lambda: len(listener.discovered()) == 3, "announcements")
        await listener.until_topic("livecam-nvr/livecam/status", b"online")
        await until(lambda: "livecam-nvr/livecam/instance" in listener.newest, "its mark")
        marks = [payload for topic, payload in listener.seen if topic == "livecam-nvr/livecam/instance"]
        service.config["node"] = {"name": "Cottage"}
        service.config["cameras"] = service.config["cameras"][:1]
        (service.folder / "config.yaml").write_text(json.dumps(service.config))
        assert service.process is not None
        service.process.send_signal(signal.SIGHUP)
        await until(lambda: listener.json(node)["device"]["name"] == "Cottage", "the new name")
        await listener.until_topic(cam1, b"")
        assert listener.json(cam0)["components"]

        async def told() -> bool:
            named = json.loads(await service.get(ADDRESS))
            about = named["name"], sorted(named["mqtt"]["devices"])
            return about == ("Cottage", ["", "cam0"]) and (await service.status())["name"] == "Cottage"

        await until(told, "the new name and cameras over HTTP")
    said = [payload for topic, payload in listener.seen if topic == "livecam-nvr/livecam/status"]
    assert b"offline" not in said
    assert [payload for topic, payload in listener.seen if topic == "livecam-nvr/livecam/instance"] == marks


async def test_events_are_in_the_status(make_service: Callable[..., Service]) -> None:
    service = make_service()
    await service.start()
    body = {"label": "motion", "state": "begin"}
    event = (await service.post("/api/cameras/cam0/events", body))["event"]
    camera = await service.camera("cam0")
    assert (camera["lasting"], camera["last_event"]) == (["motion"], event)
    ended = (await service.post("/api/cameras/cam0/events", {**body, "state": "end"}))["event"]
    camera = await service.camera("cam0")
    assert (camera["lasting"], camera["last_event"]) == ([], ended)
    # An event of an earlier run is no news.
    await service.stop()
    await service.start()
    camera = await service.camera("cam0")
    assert (camera["lasting"], camera["last_event"]) == ([], None)
