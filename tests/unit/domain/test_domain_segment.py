from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.domain.disk import too_full
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import NS, Segment, segment_path

BERLIN = ZoneInfo("Europe/Berlin")


def utc_ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NS


def offset_s(at_ns: int) -> int:
    offset = datetime.fromtimestamp(at_ns // NS, BERLIN).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


@pytest.mark.parametrize(
    ("at", "offset", "attempt", "path"),
    [
        ("2021-11-26T09:30:00", 0, 0, "cam0/211126/cam0_20211126_093000.mp4"),
        ("2021-11-26T09:30:00", 3600, 0, "cam0/211126/cam0_20211126_103000.mp4"),
        ("2021-12-31T23:30:00", 3600, 0, "cam0/220101/cam0_20220101_003000.mp4"),
        ("2022-01-01T00:00:30", -5 * 3600, 0, "cam0/211231/cam0_20211231_190030.mp4"),
        ("2024-02-29T23:59:30", 0, 1, "cam0/240229/cam0_20240229_235930-1.mp4"),
        ("2024-02-29T23:59:30", 20_700, 12, "cam0/240301/cam0_20240301_054430-12.mp4"),
    ],
)
def test_files_are_named_in_local_time(at: str, offset: int, attempt: int, path: str) -> None:
    assert str(segment_path("cam0", utc_ns(at), offset, attempt)) == path


def test_parts_of_a_second_are_cut_off() -> None:
    assert segment_path("c", utc_ns("2021-11-26T09:30:00") + NS - 1, 0).name == "c_20211126_093000.mp4"


def test_the_hour_that_comes_twice_in_autumn_gives_the_same_name_twice() -> None:
    first, second = utc_ns("2025-10-26T00:30:00"), utc_ns("2025-10-26T01:30:00")
    names = [segment_path("c", at, offset_s(at)).name for at in (first, second)]
    assert names == ["c_20251026_023000.mp4"] * 2
    assert segment_path("c", second, offset_s(second), 1).name == "c_20251026_023000-1.mp4"


def test_the_hour_that_is_left_out_in_spring() -> None:
    before, after = utc_ns("2025-03-30T00:59:30"), utc_ns("2025-03-30T01:00:00")
    names = [segment_path("c", at, offset_s(at)).name for at in (before, after)]
    assert names == ["c_20250330_015930.mp4", "c_20250330_030000.mp4"]


def test_a_segment_ends_after_its_duration() -> None:
    segment = Segment("c", "p", 5 * NS, 2 * NS, 0, 60, 1, 1, 0, EndCause.CLOCK, "avc1", 1, 1)
    assert segment.end_utc_ns == 7 * NS


@pytest.mark.parametrize(
    ("free", "was", "full"),
    [(999, False, True), (1000, False, False), (1000, True, True), (1099, True, True), (1101, True, False)],
)
def test_a_full_disk_needs_a_tenth_more_to_be_free_again(free: int, was: bool, full: bool) -> None:
    assert too_full(free, 1000, was=was) is full


@given(free=st.integers(0), was=st.booleans())
def test_a_limit_of_zero_is_no_limit(free: int, was: bool) -> None:
    assert not too_full(free, 0, was=was)
