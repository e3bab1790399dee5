"""Cameras that are switched, looked at and moved in front of, through a real broker."""

import time

from support.waiting import until

from livecam_nvr.core.events import CameraStateChanged, EventChanged
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.ledger import Event
from livecam_nvr.domain.status import CameraState

BASE = "livecam-nvr/home"
CAM0 = f"{BASE}/cam0"
REFUSED = f"{BASE}/event"
PICTURE = f"{CAM0}/snapshot"


async def listens(home, ear):
    """Returns when the service hears commands, and what it had to say is out."""
    await home.connected()

    async def heard() -> bool:
        await ear.say(f"{BASE}/cam1/event/set", "fence")
        return bool(home.events.told)

    await until(heard, what="the first command obeyed")
    await ear.hears(f"{BASE}/cam1/snapshot")  # pictures go behind all else
    home.events.told.clear()
    ear.heard.clear()


async def test_a_camera_is_switched_off_and_on_and_told_when_it_is(homes, broker, ear, what_is_kept):
    home = homes(broker.port)
    await listens(home, ear)
    home.power.hold = True
    await ear.say(f"{CAM0}/enabled/set", "OFF")
    await until(lambda: home.power.orders == [("cam0", False, "MQTT")])
    assert not ear.on(f"{CAM0}/enabled")
    home.power.let_go()
    await ear.hears(f"{CAM0}/enabled", b"OFF")
    assert (await what_is_kept())[f"{CAM0}/enabled"].payload == b"OFF"
    await ear.say(f"{CAM0}/enabled/set", "ON")
    await ear.hears(f"{CAM0}/enabled", b"ON")
    assert not ear.on(REFUSED)


async def test_a_camera_that_somebody_else_switched_is_told_at_once(homes, broker, ear):
    home = homes(broker.port)
    await listens(home, ear)
    home.power.on["cam1"] = False
    home.bus.publish(CameraStateChanged("cam1", CameraState.OFFLINE))
    await ear.hears(f"{BASE}/cam1/enabled", b"OFF")
    assert not ear.on(f"{CAM0}/enabled")


async def test_a_switch_that_is_refused_shows_how_it_is_and_says_why(homes, broker, ear):
    home = homes(broker.port)
    await listens(home, ear)
    home.power.refuses = LivecamError(ErrorKind.CONFLICT, "settings are being applied", "wait for their end")
    await ear.say(f"{CAM0}/enabled/set", "OFF")
    await ear.hears(f"{CAM0}/enabled", b"ON")
    answer = (await ear.hears(REFUSED)).json
    assert (answer["camera"], answer["command"], answer["reason"]) == (
        "cam0",
        "enabled",
        "settings are being applied",
    )


async def test_a_picture_comes_when_it_is_asked_for_or_not_at_all(homes, broker, ear):
    home = homes(broker.port)
    await listens(home, ear)
    await ear.say(f"{PICTURE}/set", "PRESS")
    first = await ear.hears(PICTURE)
    assert first.payload.startswith(b"\xff\xd8\xff")
    assert not ear.on(REFUSED)
    home.pictures.without.add("cam0")
    await ear.say(f"{PICTURE}/set", "PRESS")
    answer = (await ear.hears(REFUSED)).json
    assert (answer["command"], answer["reason"]) == ("snapshot", "cam0 is offline")
    assert ear.on(PICTURE)[-1].payload == first.payload


async def test_motion_and_events_are_told_and_only_motion_is_kept(homes, broker, ear, what_is_kept):
    home = homes(broker.port)
    await listens(home, ear)
    assert (await what_is_kept())[f"{CAM0}/motion"].payload == b"None"
    now = time.time_ns()
    home.bus.publish(EventChanged(Event("1", "cam0", "motion", "http", now, None)))
    await ear.hears(f"{CAM0}/motion", b"ON")
    home.bus.publish(EventChanged(Event("1", "cam0", "motion", "http", now, now + 1_500_000_000)))
    await ear.hears(f"{CAM0}/motion", b"OFF")
    home.bus.publish(EventChanged(Event("2", "cam1", "doorbell", "mqtt", now, time.time_ns())))
    rung = await ear.hears(f"{BASE}/cam1/event")
    assert rung.json["event_type"] == "moment"
    await until(lambda: len(ear.on(f"{CAM0}/event")) >= 2, "the beginning and the end")
    assert [heard.json["event_type"] for heard in ear.on(f"{CAM0}/event")] == ["begin", "end"]
    assert all((h.qos, h.retain) == (1, False) for h in [*ear.on(f"{CAM0}/event"), rung])
    kept = await what_is_kept()
    assert kept[f"{CAM0}/motion"].payload == b"OFF"
    assert not [topic for topic in kept if topic.endswith("/event")]


async def test_a_command_that_the_broker_keeps_is_answered(homes, broker, ear):
    await ear.say(f"{CAM0}/enabled/set", "OFF", retain=True)
    home = homes(broker.port)
    await home.connected()
    answer = (await ear.hears(REFUSED)).json
    assert answer["topic"] == f"{CAM0}/enabled/set"
    assert "keeps this command" in answer["reason"]
    assert not home.power.orders
