import logging

import pytest

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import CameraStateChanged, StreamStarted
from livecam_nvr.domain.status import CameraState

LIVE = CameraStateChanged("cam0", CameraState.LIVE)


def test_events_reach_those_who_asked_for_their_type_in_order() -> None:
    bus, got = EventBus(), []
    bus.subscribe(CameraStateChanged, lambda e: got.append(("first", e)))
    bus.subscribe(CameraStateChanged, lambda e: got.append(("second", e)))
    bus.subscribe(StreamStarted, lambda e: got.append(("other", e)))
    bus.publish(LIVE)
    assert got == [("first", LIVE), ("second", LIVE)]


def test_an_event_nobody_waits_for_is_no_error() -> None:
    EventBus().publish(LIVE)


def test_a_handler_that_fails_disturbs_nobody_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    bus, got = EventBus(), []

    def fail(event: CameraStateChanged) -> None:
        raise RuntimeError("broken handler")

    bus.subscribe(CameraStateChanged, fail)
    bus.subscribe(CameraStateChanged, got.append)
    with caplog.at_level(logging.ERROR):
        bus.publish(LIVE)
        bus.publish(LIVE)
    assert got == [LIVE, LIVE]
    assert "broken handler" in caplog.text
    assert "CameraStateChanged" in caplog.text


def test_unsubscribing_ends_it_and_twice_is_harmless() -> None:
    bus, got, others = EventBus(), [], []
    end = bus.subscribe(CameraStateChanged, got.append)
    bus.subscribe(CameraStateChanged, others.append)
    end()
    end()
    bus.publish(LIVE)
    assert got == []
    assert others == [LIVE]


def test_a_handler_may_unsubscribe_and_publish_while_it_is_called() -> None:
    bus, got = EventBus(), []

    def once(event: CameraStateChanged) -> None:
        got.append(event)
        end()
        bus.publish(LIVE)

    end = bus.subscribe(CameraStateChanged, once)
    bus.subscribe(CameraStateChanged, lambda e: got.append("other"))
    bus.publish(LIVE)
    assert got == [LIVE, "other", "other"]
