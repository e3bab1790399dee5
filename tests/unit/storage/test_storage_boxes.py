"""The box walker agrees with the stream's reader, and survives whatever it is given."""

import contextlib
import struct

import pytest
from fakes.storage_fragments import from_keyframe
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.domain.media import Fragment
from livecam_nvr.storage.files.boxes import Box, BoxError, TrackHead, boxes, parse_init, parse_moof
from livecam_nvr.storage.files.tables import Tally, created_patches, duration_patches, keyframe_table, patched


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def wide_init() -> bytes:
    """An init segment whose headers are of version 1 (64-bit times), with a `mehd`."""
    mvhd = box(b"mvhd", b"\1\0\0\0", struct.pack(">QQIQ", 1, 1, 1000, 0), bytes(80))
    tkhd = box(b"tkhd", b"\1\0\0\7", struct.pack(">QQIIQ", 1, 1, 3, 0, 0), bytes(60))
    mdhd = box(b"mdhd", b"\1\0\0\0", struct.pack(">QQIQ", 1, 1, 90_000, 0), bytes(4))
    hdlr = box(b"hdlr", bytes(8), b"vide", bytes(13))
    mvex = box(
        b"mvex",
        box(b"mehd", b"\1\0\0\0", bytes(8)),
        box(b"trex", bytes(4), struct.pack(">5I", 3, 1, 3000, 50, 0x10000)),
    )
    moov = box(b"moov", mvhd, box(b"trak", tkhd, box(b"mdia", mdhd, hdlr)), mvex)
    return box(b"ftyp", b"iso5", bytes(4)) + moov


def test_every_fragment_is_read_as_the_streams_reader_reads_it(any_fragments: list[Fragment]) -> None:
    init = any_fragments[0].init
    moov = parse_init(init.data)
    assert {t.track_id: (t.video, t.timescale) for t in moov.tracks.values()} == {
        t.track_id: (t.kind == "video", t.timescale) for t in init.tracks
    }
    for fragment in any_fragments:
        moof = next(boxes(fragment.data, 0, len(fragment.data)))
        runs = parse_moof(fragment.data, moof, moov.tracks)
        assert [(r.track_id, r.time, r.duration, r.samples) for r in runs] == [
            (t.track_id, t.time, t.duration, t.samples) for t in fragment.tracks
        ]
        assert any(r.sync for r in runs if r.track_id == init.video.track_id) == fragment.keyframe
        assert sum(r.bytes for r in runs) == len(fragment.data) - moof.end - 8


def test_durations_and_creation_go_into_headers_of_both_versions(fragments: list[Fragment]) -> None:
    for init, scale in ((fragments[0].init.data, fragments[0].init.video.timescale), (wide_init(), 90_000)):
        moov = parse_init(init)
        ends = {moov.video.track_id: 10 * scale + 1}
        made = 1_790_000_000
        data = patched(init, [*duration_patches(moov, ends), *created_patches(moov, made * 10**9)])
        assert len(data) == len(init)
        values: dict[str, set[int]] = {}
        for place in moov.fields:
            number = int.from_bytes(data[place.at : place.at + place.size], "big")
            values.setdefault(place.means, set()).add(number)
        assert values["created"] == {made + 2_082_844_800}
        assert values["media duration"] == {10 * scale + 1}
        assert values["movie duration"] == {10 * moov.timescale + 1}  # rounded up
        untouched = {at for place in moov.fields for at in range(place.at, place.at + place.size)}
        assert all(data[at] == init[at] for at in range(len(init)) if at not in untouched)


def test_a_wide_init_has_all_its_duration_fields() -> None:
    moov = parse_init(wide_init())
    assert [f.size for f in moov.fields if f.means == "movie duration"] == [8, 8, 8]  # mvhd, tkhd, mehd
    assert moov.tracks[3] == TrackHead(3, True, 90_000, 3000, 50, 0x10000)


def test_a_duration_that_does_not_fit_is_unknown(fragments: list[Fragment]) -> None:
    moov = parse_init(fragments[0].init.data)
    patches = dict(duration_patches(moov, {moov.video.track_id: 1 << 40}))
    place = next(f for f in moov.fields if f.means == "media duration")
    assert patches[place.at] == b"\xff" * 4


def test_the_keyframe_table_holds_what_was_counted() -> None:
    tally = Tally(2)
    tally.keys += [(0, 1000, 1), (1 << 33, 1 << 34, 2)]
    table = keyframe_table(tally)
    mfra = next(boxes(table, 0, len(table)))
    tfra, mfro = boxes(table, mfra.body, mfra.end)
    assert struct.unpack_from(">IIII", table, tfra.body) == (1 << 24, 2, 0, 2)
    rows = [struct.unpack_from(">QQBBB", table, tfra.body + 16 + 19 * n) for n in range(2)]
    assert rows == [(0, 1000, 1, 1, 1), (1 << 33, 1 << 34, 2, 1, 1)]
    assert struct.unpack_from(">I", table, mfro.body + 4) == (len(table),)


def test_sound_alone_is_no_video(fragments: list[Fragment]) -> None:
    with pytest.raises(BoxError, match="no video track"):
        parse_init(fragments[0].init.data.replace(b"vide", b"soun"))


def test_a_trun_may_not_claim_more_samples_than_it_holds(fragments: list[Fragment]) -> None:
    data = from_keyframe(fragments, 0)[0].data
    moof = next(boxes(data, 0, len(data)))
    at = data.index(b"trun") + 8
    sizes_are_listed = data[at - 4 : at - 2] + bytes([data[at - 2] | 0x02, data[at - 1]])
    damaged = data[: at - 4] + sizes_are_listed + b"\xff\xff\xff\xff" + data[at + 4 :]
    with pytest.raises(BoxError):
        parse_moof(damaged, moof, parse_init(fragments[0].init.data).tracks)


@given(data=st.data())
def test_damage_is_only_ever_a_box_error(fragments: list[Fragment], data: st.DataObject) -> None:
    for whole in (fragments[0].init.data, fragments[0].data, wide_init()):
        damaged = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
        for _ in range(data.draw(st.integers(0, 8))):
            if damaged:
                damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
        with contextlib.suppress(BoxError):
            parse_init(bytes(damaged))
        with contextlib.suppress(BoxError):
            parse_moof(bytes(damaged), Box(b"moof", 0, 8, len(damaged)), {1: TrackHead(1, True, 15_360)})
