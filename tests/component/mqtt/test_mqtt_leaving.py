"""What is left at a broker that the service does not use any more; and one that lets a user connect only once."""

import json
import re

from support.waiting import until

from livecam_nvr.core.events import BrokerChanged

STATUS = "livecam-nvr/home/status"
PICTURE = "livecam-nvr/home/cam1/snapshot"
SAID = ("livecam-nvr/", "homeassistant/device/livecam-nvr_")
FOREIGN = "homeassistant/device/another_nvr/config"


def ours(found: dict[str, object]) -> list[str]:
    return sorted(topic for topic in found if topic.startswith(SAID))


async def test_a_broker_that_is_left_keeps_nothing_of_ours(homes, broker, ear, what_is_kept, tmp_path):
    path = tmp_path / "mqtt_places.json"
    home = homes(broker.port, places=path)
    await home.connected()
    await ear.hears(PICTURE)
    await ear.say(FOREIGN, "not ours", retain=True)
    await home.service.stop()
    await home.service.leave()
    found = await what_is_kept()
    assert not ours(found)
    assert FOREIGN in found
    cleared = [h.topic for h in ear.heard if not h.payload and not h.retain]
    assert "/device/" in cleared[0]  # Home Assistant forgets the entities before their states are gone
    assert json.loads(path.read_text())["places"] == []


async def test_what_another_one_has_taken_over_stays_when_we_leave(homes, broker, ear, what_is_kept):
    home, heir = homes(broker.port), homes(broker.port, installation="2" * 32)
    await home.connected()
    await ear.hears(PICTURE)
    await home.service.stop()
    await heir.connected()
    await home.service.leave()
    found = await what_is_kept()
    assert found[STATUS].payload == b"online"
    assert "homeassistant/device/livecam-nvr_home_cam0/config" in found


async def test_a_broker_that_is_gone_is_left_all_the_same(homes, broker, caplog):
    home = homes(broker.port)
    await home.connected()
    await home.service.stop()
    broker.kill()
    await home.service.leave()
    assert f"what was announced at the broker 127.0.0.1:{broker.port} stays there: " in caplog.text


async def test_another_broker_is_told_all_and_the_one_before_nothing_any_more(
    homes, broker, another_broker, ear, ears
):
    before = homes(broker.port)
    await before.connected()
    await ear.hears(PICTURE)
    await before.service.stop()
    async with ears(another_broker.port) as new_ear:
        home = homes(another_broker.port, before=before)
        await home.connected()
        await new_ear.hears(PICTURE)
        await ear.hears("livecam-nvr/home/instance", b"")  # goes last
    async with ears(broker.port) as late:
        await late.say("test/fence", "x")
        await late.hears("test/fence")
    assert not ours({h.topic: h for h in late.heard if h.retain})
    assert home.service.status().connected


async def test_the_same_broker_under_another_address_loses_nothing(homes, broker, ear, tmp_path):
    """Home Assistant would forget the names and areas that people have given its entities."""
    before = homes(broker.port)
    await before.connected()
    await ear.hears(PICTURE)
    await before.service.stop()
    ear.heard.clear()
    home = homes(broker.port, before=before, host="localhost")
    await home.connected()
    await ear.hears(PICTURE)
    log = tmp_path / "mosquitto.log"
    looked = re.compile(r"Client livecam-nvr-home-clears-\w+ disconnected")
    await until(lambda: looked.search(log.read_text()), "the end of the look at what is left")
    assert not [h.topic for h in ear.heard if not h.payload]


async def test_a_rename_at_a_broker_that_allows_a_user_one_connection(homes, broker, ears, tmp_path):
    """The one that clears ends the one that tells, which would begin both anew, for ever."""
    path = tmp_path / "mqtt_places.json"
    broker.users(livecam="pw", ear="pw")
    broker.one_connection_a_user()
    broker.kill()
    broker.start()
    user = {"username": "livecam", "password": "pw"}
    async with ears(broker.port, username="ear", password="pw") as ear:
        before = homes(broker.port, places=path, **user)
        await before.connected()
        await ear.hears(PICTURE)
        await before.service.stop()
        home = homes(broker.port, places=path, node_id="house", **user)
        connections = []
        home.bus.subscribe(BrokerChanged, lambda event: connections.append(event.status.connected))
        await home.service.start()
        await ear.hears("livecam-nvr/home/instance", b"")  # goes last
        await ear.hears("livecam-nvr/house/cam1/snapshot")
        await until(lambda: home.service.status().connected, "connected")
    assert connections.count(True) <= 2
    assert 'home"' not in path.read_text()
