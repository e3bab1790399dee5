"""What Home Assistant's integration asks, and what of the status is for whom."""

import asyncio
import functools
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fakes.core_carriage import FakeBroker, FakeCarriageMemory
from fakes.runtime_clock import NOON_UTC_NS, FakeClock
from fakes.web_service import FakeStatus, Site, http
from support.waiting import PATIENCE_S, until
from support.web_people import deeds, signed_in, told

from livecam_nvr.core.access import Deed
from livecam_nvr.core.bus import AnyEvent
from livecam_nvr.core.entity_carrier import EntityCarrier
from livecam_nvr.core.events import BreakInAttempt, EventChanged
from livecam_nvr.core.home_assistant import BrokerNames, Carrier
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.ledger import Event
from livecam_nvr.domain.status import BreakIn, ServiceStatus

ID = 32 * "a"
NAMES = BrokerNames(
    "livecam-nvr",
    "homeassistant",
    {"": "livecam-nvr_home", "cam0": "livecam-nvr_home_cam0", "cam1": "livecam-nvr_home_cam1"},
    {
        "": {"disk_free": "home_disk_free"},
        "cam0": {"recording": "home_cam0_recording"},
        "cam1": {"recording": "home_cam1_recording"},
    },
)
ADDRESS = "/api/home-assistant"


@dataclass
class Whole:
    """The site's status, with what its fake does not tell (core.ports.StatusSource)."""

    home: FakeStatus
    break_in: BreakIn | None = None

    def status(self) -> ServiceStatus:
        more = {"node_id": "home", "install_id": ID, "installed_version": "0.2.0", "break_in": self.break_in}
        return replace(self.home.status(), **more)  # type: ignore[arg-type]


@dataclass
class House:
    """A site with people, and a carrier with a broker that notes what it is told."""

    site: Site
    broker: FakeBroker
    whole: Whole


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    site, broker = Site(tmp_path, ["cam0", "cam1"]), FakeBroker()
    broker.called = NAMES
    site.gate.demo = None
    site.gate.let_in("vera", Role.VIEWER)
    site.gate.let_in("otto", Role.OPERATOR)
    site.gate.let_in("ben", Role.OPERATOR, ["cam1"])
    carrier = EntityCarrier(FakeCarriageMemory(), lambda: broker, FakeClock())
    whole = Whole(site.home)
    ports = replace(site.ports, home_assistant=carrier, status=whole)
    site.server = site.server_of(ports=ports)
    await site.server.start()
    yield House(site, broker, whole)
    await site.close()
    await carrier.stop()


async def test_who_we_are_and_what_mqtt_calls_us(house: House) -> None:
    async with http(house.site) as client:
        status, said = await told(client.get(ADDRESS, headers=signed_in(house.site, "vera")))
        assert (status, said) == (
            200,
            {
                "api": 1,
                "install_id": ID,
                "node_id": "home",
                "name": "Home",
                "version": "0.1.0",
                "carrier": "mqtt",
                "since_utc": None,
                "since_utc_s": None,
                "by": "",
                "mqtt": {
                    "connected": True,
                    "base_topic": "livecam-nvr",
                    "discovery_prefix": "homeassistant",
                    "devices": NAMES.devices,
                    "unique_ids": NAMES.unique_ids,
                },
                "webrtc": False,
                "role": "viewer",
                "cameras": ["cam0", "cam1"],
            },
        )


async def test_of_other_cameras_nothing_is_told(house: House) -> None:
    async with http(house.site) as client:
        _, said = await told(client.get(ADDRESS, headers=signed_in(house.site, "ben")))
    assert (said["role"], said["cameras"]) == ("operator", ["cam1"])
    assert sorted(said["mqtt"]["devices"]) == sorted(said["mqtt"]["unique_ids"]) == ["", "cam1"]


async def test_without_a_broker_there_are_no_names(house: House) -> None:
    house.broker.called = None
    async with http(house.site) as client:
        _, said = await told(client.get(ADDRESS, headers=signed_in(house.site, "vera")))
    assert said["mqtt"] is None


async def test_the_entities_are_taken_over_and_given_back(house: House) -> None:
    headers = signed_in(house.site, "otto")
    async with http(house.site) as client:
        for carrier in ("moving", "integration", "mqtt"):
            status, said = await told(client.post(ADDRESS, json={"carrier": carrier}, headers=headers))
            assert (status, said["carrier"], said["by"]) == (200, carrier, "otto (127.0.0.1)")
            assert said["since_utc_s"] == NOON_UTC_NS / 1e9
            assert (await told(client.get(ADDRESS, headers=headers)))[1] == said
    assert house.broker.told == [Carrier.MOVING, Carrier.INTEGRATION, Carrier.MQTT]
    assert deeds(house.site) == [
        (Deed.HOME_ASSISTANT, "otto", "", True, carrier) for carrier in ("moving", "integration", "mqtt")
    ]


async def test_what_does_not_work_is_said(house: House) -> None:
    headers = signed_in(house.site, "otto")
    async with http(house.site) as client:
        status, said = await told(client.post(ADDRESS, json={"carrier": "integration"}, headers=headers))
        assert (status, said["error"]["kind"]) == (409, "conflict")
        house.broker.error = LivecamError(ErrorKind.UNAVAILABLE, "the broker is away", "start it")
        status, said = await told(client.post(ADDRESS, json={"carrier": "moving"}, headers=headers))
        assert (status, said["error"]["message"]) == (503, "the broker is away")
        assert (await told(client.get(ADDRESS, headers=headers)))[1]["carrier"] == "moving"
    assert [(ok, detail) for _, _, _, ok, detail in deeds(house.site)] == [
        (False, "integration; the entities are announced over MQTT, and would be deleted in Home Assistant"),
        (False, "moving; the broker is away"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        *(b"{}", b"[]", b"{", b"\xff", b'{"carrier": null}', b'{"carrier": ["mqtt"]}', b'{"carrier": {}}'),
        *(b'{"carrier": "MQTT"}', b'{"carrier": "x"}', b'{"carrier": "mqtt", "x": 1}'),
    ],
)
async def test_other_bodies_are_refused(house: House, body: bytes) -> None:
    headers = signed_in(house.site, "otto") | {"Content-Type": "application/json"}
    async with http(house.site) as client:
        status, said = await told(client.post(ADDRESS, data=body, headers=headers))
    assert (status, said["error"]["kind"]) == (400, "invalid")
    assert "moving" in said["error"]["hint"]
    assert house.broker.told == []


@pytest.mark.parametrize("name", ["vera", "ben"])
async def test_only_operators_of_all_cameras_move_entities(house: House, name: str) -> None:
    async with http(house.site) as client:
        asked = client.post(ADDRESS, json={"carrier": "moving"}, headers=signed_in(house.site, name))
        assert (await told(asked))[0] == 403
    assert house.broker.told == []


async def test_a_service_without_it(tmp_path: Path) -> None:
    site = Site(tmp_path, ["cam0"])
    await site.server.start()
    async with http(site) as client:
        assert (await told(client.get(ADDRESS)))[0] == 503
    await site.close()


async def test_attempts_to_break_in_are_told_to_those_who_run_the_house(house: House) -> None:
    house.whole.break_in = BreakIn(NOON_UTC_NS, "anna", "192.0.2.9", 20, "rtsp")
    shown = {}
    async with http(house.site) as client:
        for name in ("vera", "ben", "otto"):
            _, status = await told(client.get("/api/status", headers=signed_in(house.site, name)))
            shown[name] = status["break_in"]
            assert (status["install_id"], status["node_id"]) == (ID, "home")
            assert (status["version"], status["installed_version"]) == ("0.1.0", "0.2.0")
    assert shown["vera"] is shown["ben"] is None
    assert shown["otto"] == {
        "at_utc": "2025-11-21T12:00:00.000Z",
        "at_utc_s": NOON_UTC_NS / 1e9,
        "name": "anna",
        "address": "192.0.2.9",
        "failures": 20,
        "door": "rtsp",
    }


async def test_events_are_in_the_status_and_are_news_however_short(house: House) -> None:
    site, headers = house.site, signed_in(house.site, "otto")
    moment = Event("1", "cam0", "motion", "http", NOON_UTC_NS, NOON_UTC_NS)
    async with http(site) as client, client.ws_connect("/api/events", headers=headers) as socket:
        first = await socket.receive_json(timeout=PATIENCE_S)
        assert (first["cameras"][0]["lasting"], first["cameras"][0]["last_event"]) == ([], None)
        loop = asyncio.get_running_loop()

        async def soon(news: AnyEvent) -> bool:
            began_s = loop.time()
            site.bus.publish(news)
            await socket.receive_json(timeout=PATIENCE_S)
            return loop.time() - began_s < 3

        # A busy machine may be late now and then, but without news the next sign of life is always 5 s away.
        for news in (EventChanged(moment), BreakInAttempt("", "192.0.2.9", 10, "http")):
            await until(functools.partial(soon, news), "what comes before the next sign of life")
        site.home.change("cam0", lasting=("motion",), last_event=replace(moment, end_utc_ns=None))
        camera = first["cameras"][0]
        while not camera["lasting"]:
            camera = (await socket.receive_json(timeout=PATIENCE_S))["cameras"][0]
        assert camera["lasting"] == ["motion"]
        assert camera["last_event"] == {
            "id": "1",
            "camera_id": "cam0",
            "label": "motion",
            "source": "http",
            "begin_utc": "2025-11-21T12:00:00.000Z",
            "begin_utc_s": NOON_UTC_NS / 1e9,
            "end_utc": None,
            "end_utc_s": None,
        }
