"""The audit log has every command that came over MQTT, obeyed or not, and nothing that strangers wrote."""

import pytest
from fakes.access_audit import FakeAuditLog
from fakes.mqtt_desk import Desk
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.core.access import Client, Deed, Door
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import RecordingMode
from livecam_nvr.mqtt.obey.books import Books
from livecam_nvr.mqtt.obey.orders import Power, Snapshot
from livecam_nvr.mqtt.obey.wishes import Wish

Line = tuple[Deed, str, bool, str]


def lines(desk: Desk) -> list[Line]:
    """What was noted."""
    assert {(e.who, e.client) for e in desk.audit.entries} <= {("MQTT", Client("", Door.MQTT))}
    return [(e.deed, e.target, e.ok, e.detail) for e in desk.audit.entries]


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
        ("recording", b"hunter2", (Deed.RECORDING, "cam0", False, "what was sent is neither ON nor OFF")),
        ("resolution", b"hunter2", (Deed.QUALITY, "cam0", False, "what was sent is no resolution")),
        ("frame_rate", b"hunter2", (Deed.QUALITY, "cam0", False, "what was sent is no number of frames a second")),
        ("keep", b"hunter2", (Deed.KEEP, "cam0", False, "what was sent is not PRESS")),
        ("enabled", b"hunter2", (Deed.ENABLED, "cam0", False, "what was sent is neither ON nor OFF")),
        ("snapshot", b"hunter2", (Deed.REFUSED, "cam0", False, "what was sent is not PRESS")),
        ("hunter2", b"ON", (Deed.REFUSED, "cam0", False, "there is no such command")),
    ],
)
def test_each_command_is_one_line(what: str, payload: bytes, line: Line) -> None:
    desk = Desk()
    desk.say(what, payload)
    assert lines(desk) == [line]


def test_what_is_refused_by_who_would_do_it() -> None:
    desk = Desk()
    desk.recording.set_mode("cam0", RecordingMode.ALWAYS, "test")
    desk.say("recording", b"OFF")
    assert lines(desk) == [(Deed.RECORDING, "cam0", False, "off: cam0 is always recorded")]


def test_cameras_that_there_are_not_all_look_the_same() -> None:
    desk = Desk()
    for camera in ("hunter2", "x", "y"):
        desk.say("keep", b"PRESS", camera)
        desk.say("keep", b"?", camera)
        desk.say("resolution", b"720p", camera)
    assert set(lines(desk)) == {
        (Deed.KEEP, "", False, "no such camera"),
        (Deed.QUALITY, "", False, "720p: no such camera"),
    }


def test_a_command_that_the_broker_keeps_is_noted_once() -> None:
    desk = Desk()
    for _ in range(3):
        desk.say("recording", b"OFF", retained=True)
    assert lines(desk) == [(Deed.RECORDING, "cam0", False, "an old command that the broker keeps")]


def test_a_quality_is_noted_when_it_has_worked_or_failed() -> None:
    log = FakeAuditLog()
    books = Books(log, lambda camera_id: camera_id == "cam0")
    books.done(Wish("cam0", height=720, fps=12.5))
    books.done(Wish("cam0", fps=30), LivecamError(ErrorKind.UNAVAILABLE, "the camera is away"))
    assert [(e.deed, e.ok, e.detail) for e in log.entries] == [
        (Deed.QUALITY, True, "720p, 12.5 fps"),
        (Deed.QUALITY, False, "30 fps: the camera is away"),
    ]


def test_a_camera_is_noted_when_it_was_switched_and_a_look_at_one_only_if_it_failed() -> None:
    log = FakeAuditLog()
    books = Books(log, lambda camera_id: camera_id == "cam0")
    books.done(Power("cam0", on=False))
    books.done(Power("cam0", on=True), LivecamError(ErrorKind.CONFLICT, "settings are being applied"))
    books.done(Snapshot("cam0"))
    books.done(Snapshot("cam0"), LivecamError(ErrorKind.UNAVAILABLE, "it has no picture"))
    assert [(e.deed, e.ok, e.detail) for e in log.entries] == [
        (Deed.ENABLED, True, "off"),
        (Deed.ENABLED, False, "on: settings are being applied"),
        (Deed.REFUSED, False, "it has no picture"),
    ]


@given(st.text(max_size=20).filter(lambda t: "/" not in t), st.binary(max_size=40))
def test_nothing_that_strangers_write_gets_into_a_refusal(camera: str, payload: bytes) -> None:
    desk = Desk()
    desk.say("recording", payload, camera)
    assert set(lines(desk)) <= {
        (Deed.RECORDING, "", False, "no such camera"),
        (Deed.RECORDING, "", False, "on: no such camera"),
        (Deed.RECORDING, "", False, "off: no such camera"),
    }
