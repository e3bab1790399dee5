"""Two services with one name, and a service that changes its names: whose place at the broker is it?"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from fakes.mqtt_home import Home
from support.own_time import within_own_time
from support.waiting import until

from livecam_nvr.core.events import BrokerChanged

TESTS = Path(__file__).parents[2]
STATUS = "livecam-nvr/home/status"
INSTANCE = "livecam-nvr/home/instance"
PICTURE = "livecam-nvr/home/cam1/snapshot"
FIRST, SECOND = "1" * 32, "2" * 32
A_MOMENT_S = 3.0
"""Whoever has lost its connection gets it back in less; whoever wants its place waits so long."""


def mark(installation: str) -> str:
    return json.dumps({"install_id": installation, "run": "of before"})


async def test_the_second_service_with_one_name_stays_outside_until_the_first_is_gone(homes, broker, ear, caplog):
    first, second = homes(broker.port), homes(broker.port, installation=SECOND)
    told = []
    first.bus.subscribe(BrokerChanged, lambda event: told.append(event.status.connected))
    await first.connected()
    await ear.hears(PICTURE)
    ear.heard.clear()
    await second.service.start()
    await until(lambda: second.service.status().fault, what="the second one's fault")
    fault = second.service.status().fault
    assert fault.message == (
        "another service ('My home', http://192.0.2.7:8001/) is connected to"
        f" 127.0.0.1:{broker.port} with the node id 'home'"
    )
    assert "node.id" in fault.hint
    await ear.say("livecam-nvr/home/cam0/recording/set", "OFF")
    await ear.hears("livecam-nvr/home/cam0/recording", b"OFF")
    assert [order[:2] for order in first.recording.orders] == [("cam0", False)]
    assert not second.recording.orders
    assert not [h for h in ear.heard if h.topic in (STATUS, INSTANCE)]
    assert caplog.text.count("another service") == 1
    assert told == [True]

    goes_s = time.monotonic()
    await first.service.stop()
    await until(lambda: second.service.status().connected, what="the second one in its place")
    assert time.monotonic() - goes_s > A_MOMENT_S - 0.1
    await ear.hears(STATUS, b"online")
    assert second.service.status().fault is None


async def test_a_service_whose_connection_is_half_dead_keeps_its_place(homes, broker, ear):
    """As after a power cut of its machine: the broker has not noticed yet."""
    await ear.say(INSTANCE, mark(FIRST), retain=True)
    await ear.say(STATUS, "online", retain=True)
    other = homes(broker.port, installation=SECOND)
    await other.service.start()
    await until(lambda: other.service.status().fault, what="a fault")
    assert not other.service.status().connected

    itself = homes(broker.port, installation=FIRST)
    async with within_own_time(A_MOMENT_S, "the connection"):
        await itself.connected()  # while the same installation does not wait for its own ghost
    assert not other.service.status().connected


async def test_a_start_takes_no_pause(homes, broker, ear):
    for _ in range(2):  # with no mark at the broker, and with our own
        home = homes(broker.port)
        async with within_own_time(A_MOMENT_S, "the connection"):
            await home.connected()
        await ear.hears(STATUS, b"online")
        await home.service.stop()


async def test_a_copied_installation_does_not_fight_with_its_original(homes, broker, ear):
    original, copy = homes(broker.port), homes(broker.port)
    told = []
    copy.bus.subscribe(BrokerChanged, lambda event: told.append(event.status.connected))
    await original.connected()
    await copy.connected()  # at a start, its own mark may well be that of a run that has crashed
    await until(lambda: "another service" in str(original.service.status().fault), what="the original's fault")
    assert "data folder" in original.service.status().fault.hint
    await asyncio.sleep(1)  # longer than several reconnections
    assert told == [True]
    await until(lambda: ear.on(STATUS)[-1].payload == b"online", what="online in spite of the other's will")


async def test_a_killed_service_starts_again_at_once(homes, broker, ear):
    env = {**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}"}
    argv = [sys.executable, "-m", "fakes.mqtt_home", str(broker.port)]
    with subprocess.Popen(argv, env=env, cwd=TESTS) as child:
        await ear.hears(STATUS, b"online")
        child.send_signal(signal.SIGSTOP)  # its connection stays open
        home = homes(broker.port)
        await home.connected()
        child.send_signal(signal.SIGKILL)
    await until(lambda: ear.on(STATUS)[-1].payload == b"online", what="online")


async def test_offline_that_comes_late_in_our_name_is_corrected(homes, broker, ear, what_is_kept):
    home = homes(broker.port)
    await home.connected()
    await ear.hears(PICTURE)
    await ear.say(STATUS, "offline", retain=True)  # the will of an earlier connection

    async def is_corrected() -> bool:
        return (await what_is_kept())[STATUS].payload == b"online"

    await until(is_corrected, what="online")


async def renamed(homes, broker, ear, path: Path, *foreign: str, **config: object) -> Home:
    """A service that was there before, under the usual names, and is back with others."""
    before = homes(broker.port, places=path)
    await before.connected()
    await ear.hears(PICTURE)
    for topic in foreign:
        await ear.say(topic, "not ours", retain=True)
    await before.service.stop()
    home = homes(broker.port, places=path, **config)
    await home.connected()
    return home


def left_of(found: dict[str, object], *beginnings: str) -> list[str]:
    return sorted(topic for topic in found if topic.startswith(beginnings))


async def test_a_renamed_node_leaves_nothing_under_its_old_name(homes, broker, ear, what_is_kept, tmp_path):
    path = tmp_path / "mqtt_places.json"
    foreign = ("livecam-nvr/homestead/status", "homeassistant/device/livecam-nvr_homestead/config")
    await renamed(homes, broker, ear, path, *foreign, node_id="house")
    await ear.hears(INSTANCE, b"")  # goes last
    await ear.hears("livecam-nvr/house/cam1/snapshot")
    found = await what_is_kept()
    old = left_of(found, "livecam-nvr/home/", "homeassistant/device/livecam-nvr_home")
    assert old == ["homeassistant/device/livecam-nvr_homestead/config"]
    assert {"homeassistant/device/livecam-nvr_house_cam0/config", "livecam-nvr/house/status", *foreign} <= set(
        found
    )
    cleared = [h.topic for h in ear.heard if not h.payload and not h.retain]
    assert "/device/" in cleared[0]  # Home Assistant forgets the entities before their states are gone
    await until(lambda: 'home"' not in path.read_text(), what="forgotten")


async def test_other_topics_for_the_same_node(homes, broker, ear, what_is_kept, tmp_path):
    path = tmp_path / "mqtt_places.json"
    new = {
        "base_topic": "livecam-nvr/home",
        "discovery_prefix": "ha",
    }  # below the old one, which must not clear it
    home = await renamed(homes, broker, ear, path, **new)
    await ear.hears(INSTANCE, b"")
    await ear.hears("livecam-nvr/home/home/cam1/snapshot")
    found = await what_is_kept()
    assert not left_of(found, "homeassistant/")
    assert all(topic.startswith("livecam-nvr/home/home/") for topic in left_of(found, "livecam-nvr/"))
    assert left_of(found, "ha/device/livecam-nvr_home_cam0")
    assert home.service.status().fault is None


async def test_what_another_installation_has_taken_over_is_left_alone(homes, broker, ear, what_is_kept, tmp_path):
    path = tmp_path / "mqtt_places.json"
    before = homes(broker.port, places=path)
    await before.connected()
    await ear.hears(PICTURE)
    await before.service.stop()
    heir = homes(broker.port, installation=SECOND)
    await until_connected_as_heir(heir)
    home = homes(broker.port, places=path, node_id="house")
    await home.connected()
    await until(lambda: 'home"' not in path.read_text(), what="forgotten")
    found = await what_is_kept()
    assert found[STATUS].payload == b"online"
    assert "homeassistant/device/livecam-nvr_home_cam0/config" in found


async def until_connected_as_heir(heir: Home) -> None:
    """It waits some seconds, as the one before might come back."""
    await heir.service.start()
    await until(lambda: heir.service.status().connected, what="in its place")


async def test_places_that_cannot_be_remembered_are_said_and_harm_nothing(homes, broker, ear, tmp_path, caplog):
    path = tmp_path / "mqtt_places.json"
    path.write_text("{not json")
    home = homes(broker.port, places=path)
    await home.connected()
    assert "cannot be read" in caplog.text
    assert json.loads(path.read_text())["places"][0]["node_id"] == "home"
    await home.service.stop()
    (tmp_path / "file").write_text("")
    nowhere = homes(broker.port, places=tmp_path / "file" / "mqtt_places.json")
    await nowhere.connected()
    assert "cannot be written" in caplog.text
