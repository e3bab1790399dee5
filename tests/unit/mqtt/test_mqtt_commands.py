"""Any message is an order, or is refused: with a line, an answer, and nothing changed."""

import asyncio
import json

import pytest
from fakes.mqtt_desk import TOPICS, Desk
from hypothesis import given, settings
from hypothesis import strategies as st
from support.waiting import until

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import RecordingMode
from livecam_nvr.mqtt.obey.orders import (
    LONGEST_BYTES,
    Happening,
    Keep,
    Mode,
    Power,
    Refusal,
    Restart,
    Snapshot,
    Switch,
    parse,
)
from livecam_nvr.mqtt.obey.wishes import Wish

SET = "b/n/cam0/recording/set"
KNOWN = (
    "recording",
    "recording_mode",
    "keep",
    "event",
    "resolution",
    "frame_rate",
    "restart",
    "enabled",
    "snapshot",
)


@given(st.text(), st.binary())
def test_no_message_breaks_the_parser(topic, payload):
    assert parse(TOPICS, topic, payload) is None
    found = parse(TOPICS, SET, payload)
    assert isinstance(found, Switch if payload in (b"ON", b"OFF") else Refusal)


@given(st.text(min_size=1).filter(lambda t: "/" not in t), st.text().filter(lambda t: "/" not in t), st.binary())
def test_nothing_else_can_be_set(camera, what, payload):
    found = parse(TOPICS, f"b/n/{camera}/{what}/set", payload)
    assert what in KNOWN or isinstance(found, Refusal)


@pytest.mark.parametrize(
    ("what", "payload", "wanted"),
    [
        ("recording", b"ON", Switch("c", on=True)),
        ("recording", b"OFF", Switch("c", on=False)),
        ("resolution", b"480p", Wish("c", height=480)),
        ("resolution", b"1080p", Wish("c", height=1080)),
        ("frame_rate", b"15", Wish("c", fps=15)),
        ("frame_rate", b"12.5", Wish("c", fps=12.5)),
        ("restart", b"PRESS", Restart("c")),
        ("recording_mode", b"events", Mode("c", RecordingMode.EVENTS)),
        ("recording_mode", b"always", Mode("c", RecordingMode.ALWAYS)),
        ("keep", b"PRESS", Keep("c")),
        ("enabled", b"ON", Power("c", on=True)),
        ("enabled", b"OFF", Power("c", on=False)),
        ("snapshot", b"PRESS", Snapshot("c")),
    ],
)
def test_exact_payloads_are_orders(what, payload, wanted):
    assert parse(TOPICS, f"b/n/c/{what}/set", payload) == wanted
    for spoilt in (payload + b" ", b" " + payload, payload + b"\n", payload.swapcase() + b"x", payload + b"\xff"):
        assert isinstance(parse(TOPICS, f"b/n/c/{what}/set", spoilt), Refusal)


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        (b"motion", Happening("c", "motion")),
        (b'{"label": "front door", "state": "begin"}', Happening("c", "front door", on=True)),
        (b'{"label": "front door", "state": "end"}', Happening("c", "front door", on=False)),
        (b'{"label": "cat", "lasted_s": 12.5}', Happening("c", "cat", lasted_s=12.5)),
    ],
)
def test_events_are_reported_as_a_label_or_as_json(payload, wanted):
    assert parse(TOPICS, "b/n/c/event/set", payload) == wanted


def test_each_order_reaches_who_carries_it_out():
    desk = Desk()
    for what, payload in (
        ("event", b"cat"),
        ("event", b'{"label":"motion","state":"begin"}'),
        ("event", b'{"label":"motion","state":"end"}'),
        ("keep", b"PRESS"),
        ("recording_mode", b"events"),
    ):
        desk.say(what, payload)
    assert desk.events.told == [
        ("moment", "cam0", "cat", "mqtt", "0"),
        ("begin", "cam0", "motion", "mqtt"),
        ("end", "cam0", "motion", "mqtt"),
    ]
    assert [(clip.camera_id, clip.by) for clip in desk.clips.kept] == [("cam0", "MQTT")]
    assert desk.recording.modes == [("cam0", RecordingMode.EVENTS, "MQTT")]
    assert desk.refusals() == []


def test_who_switches_what_cannot_be_switched_is_told_how_it_is(caplog):
    desk = Desk()
    desk.recording.set_mode("cam0", RecordingMode.ALWAYS, "test")
    assert desk.say("recording", b"OFF") == ("cam0", desk.recording.now["cam0"], "b/n/cam0/recording")
    assert "always recorded" in caplog.text
    (answer,) = desk.refusals()
    assert answer == {
        "event_type": "refused",
        "topic": SET,
        "camera": "cam0",
        "command": "recording",
        "reason": "cam0 is always recorded",
        "hint": "choose another mode",
        "at": "2025-11-21T12:00:00+00:00",
    }


@pytest.mark.parametrize(
    ("what", "payload"),
    [
        ("event", b""),
        ("event", b"Motion"),
        ("event", b"x" * 41),
        ("event", b'{"label": 3}'),
        ("event", b'{"label": "\xff"}'),
        ("event", b'{"label": "cat", "state": "maybe"}'),
        ("event", b'{"label": "cat", "state": []}'),
        ("event", b'{"label": "cat", "lasted_s": -1}'),
        ("event", b'{"label": "cat", "lasted_s": true}'),
        ("event", b'{"label": "cat", "lasted_s": NaN}'),
        ("event", b'{"label": "cat", "colour": "black"}'),
        ("event", b"[" * 100_000),
        ("recording_mode", b"Always"),
        ("keep", b"ON"),
        ("resolution", b"480"),
        ("resolution", b"480P"),
        ("resolution", b"0p"),
        ("resolution", b"10800p"),
        ("resolution", b"1080p60"),
        ("resolution", "\u0664\u0668\u0660p".encode()),
        ("frame_rate", b"0"),
        ("frame_rate", b"0.0"),
        ("frame_rate", b"-15"),
        ("frame_rate", b"nan"),
        ("frame_rate", b"1e3"),
        ("frame_rate", b"1_0"),
        ("frame_rate", b"15."),
        ("frame_rate", "\u0661\u0665".encode()),
        ("restart", b""),
        ("restart", b"press"),
        ("restart", b"ON"),
        ("enabled", b"on"),
        ("enabled", b"1"),
        ("enabled", b"true"),
        ("snapshot", b"Press"),
        ("event", b'{"label": "cat", "lasted_s": 1e999}'),
        ("event", b'{"label": "cat", "lasted_s": ' + b"9" * 4000 + b"}"),
        ("event", b'"motion"'),
        ("event", b"[null]"),
        ("event", "\ufeffmotion".encode()),
    ],
)
def test_what_is_nearly_right_is_wrong(what, payload):
    assert isinstance(parse(TOPICS, f"b/n/c/{what}/set", payload), Refusal)


@given(st.text(), st.binary(max_size=2000), st.booleans())
def test_nothing_but_a_good_command_reaches_the_recorders(camera, payload, retained):
    desk = Desk()
    desk.say("recording", payload, camera, retained=retained)
    obeyed = payload in (b"ON", b"OFF") and camera == "cam0" and not retained
    assert [order for order in desk.recording.orders if order[0] == "cam0"] == (
        [("cam0", payload == b"ON", "MQTT")] if obeyed else []
    )


def test_a_good_command_is_answered_with_what_the_recorder_says():
    desk = Desk()
    answer = desk.say("recording", b"OFF")
    assert answer is not None
    assert answer[0] == "cam0"
    assert not answer[1].wanted


payloads = (
    st.binary(max_size=200)
    | st.text(max_size=100).map(str.encode)
    | st.sampled_from([b"", b"ON", b"PRESS", b"720p", b"NaN", b"-1", b"null", b"[" * 5000, b"x" * 100_000])
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["label", "state", "lasted_s"]) | st.text(max_size=5), inner, max_size=3
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode())
)
parts = st.text(st.characters(codec="utf-8", exclude_characters="/+#\x00"), max_size=40)


@settings(max_examples=300)
@given(parts, st.sampled_from(KNOWN) | parts, payloads)
def test_whatever_comes_changes_a_camera_or_is_answered(camera, what, payload):
    desk = Desk()
    desk.say(what, payload, camera)
    assert desk.deeds() == {} or camera == "cam0"
    if not desk.deeds():
        (answer,) = desk.refusals()
        assert answer.keys() == {"event_type", "topic", "camera", "command", "reason", "hint", "at"}
        assert answer["reason"]
        assert answer["hint"]


@pytest.mark.parametrize("camera", ["c" * 65_000, "cam0", "\U0001f600" * 10_000])
@pytest.mark.parametrize("what", ["w" * 65_000, "recording", "keep", "enabled", "snapshot"])
@pytest.mark.parametrize("payload", [b"x" * 1_000_000, b"PRESS", b"\xff" * LONGEST_BYTES])
def test_answers_and_lines_are_short(caplog, camera, what, payload):
    desk = Desk("elsewhere")
    desk.say(what, payload, camera)
    (answer,) = desk.refusals()
    assert len(json.dumps(answer, ensure_ascii=False)) < 1500
    (line,) = caplog.records
    assert len(line.getMessage()) < 700


def test_nobody_reads_a_secret_in_an_answer_or_the_log(caplog):
    desk = Desk()
    desk.say("recording", b"rtsp://me:hunter2@cam/1")
    desk.say("recording", b"x" * 30 + b" rtsp://me:hunter2@cam/1", retained=True)
    desk.say("keep", b"PRESS", "rtsp:hunter2")
    desk.say("", b"ON", whole="b/n/cam0/?token=hunter2/set")
    text = json.dumps(desk.refusals()) + caplog.text
    assert len(desk.refusals()) == 4
    assert "rtsp://me:***" in text
    assert text.count("hunter2") == text.count("rtsp:hunter2")  # the name of a camera that there is not


def test_a_payload_that_no_command_needs_is_not_looked_at():
    good = b'{"label": "cat"' + b" " * (LONGEST_BYTES - 16) + b"}"
    assert isinstance(parse(TOPICS, "b/n/cam0/event/set", good), Happening)
    found = parse(TOPICS, "b/n/cam0/event/set", good + b" ")
    assert isinstance(found, Refusal)
    assert "longer than 4096 bytes" in found.problem


def test_a_flood_is_logged_up_to_a_number_and_then_counted_but_answered(caplog):
    desk = Desk()
    for _ in range(1000):
        desk.say("recording", b"toggle")
    assert len(caplog.records) == 120
    desk.clock.advance(61)
    desk.say("recording", b"toggle")
    assert len(caplog.records) == 122
    assert "880 more commands" in caplog.text
    assert len(desk.refusals()) == 256


async def test_what_was_not_logged_is_summed_up_at_the_end(caplog):
    desk = Desk()
    for _ in range(121):
        desk.say("recording", b"toggle")
    await desk.desk.stop()
    await desk.desk.stop()
    assert caplog.text.count("1 more commands") == 1


def test_kept_commands_are_named_and_answered_once_each_and_not_without_end(caplog):
    desk = Desk()
    for _ in range(3):
        for at in range(1000):
            desk.say("recording", b"OFF", f"cam{at}", retained=True)
    assert len(caplog.records) == 200
    assert len(desk.refusals()) == 200
    assert desk.refusals()[0]["reason"] == "the broker keeps this command: it may be days old"
    assert desk.deeds() == {}


async def test_a_camera_is_switched_in_its_time_and_told_when_it_is():
    desk = Desk("cam0", "cam1")
    desk.power.hold = True
    desk.say("enabled", b"OFF")
    await until(lambda: desk.power.orders, what="the first order")
    desk.say("enabled", b"OFF", "cam1")
    desk.say("enabled", b"ON", "cam1")
    assert desk.told == []
    desk.power.let_go()
    await until(lambda: len(desk.told) == 2, what="both cameras told")
    # One after the other, as the service refuses two at a time; of what waits only the newest wish counts.
    assert desk.power.orders == [("cam0", False, "MQTT"), ("cam1", True, "MQTT")]
    assert desk.told == [("switched", "cam0"), ("switched", "cam1")]
    assert desk.refusals() == []


async def test_a_camera_that_cannot_be_switched_now_is_answered_and_told_as_it_is(caplog):
    desk = Desk()
    desk.power.refuses = LivecamError(ErrorKind.CONFLICT, "settings are being applied", "wait")
    desk.say("enabled", b"OFF")
    await until(lambda: desk.told, what="told as it is")
    (answer,) = desk.refusals()
    assert (answer["command"], answer["reason"], answer["hint"]) == (
        "enabled",
        "settings are being applied",
        "wait",
    )
    assert caplog.text.count("settings are being applied") == 1
    desk = Desk(power=False)
    desk.say("enabled", b"OFF")
    assert "cannot be switched off here" in desk.refusals()[0]["reason"]


async def test_a_picture_is_taken_at_once_or_refused():
    desk = Desk()
    desk.say("snapshot", b"PRESS")
    await until(lambda: desk.told == [("pictured", "cam0")], what="a picture")
    desk.pictures.without.add("cam0")
    desk.say("snapshot", b"PRESS")
    await until(desk.refusals, what="a refusal")
    assert "cam0 is offline" in desk.refusals()[0]["reason"]
    assert desk.told == [("pictured", "cam0")]


async def test_a_quality_that_fails_later_is_answered_too(caplog):
    desk = Desk()
    desk.control.hold = True
    desk.say("resolution", b"1080p")
    await until(lambda: desk.control.is_changing("cam0"))
    assert desk.refusals() == []
    desk.control.finish("cam0", LivecamError(ErrorKind.UNAVAILABLE, "1080p failed: no", "it is set back"))
    await until(desk.refusals, what="a refusal")
    assert (desk.refusals()[0]["topic"], desk.refusals()[0]["reason"]) == (
        "b/n/cam0/resolution/set",
        "1080p failed: no",
    )
    assert caplog.text == ""  # it was logged where it failed
    desk.control.settle("cam0")
    desk.control.hold = False
    await until(lambda: desk.told == [("settled", "cam0")])
    desk.say("frame_rate", b"7")
    desk.say("resolution", b"481p")
    await until(lambda: len(desk.refusals()) == 2, what="another refusal")
    assert "no height of 481" in caplog.text


async def test_a_stop_leaves_nothing_behind():
    desk = Desk()
    desk.power.hold = True
    desk.say("enabled", b"OFF")
    await until(lambda: desk.power.orders, what="an order under way")
    desk.say("enabled", b"ON")
    await desk.desk.stop()
    await desk.desk.stop()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("MQTT")]
    assert desk.told == []
    desk.power.let_go()
    desk.say("enabled", b"ON")
    await until(lambda: desk.told, what="an order after the stop")
    await desk.desk.stop()
