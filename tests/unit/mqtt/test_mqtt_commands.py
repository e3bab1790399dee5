import pytest
from fakes.access_audit import FakeAuditLog
from fakes.core_control import FakeControl
from fakes.core_past import FakeClips, FakeEvents
from fakes.mqtt_recording import FakeRecording
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.core.bus import EventBus
from livecam_nvr.domain.status import RecordingMode
from livecam_nvr.mqtt.commands import CommandDesk, Orders
from livecam_nvr.mqtt.orders import Happening, Keep, Mode, Refusal, Restart, Switch, parse
from livecam_nvr.mqtt.topics import Topics
from livecam_nvr.mqtt.wishes import Wish

TOPICS = Topics("b", "homeassistant", "n")
SET = "b/n/cam0/recording/set"


class HandClock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s

    def utc_ns(self) -> int:
        return 0

    def utc_offset_s(self, utc_ns: int) -> int:
        return 0


def desk() -> tuple[CommandDesk, FakeRecording, HandClock]:
    recording, clock = FakeRecording(EventBus(), ["cam0"]), HandClock()
    control = FakeControl(EventBus(), ["cam0"])
    orders = Orders(recording, control, FakeEvents(["cam0"]), FakeClips(["cam0"]))
    return CommandDesk(TOPICS, orders, clock, lambda _camera_id: None, FakeAuditLog()), recording, clock


@given(st.text(), st.binary())
def test_no_message_breaks_the_parser(topic, payload):
    assert parse(TOPICS, topic, payload) is None
    found = parse(TOPICS, SET, payload)
    assert isinstance(found, Switch if payload in (b"ON", b"OFF") else Refusal)


KNOWN = ("recording", "recording_mode", "keep", "event", "resolution", "frame_rate", "restart")


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
    recording, control = FakeRecording(EventBus(), ["cam0"]), FakeControl(EventBus(), ["cam0"])
    events, clips = FakeEvents(["cam0"]), FakeClips(["cam0"])
    orders = Orders(recording, control, events, clips)
    found = CommandDesk(TOPICS, orders, HandClock(), lambda _camera_id: None, FakeAuditLog())
    for what, payload in (
        ("event", b"cat"),
        ("event", b'{"label":"motion","state":"begin"}'),
        ("event", b'{"label":"motion","state":"end"}'),
        ("keep", b"PRESS"),
        ("recording_mode", b"events"),
    ):
        found.handle(f"b/n/cam0/{what}/set", payload, retained=False)
    assert events.told == [
        ("moment", "cam0", "cat", "mqtt", "0"),
        ("begin", "cam0", "motion", "mqtt"),
        ("end", "cam0", "motion", "mqtt"),
    ]
    assert [(clip.camera_id, clip.by) for clip in clips.kept] == [("cam0", "MQTT")]
    assert recording.modes == [("cam0", RecordingMode.EVENTS, "MQTT")]


def test_who_switches_what_cannot_be_switched_is_told_how_it_is(caplog):
    found, recording, _clock = desk()
    recording.set_mode("cam0", RecordingMode.ALWAYS, "test")
    answer = found.handle(SET, b"OFF", retained=False)
    assert answer == ("cam0", recording.now["cam0"], "b/n/cam0/recording")
    assert "always recorded" in caplog.text


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
    ],
)
def test_what_is_nearly_right_is_wrong(what, payload):
    assert isinstance(parse(TOPICS, f"b/n/c/{what}/set", payload), Refusal)


@given(st.text(), st.binary(max_size=2000), st.booleans())
def test_nothing_but_a_good_command_reaches_the_recorders(camera, payload, retained):
    counter, recording, _ = desk()
    counter.handle(f"b/n/{camera}/recording/set", payload, retained=retained)
    obeyed = payload in (b"ON", b"OFF") and camera == "cam0" and not retained
    assert [order for order in recording.orders if order[0] == "cam0"] == (
        [("cam0", payload == b"ON", "MQTT")] if obeyed else []
    )


def test_a_good_command_is_answered_with_what_the_recorder_says():
    counter, _, _ = desk()
    answer = counter.handle(SET, b"OFF", retained=False)
    assert answer is not None
    assert answer[0] == "cam0"
    assert not answer[1].wanted


def test_a_flood_is_a_few_lines_a_minute_and_then_a_number(caplog: pytest.LogCaptureFixture):
    counter, _, clock = desk()
    for _ in range(100):
        counter.handle(SET, b"toggle", retained=False)
    assert len(caplog.records) == 5
    clock.now_s = 61
    counter.handle(SET, b"toggle", retained=False)
    assert len(caplog.records) == 6
    assert "95 more" in caplog.text


def test_kept_commands_are_named_once_each_and_not_without_end(caplog: pytest.LogCaptureFixture):
    counter, recording, _ = desk()
    for _ in range(3):
        for at in range(1000):
            counter.handle(f"b/n/cam{at}/recording/set", b"OFF", retained=True)
    assert len(caplog.records) == 200
    assert not recording.orders
