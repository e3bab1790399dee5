import logging

import pytest
from fakes.core_archive import FakeArchive
from fakes.core_stream import FakeHub
from fakes.runtime_clock import FakeClock

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.control import RecordingSwitches
from livecam_nvr.core.recorder import Recorder
from livecam_nvr.domain.errors import ErrorKind, LivecamError


class Memory:
    """See livecam_nvr.core.ports.SwitchMemory."""

    def __init__(self) -> None:
        self.saved: list[dict[str, bool]] = []

    def load(self) -> dict[str, bool]:
        return {}

    def save(self, switches: dict[str, bool]) -> None:
        self.saved.append(switches)


@pytest.fixture
def recorders() -> dict[str, Recorder]:
    clock = FakeClock()
    return {
        key: Recorder(
            FakeHub(clock), FakeArchive(), EventBus(), clock, segment_s=30, pre_roll_s=0, wanted=key == "on"
        )
        for key in ("on", "off")
    }


def test_a_switch_is_turned_told_and_remembered_for_all(
    recorders: dict[str, Recorder], caplog: pytest.LogCaptureFixture
) -> None:
    memory = Memory()
    switches = RecordingSwitches(recorders, memory)
    with caplog.at_level(logging.INFO):
        status = switches.set_recording("off", True, by="the page")
    assert status.wanted
    assert switches.recording("off") == status
    assert memory.saved == [{"on": True, "off": True}]
    assert "off: recording switched on by the page" in caplog.text
    assert not switches.set_recording("on", False, by="MQTT").wanted
    assert memory.saved[-1] == {"on": False, "off": True}


def test_asking_for_what_is_so_already_writes_nothing(recorders: dict[str, Recorder]) -> None:
    memory = Memory()
    assert RecordingSwitches(recorders, memory).set_recording("on", True, by="MQTT").wanted
    assert memory.saved == []


def test_an_unknown_camera_is_an_error_that_names_the_known_ones(recorders: dict[str, Recorder]) -> None:
    memory = Memory()
    switches = RecordingSwitches(recorders, memory)
    with pytest.raises(LivecamError, match="no camera 'attic'") as caught:
        switches.set_recording("attic", True, by="MQTT")
    assert caught.value.kind is ErrorKind.NOT_FOUND
    assert caught.value.hint == "there are: on, off"
    with pytest.raises(LivecamError):
        switches.recording("attic")
    assert memory.saved == []


def test_stopping_the_service_does_not_turn_the_switches(recorders: dict[str, Recorder]) -> None:
    memory = Memory()
    switches = RecordingSwitches(recorders, memory)
    for recorder in recorders.values():
        recorder.stop()
    switches.set_recording("off", True, by="a late message")
    assert memory.saved == [{"on": True, "off": True}]
