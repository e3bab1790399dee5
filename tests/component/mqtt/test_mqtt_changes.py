"""Cameras that come, go and are renamed while the service is connected: only that is told."""

from fakes.mqtt_home import cards
from support.waiting import until

from livecam_nvr.config.models import NodeConfig
from livecam_nvr.core.events import BrokerChanged

HUB = "homeassistant/device/livecam-nvr_home/config"
CAM = "homeassistant/device/livecam-nvr_home_{}/config"
BASE = "livecam-nvr/home"
NODE = NodeConfig(id="home", name="My home")


async def test_cameras_come_go_and_are_renamed_without_a_reconnection(homes, broker, ear, what_is_kept):
    home = homes(broker.port, ("cam0", "cam1", "cam2", "cam3"), announced=("cam0", "cam1", "cam2"))
    await home.connected()
    await ear.hears(f"{BASE}/cam2/snapshot")
    await ear.hears(f"{BASE}/cam2/coverage")
    told = []
    home.bus.subscribe(BrokerChanged, told.append)
    await ear.say("test/settled", "x")
    await ear.hears("test/settled")
    ear.heard.clear()

    del home.source.cameras["cam1"]
    renamed, kept, new = cards("cam0", "cam2", "cam3")
    home.service.update(NODE, [type(renamed)("cam0", "Front door", "test"), kept, new])
    await ear.hears(f"{BASE}/cam3/snapshot")
    await ear.hears(f"{BASE}/cam1/status", b"")

    assert ear.on(CAM.format("cam0"))[-1].json["device"]["name"] == "Front door"
    cleared = [h.topic for h in ear.heard if "cam1" in h.topic]
    assert cleared[0] == CAM.format("cam1")
    assert not any(h.payload for h in ear.heard if "cam1" in h.topic)
    # Nothing of the others: not the node, not what has stayed as it was, nobody's availability.
    assert [h.topic for h in ear.heard if "cam0" in h.topic] == [CAM.format("cam0")]
    assert not [h.topic for h in ear.heard if "cam2" in h.topic and "coverage" not in h.topic]
    assert not ear.on(HUB)
    assert not ear.on(f"{BASE}/status")
    assert not told
    found = await what_is_kept()
    assert not [topic for topic in found if "cam1" in topic]
    assert found[f"{BASE}/cam3/availability"].payload == b"online"

    # What is said of the one that is gone is nobody's business any more; the new one can be deleted by the user.
    await ear.say(CAM.format("cam3"), b"", retain=True)
    ear.heard.clear()
    home.pictures.without.add("cam3")
    home.service.update(NodeConfig(id="home", name="Elsewhere"), [renamed, kept, new])
    about = await ear.hears(f"{BASE}/service")
    assert about.json["name"] == "Elsewhere"
    assert (await ear.hears(HUB)).json["device"]["name"] == "Elsewhere"
    await ear.hears(CAM.format("cam0"))
    assert not ear.on(CAM.format("cam3"))


async def test_a_camera_that_comes_back_at_once_is_there(homes, broker, ear, what_is_kept):
    home = homes(broker.port)
    await home.connected()
    await ear.hears(f"{BASE}/cam1/snapshot")
    home.service.update(NODE, cards("cam0"))
    home.service.update(NODE, cards("cam0", "cam1"))
    await ear.say(f"{BASE}/cam0/recording/set", "ON")
    await ear.hears(f"{BASE}/cam0/recording")

    async def is_back() -> bool:
        found = await what_is_kept()
        return all(found.get(topic) for topic in (CAM.format("cam1"), f"{BASE}/cam1/status", f"{BASE}/cam1/stats"))

    await until(is_back, what="all of cam1")


async def test_changes_while_the_broker_is_away_are_told_when_it_is_back(homes, broker, ears, what_is_kept):
    home = homes(broker.port)
    await home.connected()
    async with ears(broker.port) as ear:
        await ear.hears(f"{BASE}/cam1/snapshot")
    broker.kill()
    await until(lambda: not home.service.status().connected, what="the loss noticed")
    del home.source.cameras["cam1"]
    home.service.update(NODE, cards("cam0"))
    broker.start()
    await until(lambda: home.service.status().connected)
    async with ears(broker.port) as ear:
        await ear.hears(f"{BASE}/cam0/snapshot")
    assert not [topic for topic in await what_is_kept() if "cam1" in topic]
