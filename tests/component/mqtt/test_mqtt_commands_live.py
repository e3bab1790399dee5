"""Commands through a real broker: obeyed and confirmed, or refused with one line and nothing changed."""

import asyncio
import time

import pytest
from support.waiting import until

SET = "livecam-nvr/home/cam0/recording/set"
STATE = "livecam-nvr/home/cam0/recording"
ACTIVE = "livecam-nvr/home/cam0/recording/active"
EVENTS = "livecam-nvr/home/event"
LAST_THING_SENT = "livecam-nvr/home/cam1/snapshot"


async def listens(home, ear):
    """Returns when the service hears commands and has nothing left to say."""
    await home.connected()
    await ear.hears(LAST_THING_SENT)
    while not home.recording.orders:
        await ear.say("livecam-nvr/home/cam1/recording/set", "ON")
        await asyncio.sleep(0.05)
    await ear.say("livecam-nvr/home/cam1/recording/set", "OFF")
    await ear.hears("livecam-nvr/home/cam1/recording", b"OFF")
    await ear.say("livecam-nvr/home/cam1/recording/set", "ON")
    await until(lambda: ear.on("livecam-nvr/home/cam1/recording")[-1].payload == b"ON")
    await until(lambda: ear.on("livecam-nvr/home/cam1/recording/active")[-1].json["active"] == "ON")
    ear.heard.clear()
    home.recording.orders.clear()


async def test_a_switch_is_obeyed_and_confirmed_from_the_recorder(homes, broker, ear):
    home = homes(broker.port)
    await listens(home, ear)
    for payload in ("OFF", "ON", "OFF"):
        ear.heard.clear()
        await ear.say(SET, payload)
        await ear.hears(STATE, payload.encode())
        assert (await ear.hears(ACTIVE)).json["active"] == payload
    assert home.recording.orders == [("cam0", on, "MQTT") for on in (False, True, False)]
    assert not home.recording.recording("cam0").wanted
    assert home.recording.recording("cam1").wanted


async def test_a_command_that_changes_nothing_is_confirmed_too(homes, broker, ear):
    home = homes(broker.port)
    await listens(home, ear)
    await ear.say(SET, "ON")
    assert (await ear.hears(STATE)).payload == b"ON"
    assert not ear.on(ACTIVE)


async def test_a_kept_command_is_ignored_and_said_once_over_reconnections(homes, broker, ear, caplog):
    await ear.say(SET, "OFF", retain=True)
    home = homes(broker.port)
    await listens(home, ear)
    assert home.recording.recording("cam0").wanted
    await home.service.stop()
    await listens(home, ear)
    assert home.recording.recording("cam0").wanted
    assert caplog.text.count("keeps an old command") == 1
    assert SET in caplog.text


@pytest.mark.parametrize(
    ("topic", "payload", "said"),
    [
        (SET, b"on", "'on' is neither ON nor OFF"),
        (SET, b"", "'' is neither"),
        (SET, b'{"state": "ON"}', "is neither ON nor OFF"),
        (SET, b"\x00\xff\xfe" * 100_000, "(300000 bytes) is longer than 4096 bytes"),
        ("livecam-nvr/home/cam9/recording/set", b"ON", "there is no camera 'cam9'"),
        ("livecam-nvr/home/cam0/format_disk/set", b"ON", "has no 'format_disk'"),
        (SET, b"[" * 4000, "(4000 bytes) is neither"),
        ("livecam-nvr/home/..%2f/recording/set", b"OFF", "there is no camera"),
    ],
)
async def test_nonsense_changes_nothing_and_is_said_once(homes, broker, ear, caplog, *, topic, payload, said):
    home = homes(broker.port)
    await listens(home, ear)
    await ear.say(topic, payload)
    await ear.say(SET, "ON")  # behind it on the same connection
    await ear.hears(STATE)
    await ear.hears(EVENTS)
    (answer,) = ear.on(EVENTS)
    assert (answer.json["event_type"], answer.json["topic"]) == ("refused", topic)
    assert answer.json["reason"]
    assert answer.json["hint"]
    assert not answer.retain
    lines = [r.getMessage() for r in caplog.records if r.name == "livecam_nvr.mqtt.obey.refusals"]
    assert len(lines) == 1
    assert said in lines[0]
    assert len(lines[0]) < 400
    assert all(home.recording.recording(c).wanted for c in ("cam0", "cam1"))
    assert {h.topic for h in ear.heard} == {topic, SET, STATE, EVENTS}


async def test_a_flood_does_not_fill_the_log_and_commands_still_work(homes, broker, ear, caplog):
    began_s = time.monotonic()
    home = homes(broker.port)
    await listens(home, ear)
    for at in range(500):
        await ear.say(SET, f"nonsense {at}")
    await ear.say(SET, "OFF")
    await ear.hears(STATE, b"OFF")
    ignored = caplog.text.count("MQTT command ignored")
    minutes = 1 + int((time.monotonic() - began_s) / 60)
    assert 120 <= ignored <= 120 * minutes
    # The broker's acknowledgements are what slows answers down; whoever floods gets the newest of them.
    await until(lambda: len(ear.on(EVENTS)) >= 256, what="the answers")


async def test_events_clips_and_modes_over_the_broker(homes, broker, ear):
    home = homes(broker.port)
    await listens(home, ear)
    camera = "livecam-nvr/home/cam0"
    await ear.say(f"{camera}/event/set", "doorbell")
    await ear.say(f"{camera}/event/set", '{"label": "motion", "state": "begin"}')
    await ear.say(f"{camera}/keep/set", "PRESS")
    await ear.say(f"{camera}/recording_mode/set", "events")
    await ear.hears(f"{camera}/recording_mode", b"events")
    assert [told[:3] for told in home.events.told] == [("moment", "cam0", "doorbell"), ("begin", "cam0", "motion")]
    assert [(clip.camera_id, clip.by) for clip in home.clips.kept] == [("cam0", "MQTT")]


async def test_a_camera_that_always_records_shows_its_switch_on_again(homes, broker, ear):
    home = homes(broker.port)
    await listens(home, ear)
    await ear.say("livecam-nvr/home/cam0/recording_mode/set", "always")
    await ear.hears("livecam-nvr/home/cam0/recording_mode", b"always")
    ear.heard.clear()
    await ear.say(SET, "OFF")
    await ear.hears(STATE, b"ON")
    assert home.recording.recording("cam0").wanted
