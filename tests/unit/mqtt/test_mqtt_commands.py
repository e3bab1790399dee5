import pytest
from fakes.mqtt_recording import FakeRecording
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.core.bus import EventBus
from livecam_nvr.mqtt.commands import CommandDesk, Refusal, Switch, parse
from livecam_nvr.mqtt.topics import Topics

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
    return CommandDesk(TOPICS, recording, clock), recording, clock


@given(st.text(), st.binary())
def test_no_message_breaks_the_parser(topic, payload):
    assert parse(TOPICS, topic, payload) is None
    found = parse(TOPICS, SET, payload)
    assert isinstance(found, Switch if payload in (b"ON", b"OFF") else Refusal)


@given(st.text(min_size=1).filter(lambda t: "/" not in t), st.text().filter(lambda t: "/" not in t), st.binary())
def test_only_an_exact_switch_is_one(camera, what, payload):
    found = parse(TOPICS, f"b/n/{camera}/{what}/set", payload)
    assert isinstance(found, Switch if what == "recording" and payload in (b"ON", b"OFF") else Refusal)


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
