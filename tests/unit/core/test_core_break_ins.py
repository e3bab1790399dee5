"""The newest attempt to break in."""

from fakes.runtime_clock import NOON_UTC_NS, FakeClock

from livecam_nvr.core.break_ins import BreakInWatch
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import BreakInAttempt
from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import BreakIn


def test_the_newest_attempt_is_remembered() -> None:
    bus, clock = EventBus(), FakeClock()
    watch = BreakInWatch(bus, clock)
    assert watch.newest is None
    bus.publish(BreakInAttempt("", "192.0.2.1", 10, "http"))
    clock.advance(60)
    bus.publish(BreakInAttempt("anna", "192.0.2.2", 30, "rtsp"))
    newest = BreakIn(NOON_UTC_NS + 60 * NS, "anna", "192.0.2.2", 30, "rtsp")
    assert watch.newest == newest
    watch.close()
    watch.close()
    bus.publish(BreakInAttempt("otto", "192.0.2.3", 10, "http"))
    assert watch.newest == newest
