from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.domain.disk import DiskLoad, FreeLevels, assessed, hint_for, must_pause, space_level
from livecam_nvr.domain.status import DiskLevel, DiskStatus, DiskTrouble, Fault

MB = 1_000_000
LEVELS = FreeLevels(full=1000 * MB, critical=1250 * MB, warning=1500 * MB)
FOUND = DiskStatus("/r", 100_000 * MB, 50_000 * MB)
RANKS = list(DiskLevel)


@pytest.mark.parametrize(
    ("was", "free_mb", "level"),
    [
        ("ok", 1500, "ok"),
        ("ok", 1499, "warning"),
        ("ok", 1249, "critical"),
        ("ok", 999, "full"),
        ("warning", 1649, "warning"),
        ("warning", 1651, "ok"),
        ("critical", 1374, "critical"),
        ("critical", 1375, "warning"),
        ("full", 1099, "full"),
        ("full", 1100, "critical"),
        ("full", 1376, "warning"),
        ("full", 1651, "ok"),
    ],
)
def test_levels_are_left_only_with_a_tenth_more(was: str, free_mb: int, level: str) -> None:
    assert space_level(free_mb * MB, LEVELS, DiskLevel(was)) is DiskLevel(level)


@given(at=st.integers(900, 1800), wobble=st.lists(st.integers(-20, 20), min_size=2, max_size=50))
def test_a_wobble_of_two_percent_never_flaps(at: int, wobble: list[int]) -> None:
    level = DiskLevel.OK
    seen = []
    for by in wobble:
        level = space_level((at + by) * MB, LEVELS, level)
        seen.append(RANKS.index(level))
    assert all(later >= before for before, later in pairwise(seen)), "it only gets worse"


def test_no_limit_is_no_level() -> None:
    assert space_level(0, FreeLevels(0), DiskLevel.FULL) is DiskLevel.OK


def test_all_is_well() -> None:
    status = assessed(FOUND, DiskLevel.OK, LEVELS)
    assert status == FOUND
    assert not status.problem


def test_a_missing_disk_explains_everything_else() -> None:
    found = DiskStatus("/r", trouble=DiskTrouble.MISSING, reason="not there", hint="mount it")
    load = DiskLoad(31 << 20, 32 << 20, 20.0, DiskTrouble.BROKEN)
    status = assessed(found, DiskLevel.FULL, LEVELS, load=load, fault=Fault("cannot write"))
    assert (status.trouble, status.reason, status.hint) == (DiskTrouble.MISSING, "not there", "mount it")
    assert status.level is DiskLevel.FULL, "the level is the worst of all"
    assert status.problem


@pytest.mark.parametrize(
    ("load", "was", "level", "trouble"),
    [
        (DiskLoad(7 << 20, 32 << 20), "none", "ok", "none"),
        (DiskLoad(8 << 20, 32 << 20), "none", "warning", "slow"),
        (DiskLoad(16 << 20, 32 << 20), "none", "critical", "slow"),
        (DiskLoad(5 << 20, 32 << 20), "slow", "warning", "slow"),
        (DiskLoad(3 << 20, 32 << 20), "slow", "ok", "none"),
        (DiskLoad(0, 1, 2.9), "none", "ok", "none"),
        (DiskLoad(0, 1, 3.0), "none", "warning", "slow"),
        (DiskLoad(0, 1, 1.5), "slow", "warning", "slow"),
        (DiskLoad(0, 1, 0.5), "slow", "ok", "none"),
        (DiskLoad(0, 1, 15.0), "slow", "critical", "broken"),
    ],
)
def test_a_disk_that_does_not_keep_up(load: DiskLoad, was: str, level: str, trouble: str) -> None:
    status = assessed(FOUND, DiskLevel.OK, LEVELS, load=load, was=DiskTrouble(was))
    assert (status.level, status.trouble) == (DiskLevel(level), DiskTrouble(trouble))
    assert bool(status.reason) is bool(status.hint) is status.problem is (level != "ok")


@pytest.mark.parametrize(
    ("refusal", "level", "trouble"),
    [
        (DiskTrouble.SPACE, DiskLevel.FULL, DiskTrouble.SPACE),
        (DiskTrouble.READ_ONLY, DiskLevel.CRITICAL, DiskTrouble.READ_ONLY),
        (None, DiskLevel.CRITICAL, DiskTrouble.BROKEN),
    ],
)
def test_a_recorder_that_cannot_write(refusal: DiskTrouble | None, level: DiskLevel, trouble: DiskTrouble) -> None:
    load = DiskLoad(refusal=refusal)
    status = assessed(FOUND, DiskLevel.OK, LEVELS, load=load, fault=Fault("it said no", "its own hint"))
    assert (status.level, status.trouble, status.reason) == (level, trouble, "it said no")
    assert status.hint == (hint_for(trouble) if refusal else "its own hint")
    assert assessed(FOUND, DiskLevel.OK, LEVELS, load=load) == FOUND, "an old refusal is no trouble"


def test_what_pauses_recording() -> None:
    assert not must_pause(FOUND, DiskLevel.CRITICAL)
    assert must_pause(FOUND, DiskLevel.FULL)
    assert must_pause(DiskStatus("/r", read_only=True), DiskLevel.OK)
    assert must_pause(DiskStatus("/r", trouble=DiskTrouble.MISSING), DiskLevel.OK)
    assert not must_pause(DiskStatus("/r", trouble=DiskTrouble.BROKEN), DiskLevel.OK), "each write tells by itself"


def test_every_trouble_has_a_hint() -> None:
    assert [trouble for trouble in DiskTrouble if not hint_for(trouble)] == [DiskTrouble.NONE]
