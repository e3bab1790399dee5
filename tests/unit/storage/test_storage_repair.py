"""Repair keeps every whole fragment, claims nothing else, and harms nothing."""

import os
import struct
from pathlib import Path

import pytest
from fakes.storage_fragments import frames, from_keyframe, start_of, write_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import Segment
from livecam_nvr.storage.files.boxes import BoxError, boxes
from livecam_nvr.storage.files.label import LABEL_BYTES
from livecam_nvr.storage.files.names import Names
from livecam_nvr.storage.files.repair import Fate, is_our_name, repair_file
from livecam_nvr.storage.files.segment_file import SegmentFile
from livecam_nvr.storage.files.survey import read_head, survey


def reader(data: bytes):
    return lambda at, count: data[at : at + count]


def relative(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def repaired(root: Path, path: Path) -> Segment:
    verdict = repair_file(root, relative(root, path))
    assert verdict.fate is Fate.REPAIRED
    assert verdict.segment is not None
    return verdict.segment


def fragment_ends(path: Path) -> list[int]:
    data = path.read_bytes()
    return [box.end for box in boxes(data, 0, len(data)) if box.kind == b"mdat"]


def test_an_unfinished_file_becomes_what_finishing_would_have_made(
    root: Path, any_fragments: list[Fragment]
) -> None:
    part = from_keyframe(any_fragments, 1)
    path = write_file(root, part)
    segment = repaired(root, path)
    as_repaired = path.read_bytes()
    path.unlink()
    assert write_file(root, part, EndCause.SERVICE) == path
    assert path.read_bytes() == as_repaired
    assert segment.frames == frames(part)
    assert segment.cause is EndCause.SERVICE
    assert segment.bytes == len(as_repaired)
    video = part[0].init.video
    assert segment.duration_ns == sum(f.duration for f in part) * 10**9 // video.timescale


def test_truncation_at_every_byte_of_the_last_two_fragments(root: Path, fragments: list[Fragment]) -> None:
    path = write_file(root, fragments[:8])
    data = path.read_bytes()
    ends = fragment_ends(path)
    whole = survey(reader(data), len(data), read_head(reader(data), len(data)))
    assert whole.end == len(data)
    for size in range(ends[-3], len(data) + 1):
        cut = data[:size]
        found = survey(reader(cut), size, read_head(reader(cut), size))
        complete = sum(end <= size for end in ends)
        assert found.end == ends[complete - 1]
        assert found.tally.frames == complete
        assert not found.damaged


def test_truncated_files_are_repaired_on_disk(root: Path, fragments: list[Fragment]) -> None:
    path = write_file(root, fragments)
    data = path.read_bytes()
    ends = fragment_ends(path)
    for size in {*range(ends[-3], len(data), 97), *ends[-3:], ends[-2] + 1, ends[-1] - 1}:
        path.write_bytes(data[:size])
        segment = repaired(root, path)
        complete = sum(end <= size for end in ends)
        assert segment.frames == complete
        assert segment.bytes == path.stat().st_size
        after = path.read_bytes()
        kinds = [box.kind for box in boxes(after, 0, len(after))]
        assert kinds == [b"ftyp", b"moov", b"uuid", *[b"moof", b"mdat"] * complete, b"mfra"]
        assert after[len(data[: ends[0]]) : ends[complete - 1]] == data[ends[0] : ends[complete - 1]]


def test_a_head_cut_off_anywhere_is_set_aside(root: Path, fragments: list[Fragment]) -> None:
    path = write_file(root, fragments[:1])
    data = path.read_bytes()
    first = len(fragments[0].init.data) + LABEL_BYTES
    for size in range(first):
        with pytest.raises(BoxError):
            read_head(reader(data[:size]), size)
    for size in (0, 5, 40, first - 1, first, len(data) - 1):
        path.write_bytes(data[:size])
        assert repair_file(root, relative(root, path)).fate is Fate.SET_ASIDE
        assert not path.exists()
    broken = sorted(path.parent.glob("*.broken*"))
    assert [b.stat().st_size for b in broken] == [0, 5, 40, first - 1, first, len(data) - 1]  # nothing overwritten


def test_zeros_after_a_power_cut_are_cut_off(root: Path, fragments: list[Fragment]) -> None:
    path = write_file(root, fragments)
    data = path.read_bytes()
    ends = fragment_ends(path)
    path.write_bytes(data[: ends[9]] + bytes(50_000))
    assert repaired(root, path).frames == 10
    path.write_bytes(bytes(4096))
    assert repair_file(root, relative(root, path)).fate is Fate.SET_ASIDE


def test_damage_in_the_middle_costs_only_what_it_hit(root: Path, fragments: list[Fragment]) -> None:
    path = write_file(root, fragments)
    data = bytearray(path.read_bytes())
    ends = fragment_ends(path)
    data[ends[4] : ends[4] + 4] = b"\xff\xff\xff\xff"  # the size of the sixth moof
    struct.pack_into(">I", data, data.index(b"trun", ends[9]) + 8, 77)  # too many samples in the eleventh
    data[ends[-2] + 4] ^= 0x20  # the type of the last moof
    path.write_bytes(data)
    assert repaired(root, path).frames == len(fragments) - 3
    after = path.read_bytes()
    kinds = [box.kind for box in boxes(after, 0, len(after))]  # a player can walk over all of it
    assert kinds.count(b"moof") == len(fragments) - 3
    assert kinds.count(b"free") == 2


def test_a_time_that_is_out_of_line_claims_nothing(root: Path, fragments: list[Fragment]) -> None:
    path = write_file(root, fragments)
    data = bytearray(path.read_bytes())
    ends = fragment_ends(path)
    for end in (ends[9], ends[-2]):
        data[data.index(b"tfdt", end) + 8 + 3] = 0x20  # 2^37 ticks: weeks
    path.write_bytes(data)
    segment = repaired(root, path)
    assert segment.frames == len(fragments) - 2
    assert segment.duration_ns <= 2 * 10**9


def test_a_camera_whose_clock_jumped_loses_nothing(root: Path, fragments: list[Fragment]) -> None:
    path = write_file(root, fragments)
    data = bytearray(path.read_bytes())
    ends = fragment_ends(path)
    for end in ends[14:-1]:
        data[data.index(b"tfdt", end) + 8 + 3] = 0x20
    path.write_bytes(data)
    assert repaired(root, path).frames == len(fragments)


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(data=st.data())
def test_random_damage_never_costs_an_untouched_fragment(
    tmp_path: Path, fragments: list[Fragment], data: st.DataObject
) -> None:
    root = tmp_path / "recordings"
    for old in root.glob("cam0/*/*"):
        old.unlink()
    path = write_file(root, fragments[:12])
    ends = fragment_ends(path)
    content = bytearray(path.read_bytes())
    head = len(fragments[0].init.data) + LABEL_BYTES
    hit = data.draw(st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(1, 255)), max_size=6))
    for at, mask in hit:
        content[at] ^= mask
    path.write_bytes(content)
    verdict = repair_file(root, relative(root, path))
    begins = [head, *ends[:-1]]
    untouched = [
        (begin, end)
        for begin, end in zip(begins, ends, strict=True)
        if not any(begin <= at < end for at, _ in hit)
    ]
    if verdict.fate is not Fate.REPAIRED:
        # Then its head was hit (or there is not one picture left), and not a byte of the file is lost.
        assert any(at < head for at, _ in hit) or not untouched
        kept = path if path.exists() else path.with_name(path.name + ".broken")
        assert kept.read_bytes() == content
        return
    assert verdict.segment is not None
    assert len(untouched) <= verdict.segment.frames or any(at < head for at, _ in hit)
    assert verdict.segment.frames <= 12
    if not any(at < head for at, _ in hit):
        after = path.read_bytes()
        for begin, end in untouched:
            assert after[begin:end] == content[begin:end]
        assert verdict.segment.bytes == len(after)
        assert sum(box.kind == b"moof" for box in boxes(after, 0, len(after))) >= len(untouched)


def test_repair_is_idempotent(root: Path, fragments: list[Fragment]) -> None:
    path = write_file(root, fragments)
    os.truncate(path, path.stat().st_size - 3)
    segment = repaired(root, path)
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    verdict = repair_file(root, relative(root, path))
    assert (verdict.fate, verdict.segment) == (Fate.FINISHED, segment)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_an_interrupted_repair_is_done_again(root: Path, fragments: list[Fragment]) -> None:
    path = write_file(root, fragments)
    unfinished = path.read_bytes()
    segment = repaired(root, path)
    done = path.read_bytes()
    label_at = len(fragments[0].init.data)
    for size in (len(unfinished) + 1, len(done) - 5, len(done)):  # killed while the table was written, or after it
        path.write_bytes(unfinished[: label_at + LABEL_BYTES] + done[label_at + LABEL_BYTES : size])
        assert repaired(root, path) == segment
        assert path.read_bytes() == done


def test_a_finished_file_is_never_touched(root: Path, fragments: list[Fragment]) -> None:
    path = write_file(root, fragments, EndCause.CLOCK)
    with path.open("ab") as file:
        file.write(b"a tag that somebody has added")
    before = (path.read_bytes(), path.stat().st_mtime_ns)
    verdict = repair_file(root, relative(root, path))
    assert verdict.fate is Fate.FINISHED
    assert verdict.segment is not None
    assert verdict.segment.cause is EndCause.CLOCK
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_a_finished_file_that_lost_its_end_claims_only_what_is_left(root: Path, fragments: list[Fragment]) -> None:
    path = write_file(root, fragments, EndCause.CLOCK)
    os.truncate(path, fragment_ends(path)[19])
    assert repaired(root, path).frames == 20


def test_foreign_files_are_left_alone(root: Path, fragments: list[Fragment]) -> None:
    folder = root / "cam0/260921"
    folder.mkdir(parents=True)
    path = folder / "cam0_20260921_151320.mp4"
    plain = fragments[0].init.data + b"".join(f.data for f in fragments)
    for content in (plain, plain[:-10], b"#!/bin/sh\necho this is no video\n" * 10):
        path.write_bytes(content)
        assert repair_file(root, relative(root, path)).fate is Fate.FOREIGN
        assert path.read_bytes() == content


def test_a_fragment_that_was_not_written_whole_is_cut_off_at_the_end(
    root: Path, fragments: list[Fragment]
) -> None:
    file = SegmentFile(root, start_of(fragments[0]), Names())
    file.create()
    file.write(fragments[:5])
    os.write(file._fd, fragments[5].data[:-1])  # as a disk leaves it that is full
    file.finish(EndCause.DISK)
    segment = file.seal()
    data = (root / segment.path).read_bytes()
    kinds = [box.kind for box in boxes(data, 0, len(data))]
    assert kinds == [b"ftyp", b"moov", b"uuid", *[b"moof", b"mdat"] * 5, b"mfra"]
    assert (segment.frames, segment.bytes) == (5, len(data))


def test_our_names() -> None:
    assert is_our_name("cam0/260921/cam0_20260921_151320.mp4")
    assert is_our_name("front-door_2/260921/front-door_2_20260921_151320-12.mp4")
    for other in (
        "cam0/260921/cam1_20260921_151320.mp4",
        "cam0/260921/cam0_20260921_151320.mp4.broken",
        "cam0/260921/holiday.mp4",
        "cam0/cam0_20260921_151320.mp4",
    ):
        assert not is_our_name(other)
