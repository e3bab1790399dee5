"""The label of a file whose times were wrong at first."""

import json
import zlib
from dataclasses import replace

import pytest

from livecam_nvr.domain.media import EndCause
from livecam_nvr.storage.files.label import (
    END_AT,
    LABEL_BYTES,
    Begin,
    Boot,
    End,
    Redating,
    end_record,
    label_box,
    read_label,
)

BOOT = Boot("b9f810d381e342dc8e61699f32e2d438", 1 << 62)
BEGIN = Begin("c" * 32, 300_123_456_789, 3600, (1 << 63) - 1, 1 << 40, "avc1.42c01f", 640, 360, 20, BOOT)
END = End(EndCause.SWITCHED_OFF, 1 << 40, 1 << 60, 1 << 45)
MOVED = Redating(1_795_254_892_686_593_654, -12_600, final=True)


def test_everything_is_read_back() -> None:
    box = label_box(BEGIN)
    assert len(box) == LABEL_BYTES
    assert read_label(box).begin == BEGIN
    for redating in (
        None,
        MOVED,
        replace(MOVED, final=False),
        replace(MOVED, shift_ns=0),
        replace(MOVED, shift_ns=-1),
    ):
        record = end_record(replace(END, redating=redating))
        label = read_label(box[:END_AT] + record)
        assert label.end == replace(END, redating=redating)


@pytest.mark.parametrize(
    ("boot", "redating", "unsynced", "shift_ns"),
    [
        (None, None, False, 0),
        (BOOT, None, True, 0),
        (BOOT, MOVED, False, MOVED.shift_ns),
        (BOOT, replace(MOVED, final=False), True, MOVED.shift_ns),
        (BOOT, replace(MOVED, shift_ns=0), False, 0),
    ],
)
def test_a_segment_has_the_true_times(
    boot: Boot | None, redating: Redating | None, unsynced: bool, shift_ns: int
) -> None:
    box = label_box(replace(BEGIN, boot=boot))
    segment = read_label(box[:END_AT] + end_record(replace(END, redating=redating))).segment("a.mp4")
    assert segment is not None
    assert (segment.unsynced, segment.shift_ns, segment.merged) == (unsynced, shift_ns, 20)
    assert segment.start_utc_ns == BEGIN.start_utc_ns + shift_ns
    assert segment.utc_offset_s == (redating.utc_offset_s if redating else BEGIN.utc_offset_s)


def test_an_older_program_finds_what_it_knows_where_it_was() -> None:
    box = label_box(BEGIN)
    crc, _, text = box[24:END_AT].rstrip(b" ").partition(b" ")
    assert int(crc, 16) == zlib.crc32(text)
    assert json.loads(text)["livecam_nvr"] == 1
    assert json.loads(text)["start_utc_ns"] == BEGIN.start_utc_ns
    plain = label_box(replace(BEGIN, boot=None, merged=1))
    assert set(json.loads(plain[33:END_AT])) == {
        *(
            "livecam_nvr",
            "camera_id",
            "start_utc_ns",
            "utc_offset_s",
            "run_id",
            "sequence",
            "codec",
            "width",
            "height",
        )
    }
