import logging

import pytest
from fakes.core_triggers import Cameras

from livecam_nvr.core.modes import TriggerSettings
from livecam_nvr.core.ports import Switch
from livecam_nvr.domain.coverage import GapCause
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import RecordingMode


def test_a_switch_is_turned_told_and_remembered_for_all(caplog: pytest.LogCaptureFixture) -> None:
    cameras = Cameras(on=False, ids=("one", "two"))
    with caplog.at_level(logging.INFO):
        status = cameras.switches.set_recording("two", True, by="the page")
    assert status.wanted
    assert cameras.switches.recording("two") == status == cameras.told[-1]
    assert cameras.switch_memory.saved == [{"one": Switch(False, "the config"), "two": Switch(True, "the page")}]
    assert "two: recording switched on by the page" in caplog.text
    assert not cameras.switches.set_recording("two", False, by="MQTT").wanted
    assert cameras.switch_memory.saved[-1]["two"] == Switch(False, "MQTT")


def test_asking_for_what_is_so_already_writes_nothing() -> None:
    cameras = Cameras()
    told = len(cameras.told)
    assert cameras.switches.set_recording("cam0", True, by="MQTT").wanted
    assert cameras.switches.set_mode("cam0", RecordingMode.SWITCHED, by="MQTT").wanted
    assert cameras.switch_memory.saved == cameras.mode_memory.saved == []
    assert len(cameras.told) == told


def test_an_unknown_camera_is_an_error_that_names_the_known_ones() -> None:
    cameras = Cameras(ids=("on", "off"))
    switches = cameras.switches
    with pytest.raises(LivecamError, match="no camera 'attic'") as caught:
        switches.set_recording("attic", True, by="MQTT")
    assert caught.value.kind is ErrorKind.NOT_FOUND
    assert caught.value.hint == "there are: on, off"
    for ask in (
        lambda: switches.recording("attic"),
        lambda: switches.set_mode("attic", RecordingMode.ALWAYS, by="MQTT"),
        lambda: switches.event("attic", lasts=True),
        lambda: switches.keep("attic", 1, 1),
    ):
        with pytest.raises(LivecamError, match="no camera 'attic'"):
            ask()
    assert cameras.switch_memory.saved == []


def test_a_mode_is_changed_told_and_remembered(caplog: pytest.LogCaptureFixture) -> None:
    cameras = Cameras()
    with caplog.at_level(logging.INFO):
        status = cameras.switches.set_mode("cam0", RecordingMode.EVENTS, by="the page")
    assert status.mode is RecordingMode.EVENTS
    assert cameras.told[-1] == status
    assert cameras.mode_memory.saved == [("cam0", RecordingMode.EVENTS)]
    assert "cam0: recording mode changed from switched to events by the page" in caplog.text


def test_what_is_always_recorded_cannot_be_switched_off() -> None:
    cameras = Cameras(RecordingMode.ALWAYS)
    with pytest.raises(LivecamError, match="always recorded") as caught:
        cameras.switches.set_recording("cam0", False, by="MQTT")
    assert caught.value.kind is ErrorKind.CONFLICT
    assert "another mode" in caught.value.hint
    assert cameras.switches.set_recording("cam0", True, by="MQTT").wanted
    cameras.switches.set_mode("cam0", RecordingMode.SWITCHED, by="MQTT")
    assert not cameras.switches.set_recording("cam0", False, by="MQTT").wanted


def test_a_schedule_that_is_not_there_cannot_be_chosen() -> None:
    cameras = Cameras()
    with pytest.raises(LivecamError, match="no schedule") as caught:
        cameras.switches.set_mode("cam0", RecordingMode.SCHEDULE, by="MQTT")
    assert caught.value.kind is ErrorKind.CONFLICT
    assert cameras.status().mode is RecordingMode.SWITCHED


def test_a_whole_camera_that_is_off_is_not_recorded_in_any_mode() -> None:
    cameras = Cameras()
    switches = cameras.switches
    switches.set_mode("cam0", RecordingMode.ALWAYS, by="a test")
    switches.suspend("cam0", "anna")
    status = switches.recording("cam0")
    assert (status.wanted, status.idle, status.idle_by) == (True, GapCause.SWITCHED_OFF, "anna")
    switches.keep("cam0", 1, 1)
    switches.event("cam0", lasts=True)
    assert switches.recording("cam0").idle is GapCause.SWITCHED_OFF
    switches.suspend("cam0", None)
    assert switches.recording("cam0").idle is None


def test_settings_are_taken_over_while_it_runs() -> None:
    cameras = Cameras()
    switches = cameras.switches
    switches.configure("cam0", TriggerSettings(Switch(False, "the config"), RecordingMode.ALWAYS))
    assert switches.recording("cam0").idle is None
    switches.configure("cam0", TriggerSettings(Switch(False, "the config"), RecordingMode.SWITCHED))
    status = switches.recording("cam0")
    assert (status.idle, status.idle_by) == (GapCause.SWITCHED_OFF, "the config")
    switches.remove("cam0")
    with pytest.raises(LivecamError, match="no camera 'cam0'"):
        switches.recording("cam0")
    switches.remove("cam0")
