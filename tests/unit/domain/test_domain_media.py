import itertools

import pytest
from fakes.core_stream import SOUND, VIDEO, make_fragment, make_init
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.domain.media import Fragment, TrackFragment, base_times, rebased


def with_times(*tracks: tuple[int, int, int], media: bytes = b"\xaa" * 50) -> Fragment:
    """A fragment with (track id, size of its tfdt field, time) and recognizable bytes around the times."""
    data, found = b"moof", []
    for track_id, size, time in tracks:
        data += b"<tfdt"
        found.append(TrackFragment(track_id, len(data), size, time, 40, 1))
        data += time.to_bytes(size, "big") + b">"
    video = next(time for track_id, _, time in tracks if track_id == VIDEO.track_id)
    return make_fragment(
        make_init(VIDEO, SOUND), data=data + b"mdat" + media, tracks=tuple(found), time=video, keyframe=True
    )


def joined(fragment: Fragment, bases: dict[int, int]) -> bytes:
    return b"".join(rebased(fragment, bases))


def test_base_times_are_the_videos_moment_in_each_tracks_ticks() -> None:
    assert base_times(with_times((1, 8, 90_500), (2, 8, 7))) == {1: 90_500, 2: 90_500 * 48}


@pytest.mark.parametrize("size", [4, 8])
def test_decode_times_are_lowered_in_place(size: int) -> None:
    fragment = with_times((1, size, 5000), (2, size, 240_960))
    assert joined(fragment, base_times(fragment)) == (
        b"moof<tfdt" + bytes(size) + b"><tfdt" + (960).to_bytes(size, "big") + b">mdat" + b"\xaa" * 50
    )


def test_large_times_keep_all_their_bits() -> None:
    fragment = with_times((1, 8, (1 << 60) + 5), (2, 8, 0))
    assert joined(fragment, {1: 2}) == fragment.data.replace(
        ((1 << 60) + 5).to_bytes(8, "big"), ((1 << 60) + 3).to_bytes(8, "big")
    )


def test_sound_from_before_the_first_picture_is_moved_onto_it() -> None:
    fragment = with_times((1, 8, 5000), (2, 8, 239_000))
    bases = base_times(fragment)
    assert bases[2] > 239_000
    assert joined(fragment, bases) == joined(with_times((1, 8, 0), (2, 8, 0)), {})


def test_media_bytes_are_not_copied() -> None:
    fragment = with_times((1, 8, 5000), (2, 4, 240_000), media=b"m" * 10_000)
    views = [piece for piece in rebased(fragment, base_times(fragment)) if isinstance(piece, memoryview)]
    assert all(view.obj is fragment.data for view in views)
    assert sum(len(view) for view in views) == len(fragment.data) - 12


@given(
    times=st.lists(st.integers(0, (1 << 32) - 1), min_size=1, max_size=5),
    base=st.integers(0, 1 << 33),
    size=st.sampled_from([4, 8]),
)
def test_nothing_but_the_times_changes_and_those_never_go_below_zero(
    times: list[int], base: int, size: int
) -> None:
    tracks = [(n + 1, size, time) for n, time in enumerate(times)]
    fragment = with_times(*tracks)
    out = joined(fragment, dict.fromkeys(range(1, 6), base))
    assert len(out) == len(fragment.data)
    for track in fragment.tracks:
        written = int.from_bytes(out[track.tfdt_at : track.tfdt_at + size], "big")
        assert written == max(0, track.time - base)
    borders = [0, *itertools.chain(*((t.tfdt_at, t.tfdt_at + size) for t in fragment.tracks)), len(out)]
    for begin, end in zip(borders[::2], borders[1::2], strict=True):
        assert out[begin:end] == fragment.data[begin:end]


def test_an_init_segment_names_its_codecs() -> None:
    init = make_init(SOUND, VIDEO)
    assert init.mime == 'video/mp4; codecs="mp4a.40.2,avc1.42c01f"'
    assert init.video is VIDEO


def test_streams_are_told_apart_by_identity() -> None:
    assert make_init() != make_init()
    assert make_fragment(time=1500).time_s == 1.5
