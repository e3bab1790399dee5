from dataclasses import replace

from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.storage.files.repair import is_our_name
from livecam_nvr.storage.merging.merge_plan import archive_path, groups, slot_end_ns

TEN = 1_795_255_200 * NS  # 2026-11-21 10:00:00 UTC
LATER = TEN + 3600 * NS


def segment(second: float, sequence: int, **more: object) -> Segment:
    start = TEN + round(second * NS)
    values: dict[str, object] = {
        "camera_id": "cam0",
        "path": f"cam0/261121/{start}.mp4",
        "start_utc_ns": start,
        "duration_ns": 30 * NS,
        "utc_offset_s": 0,
        "frames": 900,
        "bytes": 1000,
        "run_id": 7,
        "sequence": sequence,
        "cause": EndCause.CLOCK,
        "codec": "avc1.42c01f",
        "width": 640,
        "height": 360,
    }
    return Segment(**{**values, **more})  # type: ignore[arg-type]


def numbers(found: list[list[Segment]]) -> list[list[int]]:
    return [[one.sequence for one in group] for group in found]


def test_a_slot_is_one_group():
    segments = [segment(30 * n, n) for n in range(40)]
    assert numbers(groups(segments, 10, LATER)) == [list(range(20)), list(range(20, 40))]


def test_a_slot_that_is_not_over_is_left_alone():
    segments = [segment(30 * n, n) for n in range(40)]
    assert numbers(groups(segments, 10, TEN + 1199 * NS)) == [list(range(20))]


def test_a_segment_belongs_to_the_slot_it_begins_in():
    segments = [segment(-10, 0), segment(-5, 1), segment(0.03, 2), segment(30, 3)]
    assert numbers(groups(segments, 10, LATER)) == [[0, 1], [2, 3]]


def test_breaks_divide_a_slot():
    base = [segment(30 * n, n) for n in range(6)]
    another_run = [*base[:3], *(replace(one, run_id=8, sequence=one.sequence - 3) for one in base[3:])]
    assert numbers(groups(another_run, 10, LATER)) == [[0, 1, 2], [0, 1, 2]]
    switched_off = [*base[:2], replace(base[2], cause=EndCause.SWITCHED_OFF), *base[3:]]
    assert numbers(groups(switched_off, 10, LATER)) == [[0, 1, 2], [3, 4, 5]]
    one_deleted = [*base[:3], *base[4:]]
    assert numbers(groups(one_deleted, 10, LATER)) == [[0, 1, 2], [4, 5]]
    other_size = [*base[:3], *(replace(one, width=1280) for one in base[3:])]
    assert numbers(groups(other_size, 10, LATER)) == [[0, 1, 2], [3, 4, 5]]


def test_what_cannot_be_joined_is_left_alone():
    assert groups([segment(0, 0)], 10, LATER) == []
    assert groups([segment(0, 0, merged=20), segment(595, 20)], 10, LATER) == []
    assert groups([segment(0, 0, unsynced=True), segment(30, 1, unsynced=True)], 10, LATER) == []


def test_slots_lie_on_the_local_clock():
    nepal = 5 * 3600 + 45 * 60
    assert slot_end_ns(TEN, nepal, 30) == TEN + 15 * 60 * NS
    assert slot_end_ns(TEN, 0, 10) == TEN + 600 * NS
    assert slot_end_ns(TEN - 1, 0, 10) == TEN


def test_names():
    assert str(archive_path(segment(0.03, 0), 10)) == "cam0/261121/cam0_20261121_100000_10min.mp4"
    assert str(archive_path(segment(192, 0, utc_offset_s=3600), 10, 1)) == (
        "cam0/261121/cam0_20261121_110312_10min-1.mp4"
    )


def test_the_index_knows_the_name():
    assert is_our_name(str(archive_path(segment(0, 0), 10)))
    assert is_our_name(str(archive_path(segment(0, 0), 10, 2)))
