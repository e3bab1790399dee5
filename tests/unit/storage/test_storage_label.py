"""The label tells everything that the index needs, and never lies about being finished."""

import json
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.media import EndCause
from livecam_nvr.storage.files.boxes import BoxError
from livecam_nvr.storage.files.label import (
    END_AT,
    LABEL_BYTES,
    Begin,
    End,
    end_record,
    is_label,
    label_box,
    read_label,
)

BEGIN = Begin("cam0", 1_790_000_000_123_456_789, -12_600, (1 << 63) - 1, 4_000_000, "hvc1.1.6.L120.90", 3840, 2160)
END = End(EndCause.SWITCHED_OFF, 216_000, 3_600_033_333_333, 1 << 45)


def test_both_records_are_read_back() -> None:
    box = label_box(BEGIN)
    assert is_label(box)
    assert len(box) == LABEL_BYTES == int.from_bytes(box[:4], "big")
    assert read_label(box).begin == BEGIN
    assert read_label(box).end is None
    assert read_label(box).segment("a") is None
    finished = box[:END_AT] + end_record(END)
    assert len(finished) == LABEL_BYTES
    label = read_label(finished)
    assert (label.begin, label.end) == (BEGIN, END)
    segment = label.segment("cam0/260921/x.mp4")
    assert segment is not None
    assert (segment.path, segment.run_id, segment.cause) == ("cam0/260921/x.mp4", BEGIN.run_id, END.cause)


def test_the_longest_camera_id_and_numbers_fit() -> None:
    longest = replace(
        BEGIN, camera_id="c" * 32, codec="hvc1.A99.FFFFFFFF.H255.B0.B0.B0.B0.B0.B0", sequence=1 << 62
    )
    assert read_label(label_box(longest)).begin == longest
    assert read_label(label_box(BEGIN)[:END_AT] + end_record(replace(END, bytes=1 << 62, frames=1 << 62))).end


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(LivecamError, match="too long"):
        label_box(replace(BEGIN, codec="x" * 600))


@given(st.integers(0, 191))
def test_a_torn_second_record_counts_as_not_finished(kept: int) -> None:
    box = label_box(BEGIN)
    record = end_record(END)
    torn = record[:kept] + b" " * (len(record) - kept)
    label = read_label(box[:END_AT] + torn)
    assert (label.end is None) == (torn != record)


@given(at=st.integers(24, END_AT - 1), value=st.integers(0, 255))
def test_damage_in_the_first_record_is_found(at: int, value: int) -> None:
    box = bytearray(label_box(BEGIN))
    box[at] = value
    try:
        assert read_label(bytes(box)).begin == BEGIN
    except BoxError:
        assert bytes(box) != label_box(BEGIN)


def test_a_later_version_is_named() -> None:
    text = json.dumps({"livecam_nvr": 2}).encode()
    record = b"%08x %s" % (zlib.crc32(text), text)
    box = label_box(BEGIN)
    with pytest.raises(BoxError, match="version 2"):
        read_label(box[:24] + record.ljust(END_AT - 24) + box[END_AT:])
