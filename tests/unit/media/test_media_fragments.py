import contextlib
import itertools
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import clips

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import Fragment, base_times, rebased
from livecam_nvr.media.fragments import FragmentReader

KINDS = ["h264", "hevc", "sound", "b_frames", "two_frames", "gop_a_fragment"]


def reader() -> FragmentReader:
    return FragmentReader(itertools.count(), lambda time_s, duration_s: (time_s, round((duration_s or 0) * 1e9)))


def read(data: bytes, *cuts: int) -> tuple[FragmentReader, list[Fragment]]:
    """Feeds `data` in pieces that end at `cuts`."""
    taker = reader()
    borders = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return taker, [f for begin, end in itertools.pairwise(borders) for f in taker.feed(data[begin:end])]


def told(fragments: list[Fragment]) -> list[tuple[object, ...]]:
    """Everything but the init segment, which is compared by identity."""
    return [tuple(fragment)[1:] for fragment in fragments]


def first_moof(data: bytes) -> int:
    return data.index(b"moof") - 4


def test_one_frame_a_fragment(streams: dict[str, bytes]) -> None:
    taker, fragments = read(streams["h264"])
    assert taker.init is not None
    video = taker.init.video
    assert (video.kind, video.width, video.height, video.track_id) == ("video", 320, 180, 1)
    assert [f.number for f in fragments] == list(range(60))
    assert [f.number for f in fragments if f.keyframe] == [0, 15, 30, 45]
    assert {f.frames for f in fragments} == {1}
    assert {f.duration for f in fragments} == {video.timescale // 15}
    assert [f.time for f in fragments] == [n * video.timescale // 15 for n in range(60)]
    assert fragments[30].arrived_s == fragments[30].time_s == 2.0
    assert {f.init for f in fragments} == {taker.init}


@pytest.mark.parametrize("kind", KINDS)
def test_init_and_fragments_are_the_streams_own_bytes(streams: dict[str, bytes], kind: str) -> None:
    data = streams[kind]
    taker, fragments = read(data)
    assert taker.init is not None
    begin = first_moof(data)
    assert len(taker.init.data) == begin
    if kind != "hevc":
        assert taker.init.data == data[:begin]
    whole = b"".join(f.data for f in fragments)
    assert data[begin:].startswith(whole)
    assert b"moof" not in data[begin + len(whole) :]


@pytest.mark.parametrize(
    ("kind", "fragments", "frames"),
    [("hevc", 30, 1), ("b_frames", 30, 1), ("gop_a_fragment", 2, 15)],
)
def test_frames_in_fragments(streams: dict[str, bytes], kind: str, fragments: int, frames: int) -> None:
    found = read(streams[kind])[1]
    assert len(found) == fragments
    assert {f.frames for f in found} == {frames}
    assert [f.time for f in found if f.keyframe] == [found[0].time, found[0].time + found[0].init.video.timescale]


def test_several_frames_in_a_fragment(streams: dict[str, bytes]) -> None:
    found = read(streams["two_frames"])[1]
    assert sum(f.frames for f in found) == 30
    assert {2} <= {f.frames for f in found} <= {1, 2}
    scale = found[0].init.video.timescale
    assert all(f.duration == f.frames * scale // 15 for f in found)
    assert all(b.time == a.time + a.duration for a, b in itertools.pairwise(found))
    assert [n for n, f in enumerate(found) if f.keyframe] == [0], "the other one is second in its fragment"


def test_decode_times_of_b_frames_grow_evenly(streams: dict[str, bytes]) -> None:
    found = read(streams["b_frames"])[1]
    assert {b.time - a.time for a, b in itertools.pairwise(found)} == {found[0].init.video.timescale // 15}


def test_sound(streams: dict[str, bytes]) -> None:
    taker, found = read(streams["sound"])
    assert taker.init is not None
    assert [(t.kind, t.timescale) for t in taker.init.tracks][1] == ("audio", 48_000)
    assert taker.init.mime.endswith(',mp4a.40.2"')
    alone = [f for f in found if not f.frames]
    assert alone, "there are fragments of sound alone"
    assert not any(f.keyframe or f.duration for f in alone)
    assert sum(f.frames for f in found) == 30
    sounding = [t for f in found for t in f.tracks if t.track_id == 2]
    assert sum(t.duration for t in sounding) >= 2 * 48_000
    scale = taker.init.video.timescale
    for fragment in alone:
        assert fragment.time == fragment.tracks[0].time * scale // 48_000


def test_a_whole_fragment_is_taken_without_a_copy(streams: dict[str, bytes]) -> None:
    fragments = read(streams["h264"])[1]
    taker = reader()
    taker.feed(streams["h264"][: first_moof(streams["h264"])])
    for fragment in fragments:
        (again,) = taker.feed(fragment.data)
        assert again.data is fragment.data


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "gop_a_fragment"])
def test_byte_by_byte(streams: dict[str, bytes], kind: str) -> None:
    data = streams[kind][: first_moof(streams[kind]) + 30_000]
    taker = reader()
    found = [f for at in range(len(data)) for f in taker.feed(data[at : at + 1])]
    assert found
    assert told(found) == told(read(data)[1])


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(KINDS), cuts=st.lists(st.integers(0, 1 << 20), max_size=30))
def test_chunks_make_no_difference(streams: dict[str, bytes], kind: str, cuts: list[int]) -> None:
    whole, pieces = read(streams[kind]), read(streams[kind], *cuts)
    assert told(whole[1]) == told(pieces[1])
    assert whole[0].init is not None
    assert pieces[0].init is not None
    assert whole[0].init.data == pieces[0].init.data


@pytest.mark.parametrize("kind", ["h264", "hevc", "b_frames"])
def test_the_usual_layout_and_any_other_are_read_alike(streams: dict[str, bytes], kind: str) -> None:
    """A `free` box in each `moof` keeps the reader from its shortcut."""
    plain = read(streams[kind])[1]
    taker = reader()
    taker.feed(streams[kind][: first_moof(streams[kind])])
    for fragment in plain:
        data = fragment.data
        moof = int.from_bytes(data[:4], "big")
        other = (moof + 8).to_bytes(4, "big") + data[4:moof] + b"\0\0\0\x08free" + data[moof:]
        (found,) = taker.feed(other)
        assert (found.time, found.duration, found.frames, found.keyframe) == (
            fragment.time,
            fragment.duration,
            fragment.frames,
            fragment.keyframe,
        )
        assert found.tracks == fragment.tracks


def attempt(data: bytes) -> None:
    """Reads what may be damaged; only the error for it may come, and soon."""
    began = time.process_time()
    with contextlib.suppress(LivecamError):
        read(data, len(data) // 3, len(data) // 2)
    assert time.process_time() - began < 2.0


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 1 << 32), flips=st.integers(1, 8), boxes=st.booleans())
def test_damaged_bytes_are_an_error_and_nothing_worse(
    streams: dict[str, bytes], kind: str, seed: int, flips: int, boxes: bool
) -> None:
    chance = random.Random(seed)
    data = bytearray(streams[kind])
    # Either in the first kilobytes, where the structure is, or anywhere.
    reach = first_moof(streams[kind]) + 200 if boxes else len(data)
    for _ in range(flips):
        data[chance.randrange(reach)] = chance.randrange(256)
    attempt(bytes(data))


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(KINDS), keep=st.floats(0, 1), lost=st.integers(1, 5000))
def test_lost_bytes_are_an_error_and_nothing_worse(
    streams: dict[str, bytes], kind: str, keep: float, lost: int
) -> None:
    data = streams[kind]
    at = int(keep * len(data))
    attempt(data[:at] + data[at + lost :])
    attempt(data[:at])


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_at_all(data: bytes) -> None:
    attempt(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\0\0\0\0moov", "claims 0 bytes"),
        (b"\0\0\0\x01mdat" + bytes(16), "claims 1 bytes"),
        (b"\xff\xff\xff\xffmdat", "claims 4294967295 bytes"),
        (b"HTTP/1.1 404 Not Found\r\n", "claims"),
        (b"\0\0\0\x08moof\0\0\0\x08free", "moof is followed by b'free'"),
        (b"\0\0\0\x08moof\0\0\0\x08mdat", "before the moov"),
        (b"\0\0\0\x08moov", "no video track"),
        (b"\0\0\0\x10moov\0\0\0\x40trak", "does not fit"),
        (b"\0\0\0\x10moov\0\0\0\x08trak", "a track lacks"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, reason: str) -> None:
    with pytest.raises(LivecamError, match=reason) as caught:
        reader().feed(data)
    assert caught.value.kind is ErrorKind.MEDIA


def test_sound_alone_is_no_stream(tmp_path: Path) -> None:
    clip = tmp_path / "sound.mp4"
    clips.run(
        *("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac"),
        *clips.FRAGMENTED,
        str(clip),
    )
    with pytest.raises(LivecamError, match="no video track"):
        read(clip.read_bytes())


@pytest.mark.parametrize("kind", ["h264", "hevc", "sound", "b_frames"])
def test_a_stream_cut_at_a_keyframe_and_rebased_plays_from_zero(
    streams: dict[str, bytes], kind: str, tmp_path: Path
) -> None:
    taker, fragments = read(streams[kind])
    assert taker.init is not None
    second = [n for n, f in enumerate(fragments) if f.keyframe][1]
    bases = base_times(fragments[second])
    file = tmp_path / "cut.mp4"
    file.write_bytes(taker.init.data + b"".join(piece for f in fragments[second:] for piece in rebased(f, bases)))
    found = clips.probe(file)
    assert found["packets"] == sum(f.frames for f in fragments[second:])
    assert float(str(found["start_time"])) < 0.2
    clips.run("ffmpeg", "-v", "error", "-xerror", "-i", str(file), "-f", "null", "-")


@pytest.mark.parametrize("kind", ["h264", "b_frames", "sound"])
def test_times_that_cannot_be_true_are_put_right_in_the_bytes_too(
    streams: dict[str, bytes], kind: str, tmp_path: Path
) -> None:
    data = streams[kind]
    whole = read(data)[1]
    taker = reader()
    taker.feed(data[: first_moof(data)])
    found: list[Fragment] = []
    for number, fragment in enumerate(whole):
        unit = bytearray(fragment.data)
        for track in fragment.tracks:
            if number > len(whole) // 2:  # somebody has set the camera's clock
                scale = next(t.timescale for t in fragment.init.tracks if t.track_id == track.track_id)
                late = track.time + 3600 * scale
                unit[track.tfdt_at : track.tfdt_at + track.tfdt_size] = late.to_bytes(track.tfdt_size, "big")
        found += taker.feed(bytes(unit))
    assert [f.time for f in found] == [f.time for f in whole]
    assert [f.data for f in found] == [f.data for f in whole]


def test_frames_that_came_at_one_time_are_as_long_as_they_took_to_arrive(streams: dict[str, bytes]) -> None:
    data = streams["h264"]
    now_s = 0.0
    taker = FragmentReader(itertools.count(), lambda _time, _duration: (now_s, 0), lambda: now_s)
    taker.feed(data[: first_moof(data)])
    found: list[Fragment] = []
    for number, fragment in enumerate(read(data)[1]):
        now_s = number / 15
        unit = bytearray(fragment.data)
        unit[48:52] = (1).to_bytes(4, "big")
        unit[72:80] = number.to_bytes(8, "big")
        found += taker.feed(bytes(unit))
    assert taker.init is not None
    scale = taker.init.video.timescale
    assert found[-1].time_s == pytest.approx(59 / 15, abs=0.2)
    # What the bytes say is what the fragments say.
    again = read(taker.init.data + b"".join(f.data for f in found))[1]
    assert [(f.time, f.duration) for f in again] == [(f.time, f.duration) for f in found]
    assert found[40].duration == pytest.approx(scale / 15, rel=0.1)
