"""The audit log has every command that came over MQTT, obeyed or not, and nothing that strangers wrote."""

import pytest
from fakes.access_audit import FakeAuditLog
from fakes.core_control import FakeControl
from fakes.core_past import FakeClips, FakeEvents
from fakes.mqtt_recording import FakeRecording
from fakes.runtime_clock import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.core.access import Client, Deed, Door
from livecam_nvr.core.bus import EventBus
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import RecordingMode
from livecam_nvr.mqtt.books import Books
from livecam_nvr.mqtt.commands import CommandDesk, Orders
from livecam_nvr.mqtt.topics import Topics
from livecam_nvr.mqtt.wishes import Wish

Line = tuple[Deed, str, bool, str]


class Counter:
    """A desk for commands, and what it noted."""

    def __init__(self) -> None:
        bus = EventBus()
        self.recording = FakeRecording(bus, ["cam0"])
        self.log = FakeAuditLog()
        orders = Orders(self.recording, FakeControl(bus, ["cam0"]), FakeEvents(["cam0"]), FakeClips(["cam0"]))
        self.desk = CommandDesk(
            Topics("b", "homeassistant", "n"), orders, FakeClock(), lambda _camera_id: None, self.log
        )

    def say(self, what: str, payload: bytes, camera: str = "cam0", *, retained: bool = False) -> None:
        self.desk.handle(f"b/n/{camera}/{what}/set", payload, retained=retained)

    @property
    def lines(self) -> list[Line]:
        assert {(e.who, e.client) for e in self.log.entries} <= {("MQTT", Client("", Door.MQTT))}
        return [(e.deed, e.target, e.ok, e.detail) for e in self.log.entries]


@pytest.mark.parametrize(
    ("what", "payload", "line"),
    [
        ("recording", b"ON", (Deed.RECORDING, "cam0", True, "on")),
        ("recording", b"OFF", (Deed.RECORDING, "cam0", True, "off")),
        ("recording_mode", b"events", (Deed.MODE, "cam0", True, "events")),
        ("keep", b"PRESS", (Deed.KEEP, "cam0", True, "")),
        ("event", b"cat", (Deed.EVENT, "cam0", True, "cat")),
        ("event", b'{"label": "motion", "state": "begin"}', (Deed.EVENT, "cam0", True, "motion begins")),
        ("event", b'{"label": "motion", "state": "end"}', (Deed.EVENT, "cam0", True, "motion ends")),
        ("restart", b"PRESS", (Deed.RESTART, "cam0", True, "")),
        ("recording", b"hunter2", (Deed.RECORDING, "cam0", False, "neither ON nor OFF")),
        ("resolution", b"hunter2", (Deed.QUALITY, "cam0", False, "no resolution like 720p")),
        ("frame_rate", b"hunter2", (Deed.QUALITY, "cam0", False, "no number of frames a second")),
        ("keep", b"hunter2", (Deed.KEEP, "cam0", False, "not PRESS")),
        ("hunter2", b"ON", (Deed.REFUSED, "cam0", False, "there is no such command")),
    ],
)
def test_each_command_is_one_line(what: str, payload: bytes, line: Line) -> None:
    counter = Counter()
    counter.say(what, payload)
    assert counter.lines == [line]


def test_what_is_refused_by_who_would_do_it() -> None:
    counter = Counter()
    counter.recording.set_mode("cam0", RecordingMode.ALWAYS, "test")
    counter.say("recording", b"OFF")
    assert counter.lines == [(Deed.RECORDING, "cam0", False, "off: cam0 is always recorded")]


def test_cameras_that_there_are_not_all_look_the_same() -> None:
    counter = Counter()
    for camera in ("hunter2", "x", "y"):
        counter.say("keep", b"PRESS", camera)
        counter.say("keep", b"?", camera)
        counter.say("resolution", b"720p", camera)
    assert set(counter.lines) == {
        (Deed.KEEP, "", False, "no such camera"),
        (Deed.QUALITY, "", False, "720p: no such camera"),
    }


def test_a_command_that_the_broker_keeps_is_noted_once() -> None:
    counter = Counter()
    for _ in range(3):
        counter.say("recording", b"OFF", retained=True)
    assert counter.lines == [(Deed.RECORDING, "cam0", False, "an old command that the broker keeps")]


def test_a_quality_is_noted_when_it_has_worked_or_failed() -> None:
    log = FakeAuditLog()
    books = Books(log, lambda camera_id: camera_id == "cam0")
    books.done(Wish("cam0", height=720, fps=12.5))
    books.done(Wish("cam0", fps=30), LivecamError(ErrorKind.UNAVAILABLE, "the camera is away"))
    assert [(e.deed, e.ok, e.detail) for e in log.entries] == [
        (Deed.QUALITY, True, "720p, 12.5 fps"),
        (Deed.QUALITY, False, "30 fps: the camera is away"),
    ]


@given(st.text(max_size=20).filter(lambda t: "/" not in t), st.binary(max_size=40))
def test_nothing_that_strangers_write_gets_into_a_refusal(camera: str, payload: bytes) -> None:
    counter = Counter()
    counter.say("recording", payload, camera)
    assert set(counter.lines) <= {
        (Deed.RECORDING, "", False, "no such camera"),
        (Deed.RECORDING, "", False, "on: no such camera"),
        (Deed.RECORDING, "", False, "off: no such camera"),
    }
