"""Who carries the entities in Home Assistant: what a real broker hears and keeps while that changes."""

import pytest
from fakes.mqtt_home import cards
from support.waiting import until

from livecam_nvr.config.models import NodeConfig
from livecam_nvr.core.home_assistant import Carrier
from livecam_nvr.domain.errors import ErrorKind, LivecamError

HUB = "homeassistant/device/livecam-nvr_home/config"
CAM0 = "homeassistant/device/livecam-nvr_home_cam0/config"
CAM1 = "homeassistant/device/livecam-nvr_home_cam1/config"
PICTURE = "livecam-nvr/home/cam1/snapshot"
MIGRATE = b'{"migrate_discovery": true}'
ALL = {HUB, CAM0, CAM1}


def announced(found) -> dict[str, bytes]:
    return {topic: heard.payload for topic, heard in found.items() if "/device/" in topic}


async def settled(home, ear) -> None:
    await home.connected()
    await ear.hears(PICTURE)


async def test_moving_and_back_loses_nothing(homes, broker, ear, what_is_kept):
    home = homes(broker.port)
    await settled(home, ear)
    before = announced(await what_is_kept())

    await home.service.carry(Carrier.MOVING)
    assert announced(await what_is_kept()) == dict.fromkeys(ALL, MIGRATE)  # when it returns, the broker has it

    await home.service.carry(Carrier.MQTT)
    assert announced(await what_is_kept()) == before


async def test_the_integration_takes_over_and_everything_else_goes_on(homes, broker, ear, what_is_kept):
    home = homes(broker.port)
    await settled(home, ear)
    await home.service.carry(Carrier.MOVING)
    await home.service.carry(Carrier.INTEGRATION)
    found = await what_is_kept()
    assert announced(found) == {}
    assert found["livecam-nvr/home/status"].payload == b"online"

    ear.heard.clear()
    await ear.say("livecam-nvr/home/cam0/recording/set", "OFF")
    await ear.hears("livecam-nvr/home/cam0/recording", b"OFF")
    await ear.say("homeassistant/status", "online")
    await ear.hears("livecam-nvr/home/status", b"online")
    await ear.hears(PICTURE)  # goes behind all else
    assert not [h for h in ear.heard if "/device/" in h.topic]

    # Our own empty announcements are nobody's deletion: everything is announced again.
    await home.service.carry(Carrier.MQTT)
    assert announced(await what_is_kept()).keys() == ALL
    await home.service.carry(Carrier.INTEGRATION)
    await home.service.carry(Carrier.MQTT)
    await ear.say("homeassistant/status", "online")
    ear.heard.clear()
    await ear.hears(PICTURE)
    assert {h.topic for h in ear.heard if "/device/" in h.topic} == ALL


async def test_entities_are_never_taken_away_without_having_been_let_go_first(homes, broker, ear):
    home = homes(broker.port)
    await settled(home, ear)
    ear.heard.clear()
    await home.service.carry(Carrier.INTEGRATION)
    for topic in ALL:
        assert [h.payload for h in ear.on(topic)] == [MIGRATE, b""]


async def test_a_start_with_the_integration_announces_nothing_and_removes_what_was(
    homes, broker, ear, what_is_kept
):
    earlier = homes(broker.port)
    await settled(earlier, ear)
    await earlier.service.stop()
    ear.heard.clear()

    home = homes(broker.port, carrier=Carrier.INTEGRATION)
    await settled(home, ear)
    for topic in ALL:
        await ear.hears(topic, b"")
        assert [h.payload for h in ear.on(topic)] == [MIGRATE, b""]
    assert announced(await what_is_kept()) == {}
    await home.service.stop()
    ear.heard.clear()

    await settled(homes(broker.port, ("cam1",), carrier=Carrier.INTEGRATION), ear)
    # By its state it is found that cam0 is gone, though nothing is announced.
    await ear.hears("livecam-nvr/home/cam0/status", b"")
    assert not [topic for topic in await what_is_kept() if "cam0" in topic]
    assert not [h for h in ear.heard if h.topic in (HUB, CAM1)]


async def test_what_the_user_deletes_is_still_noticed_after_a_change_of_the_carrier(homes, broker, ear):
    home = homes(broker.port)
    await settled(home, ear)
    await home.service.carry(Carrier.INTEGRATION)
    await home.service.carry(Carrier.MQTT)
    await ear.say(CAM0, b"", retain=True)
    ear.heard.clear()
    home.service.update(NodeConfig(id="home", name="Renamed"), cards("cam0", "cam1"))
    await ear.hears(HUB)
    await ear.say("livecam-nvr/home/cam0/recording/set", "ON")
    await ear.hears("livecam-nvr/home/cam0/recording")
    assert not ear.on(CAM0)


@pytest.mark.parametrize("carrier", [Carrier.MOVING, Carrier.INTEGRATION])
async def test_a_broker_that_is_away_is_told_when_it_is_back(homes, broker, ears, what_is_kept, carrier):
    home = homes(broker.port)
    await home.connected()
    async with ears(broker.port) as ear:
        await ear.hears(PICTURE)
    broker.kill()
    await until(lambda: not home.service.status().connected, what="the loss noticed")
    with pytest.raises(LivecamError, match="could not be told") as refused:
        await home.service.carry(carrier)
    assert refused.value.kind is ErrorKind.UNAVAILABLE
    broker.start()
    await until(lambda: home.service.status().connected)
    async with ears(broker.port) as ear:
        await ear.hears(PICTURE)
    expected = dict.fromkeys(ALL, MIGRATE) if carrier is Carrier.MOVING else {}
    assert announced(await what_is_kept()) == expected


async def test_names_do_not_depend_on_the_carrier(homes, broker, ear):
    home = homes(broker.port)
    await settled(home, ear)
    before = home.service.names()
    assert before.unique_ids["cam0"]["recording"] == "home_cam0_recording"
    await home.service.carry(Carrier.INTEGRATION)
    assert home.service.names() == before
