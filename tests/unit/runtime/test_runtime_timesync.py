"""What the wall clock showed when, over steps; and when this machine's clock can be believed."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.runtime.timesync import NS, STEP_NS, WallHistory, boot_id, has_battery_clock, kernel_synchronised

YEAR_NS = 365 * 86_400 * NS


class Machine:
    """Both clocks, noted each second as the time keeper does."""

    def __init__(self, utc_ns: int = 300 * NS) -> None:
        self.boot_ns = 100 * NS
        self.offset_ns = utc_ns - self.boot_ns
        self.synchronised = False
        self.history = WallHistory()
        self.note()

    @property
    def utc_ns(self) -> int:
        return self.boot_ns + self.offset_ns

    def note(self) -> None:
        self.history.note(self.utc_ns, self.boot_ns, synchronised=self.synchronised)

    def advance(self, seconds: int) -> None:
        for _ in range(seconds):
            self.boot_ns += NS
            self.note()

    def step(self, by_ns: int) -> None:
        self.offset_ns += by_ns
        self.note()


def test_what_was_stamped_before_a_step_is_still_known() -> None:
    machine = Machine()
    machine.advance(20)
    before_boot, before_utc = machine.boot_ns - 3 * NS, machine.utc_ns - 3 * NS
    machine.synchronised = True
    machine.step(56 * YEAR_NS)
    machine.advance(4)
    old = machine.history.moment_of(before_utc)
    assert (old.boot_ns, old.synchronised) == (before_boot, False)
    new = machine.history.moment_of(machine.utc_ns)
    assert (new.boot_ns, new.synchronised) == (machine.boot_ns, True)


def test_a_clock_that_only_turns_out_to_be_right_was_right_before() -> None:
    machine = Machine()
    machine.advance(5)
    early = machine.utc_ns
    assert not machine.history.moment_of(early).synchronised
    machine.synchronised = True
    machine.advance(1)
    assert machine.history.moment_of(early).synchronised


def test_a_frame_of_the_step_itself_belongs_to_the_new_time() -> None:
    machine = Machine()
    machine.advance(10)
    machine.boot_ns += NS // 2  # half a second after the last look
    machine.offset_ns += 3600 * NS
    taken = machine.utc_ns - NS // 10
    machine.note()
    assert machine.history.moment_of(taken).boot_ns == machine.boot_ns - NS // 10


far = st.integers(121 * NS, 10 * YEAR_NS)


@given(st.lists(far | far.map(lambda by_ns: -by_ns), max_size=10))
def test_every_moment_of_the_last_minute_is_found_again(steps: list[int]) -> None:
    machine = Machine(20 * YEAR_NS)
    for by_ns in steps:
        machine.advance(61)
        stamps = [(machine.boot_ns - age * NS, machine.utc_ns - age * NS) for age in (0, 1, 30, 60)]
        machine.step(by_ns)
        for boot_ns, utc_ns in stamps:
            assert machine.history.moment_of(utc_ns).boot_ns == boot_ns
        assert machine.history.moment_of(machine.utc_ns).boot_ns == machine.boot_ns


def test_a_clock_that_is_slewed_has_made_no_step() -> None:
    machine = Machine()
    for _ in range(100):
        machine.offset_ns += STEP_NS // 3
        machine.advance(1)
    assert machine.history.moment_of(machine.utc_ns).boot_ns == machine.boot_ns


def test_it_remembers_no_more_than_it_needs() -> None:
    machine = Machine(20 * YEAR_NS)
    for by_ns in itertools.islice(itertools.cycle((YEAR_NS, -YEAR_NS)), 1000):
        machine.advance(1)
        machine.step(by_ns)
    assert len(machine.history._stretches) < 100


def test_this_machine_can_be_asked() -> None:
    clock = SystemClock()
    assert kernel_synchronised() in (True, False)
    assert len(boot_id()) == 32
    assert has_battery_clock(0, 0) in (None, False)
    before = clock.boot_ns()
    moment = clock.moment_of(clock.utc_ns())
    assert before - NS <= moment.boot_ns <= clock.boot_ns() + NS
    clock.look()
    first = clock.synchronised()
    assert not first or clock.synchronised(), "it stays so"


class OldDate(SystemClock):
    def utc_ns(self) -> int:
        return 300 * NS


def test_no_date_of_before_this_program_is_believed() -> None:
    clock = OldDate()
    clock.look()
    assert not clock.synchronised()


@pytest.mark.parametrize("offset_s", [0, 3600, -12_600])
def test_local_time_follows_the_zone(monkeypatch: pytest.MonkeyPatch, offset_s: int) -> None:
    sign = "-" if offset_s >= 0 else "+"
    monkeypatch.setenv("TZ", f"XYZ{sign}{abs(offset_s) // 3600}:{abs(offset_s) % 3600 // 60:02}")
    time.tzset()
    try:
        assert SystemClock().utc_offset_s(1_790_000_000 * NS) == offset_s
    finally:
        monkeypatch.undo()
        time.tzset()
