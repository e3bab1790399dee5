"""How many days of recordings fit, and when the disk will be full."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.domain.forecast import Holding, Inventory, bytes_per_day, outlook, shared_days
from livecam_nvr.domain.retention import Limits, Rules
from livecam_nvr.domain.segment import NS

GB = 10**9
DAY = 86_400 * NS


def inventory(free: int, *held: tuple[str, int, float], kept: int = 0) -> Inventory:
    """Cameras with bytes held and bytes a day."""
    holdings = {
        camera_id: Holding(camera_id, 1, size, kept if at == 0 else 0, bytes_per_day=rate)
        for at, (camera_id, size, rate) in enumerate(held)
    }
    return Inventory(holdings, free, 1000 * GB, complete=True)


def test_a_rate_is_scaled_to_a_day() -> None:
    assert bytes_per_day(100, 0, DAY // 4) == 400
    assert bytes_per_day(100, 0, 0) == 100 * 1440, "at most from a minute"


def test_the_disk_alone() -> None:
    found = outlook(
        inventory(40 * GB, ("a", 50 * GB, 5 * GB), ("b", 0, 5 * GB)), Rules(Limits(keep_free_bytes=10 * GB))
    )
    assert found.days_held == {"a": pytest.approx(8), "b": pytest.approx(8)}
    assert found.days == pytest.approx(8)
    assert found.days_until_deletion == pytest.approx(3)
    assert found.days_until_full is None, "deletion prevents it"


def test_clips_take_room_for_ever() -> None:
    rules = Rules(Limits(keep_free_bytes=10 * GB))
    found = outlook(inventory(40 * GB, ("a", 50 * GB, 10 * GB), kept=20 * GB), rules)
    assert found.days == pytest.approx(6)


def test_without_deletion_for_space_it_becomes_full() -> None:
    rules = Rules(full_bytes=GB)
    found = outlook(inventory(21 * GB, ("a", 50 * GB, 10 * GB)), rules)
    assert found.days_until_full == pytest.approx(2)
    assert found.days == pytest.approx(7)


@pytest.mark.parametrize(
    "limits", [Limits(max_bytes=60 * GB), Limits(max_age_ns=6 * DAY), Limits(max_age_ns=DAY, max_bytes=900 * GB)]
)
def test_limits_that_are_reached_before_prevent_that(limits: Limits) -> None:
    found = outlook(inventory(21 * GB, ("a", 50 * GB, 10 * GB)), Rules(limits, full_bytes=GB))
    assert found.days_until_full is None
    assert found.days == pytest.approx(1 if limits.max_age_ns == DAY else 6)


def test_limits_that_are_too_high_do_not() -> None:
    rules = Rules(Limits(max_bytes=100 * GB), full_bytes=GB)
    assert outlook(inventory(21 * GB, ("a", 50 * GB, 10 * GB)), rules).days_until_full == pytest.approx(2)


def test_what_one_camera_may_not_have_is_there_for_the_others() -> None:
    rules = Rules(Limits(max_bytes=100 * GB), {"a": Limits(max_age_ns=2 * DAY)})
    found = outlook(inventory(900 * GB, ("a", 0, 10 * GB), ("b", 0, 10 * GB)), rules)
    assert found.days_held == {"a": pytest.approx(2), "b": pytest.approx(8)}


def test_nothing_is_known_where_nothing_is_recorded() -> None:
    found = outlook(inventory(GB, ("a", GB, 0.0)), Rules(Limits(max_age_ns=DAY)))
    assert (found.days, found.days_until_full, found.days_until_deletion) == (None, None, None)
    assert outlook(inventory(GB), Rules()).days is None


rates = st.floats(0.1, 100)


@given(
    st.floats(0, 10_000),
    st.lists(st.tuples(rates, st.floats(0.01, 100) | st.just(float("inf"))), min_size=1, max_size=5),
)
def test_so_many_days_fill_the_room_exactly(room: float, cameras: list[tuple[float, float]]) -> None:
    days = shared_days(room, cameras)
    used = sum(rate * min(days, own) for rate, own in cameras if rate)
    if days == float("inf"):
        assert used <= room * (1 + 1e-9)
    else:
        assert used == pytest.approx(room)
