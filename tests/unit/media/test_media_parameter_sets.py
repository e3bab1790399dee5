import functools
import itertools
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import clips
from support.rtsp_films import film

from livecam_nvr.domain.media import Fragment, InitSegment
from livecam_nvr.media.fragments import FragmentReader
from livecam_nvr.media.parameter_sets import restated
from livecam_nvr.media.sps import DamagedError, parse_sps

SIZES = ["320x180", "640x360", "1920x1080", "98x66"]
SPS_AT = {"h264": 0, "h265": 1}


def fragments_of(data: bytes) -> list[Fragment]:
    return FragmentReader(itertools.count(), lambda time_s, _: (time_s, 0)).feed(data)


def stream(codec: str, folder: Path, *sizes: str) -> list[bytes]:
    """Each film, and all of them one after the other: parameter sets in front of every keyframe."""
    streams = []
    for size in sizes:
        shown = film(codec, size=size, seconds=0.4, gop=3)
        raw = b"".join(
            b"\0\0\0\1" + nal
            for shot in shown.shots
            for nal in ((*shown.sets, *shot.nals) if shot.keyframe else shot.nals)
        )
        streams.append(raw)
    return [fragmented(codec, folder, raw) for raw in (*streams, b"".join(streams))]


def fragmented(codec: str, folder: Path, annex_b: bytes) -> bytes:
    name = "hevc" if codec == "h265" else "h264"
    raw, path = folder / f"raw.{name}", folder / "stream.mp4"
    raw.write_bytes(annex_b)
    clips.run(
        *("ffmpeg", "-v", "error", "-y", "-f", name, "-r", "15", "-i", str(raw), "-c", "copy"),
        *(*clips.FRAGMENTED, str(path)),
    )
    return path.read_bytes()


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("size", SIZES)
def test_the_size_of_the_pictures(codec: str, size: str) -> None:
    sps = parse_sps(film(codec, size=size, seconds=0.4, gop=3).sets[SPS_AT[codec]], hevc=codec == "h265")
    assert f"{sps.width}x{sps.height}" == size
    assert (sps.chroma, sps.luma_bits, sps.chroma_bits) == (1, 8, 8)


@pytest.mark.parametrize(
    ("codec", "extra", "chroma", "bits"),
    [
        ("h264", ("-pix_fmt", "yuv444p"), 3, 8),
        ("h264", ("-pix_fmt", "yuv422p10le"), 2, 10),
        ("h264", ("-x264-params", "cqm=jvt"), 1, 8),
        ("h265", ("-pix_fmt", "yuv420p10le"), 1, 10),
        ("h265", ("-x265-params", "temporal-layers=3:log-level=none"), 1, 8),
    ],
)
def test_kinds_of_parameter_sets(codec: str, extra: tuple[str, ...], chroma: int, bits: int) -> None:
    shown = film(codec, size="324x182", seconds=0.4, gop=3, extra=extra)
    sps = parse_sps(shown.sets[SPS_AT[codec]], hevc=codec == "h265")
    assert (sps.width, sps.height, sps.chroma, sps.luma_bits) == (324, 182, chroma, bits)


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_stream_that_changes_is_described_as_if_it_had_begun_there(tmp_path: Path, codec: str) -> None:
    small, large, both = (fragments_of(data) for data in stream(codec, tmp_path, "320x180", "640x360"))
    inits = [init for init, _ in itertools.groupby(fragment.init for fragment in both)]
    assert [init.tracks for init in inits] == [small[0].init.tracks, large[0].init.tracks]
    assert [f.init for f in both].index(inits[1]) == len(small)
    assert both[len(small)].keyframe
    new, old = (film(codec, size=size, seconds=0.4, gop=3).sets[SPS_AT[codec]] for size in ("640x360", "320x180"))
    assert new in inits[1].data
    assert old not in inits[1].data
    path = tmp_path / "second.mp4"
    path.write_bytes(inits[1].data + b"".join(f.data for f in both if f.init is inits[1]))
    assert clips.probe(path)["width"] == 640
    assert clips.run("ffmpeg", "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-") == b""


def test_the_depth_of_the_pictures_is_described(tmp_path: Path) -> None:
    deep = film("h264", seconds=0.4, gop=3, extra=("-pix_fmt", "yuv422p10le"))
    raw = b"".join(b"\0\0\0\1" + nal for shot in deep.shots for nal in (*deep.sets, *shot.nals))
    init = fragments_of(fragmented("h264", tmp_path, raw))[0].init
    other = fragments_of(stream("h264", tmp_path, "320x180")[0])[0]
    found = restated(other.init, moof_with(deep.sets, deep.shots[0].picture), first=True)
    assert found is not None
    assert found.tracks == init.tracks
    at = init.data.index(deep.sets[1]) + len(deep.sets[1])
    depth = b"\xfe\xfa\xfa\x00"  # 4:2:2, 10 and 10 bits, no extensions
    assert depth in init.data[at : at + 5]
    assert deep.sets[1] + depth in found.data


def test_later_the_picture_parameter_sets_alone_are_no_reason() -> None:
    shown = film("h264", seconds=0.4, gop=3)
    sps, pps = shown.sets
    keyframe = moof_with((sps, pps + b"\1"), shown.shots[0].picture)
    assert restated(described("h264"), keyframe, first=False) is None
    assert restated(described("h264"), keyframe, first=True) is not None


@functools.cache
def described(codec: str) -> InitSegment:
    with tempfile.TemporaryDirectory() as folder:
        return fragments_of(stream(codec, Path(folder), "320x180")[0])[0].init


def moof_with(*groups: Sequence[bytes]) -> bytes:
    """A fragment's bytes, as far as they are looked at."""
    nals = b"".join(len(nal).to_bytes(4, "big") + nal for group in groups for nal in group)
    return b"\0\0\0\x08moof" + (len(nals) + 8).to_bytes(4, "big") + b"mdat" + nals


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_what_describes_nothing_new_changes_nothing(tmp_path: Path, codec: str) -> None:
    shown, other = (film(codec, size=size, seconds=0.4, gop=3) for size in ("320x180", "640x360"))
    init = fragments_of(stream(codec, tmp_path, "320x180")[0])[0].init
    picture = shown.shots[0].picture
    sps = other.sets[SPS_AT[codec]]
    for sets in (shown.sets, (), (b"",), other.sets[:1], (sps,), [nal[:6] for nal in other.sets]):
        assert restated(init, moof_with(sets, picture), first=True) is None
    assert restated(init, moof_with(picture, other.sets), first=True) is None
    many = [bytes((*nal, 1 + n)) for n in range(40) for nal in other.sets]
    assert restated(init, moof_with(many, picture), first=True) is None
    assert (
        restated(init, moof_with(other.sets[:-1], [other.sets[-1] + b"x" * 70_000], picture), first=True) is None
    )
    padded = [nal + b"\0\0" for nal in shown.sets]
    assert restated(init, moof_with(padded, picture), first=True) is None


def test_the_height_of_fields_is_that_of_both() -> None:
    tff = ("-x264-params", "tff=1")
    sps = parse_sps(film("h264", size="324x188", seconds=0.4, gop=3, extra=tff).sets[0], hevc=False)
    assert (sps.width, sps.height) == (324, 188)


@settings(deadline=None)
@given(seed=st.integers(0, 1 << 32), codec=st.sampled_from(["h264", "h265"]))
def test_a_keyframe_with_any_parameter_sets_is_described_or_not(seed: int, codec: str) -> None:
    shown = film(codec, seconds=0.4, gop=3)
    chance = random.Random(seed)
    sets = [bytearray(nal) for nal in shown.sets]
    for _ in range(chance.randrange(1, 6)):
        damaged = chance.choice(sets)
        damaged[chance.randrange(1, len(damaged))] = chance.randrange(256)
    init = described(codec)
    found = restated(init, moof_with([bytes(nal) for nal in sets], shown.shots[0].picture), first=True)
    assert found is None or found.video.track_id == init.video.track_id


@settings(deadline=None)
@given(seed=st.integers(0, 1 << 32), codec=st.sampled_from(["h264", "h265"]), cut=st.integers(0, 60))
def test_damaged_parameter_sets_are_refused_and_nothing_worse(seed: int, codec: str, cut: int) -> None:
    sps = bytearray(film(codec, seconds=0.4, gop=3).sets[SPS_AT[codec]])
    chance = random.Random(seed)
    for _ in range(chance.randrange(6)):
        sps[chance.randrange(len(sps))] = chance.randrange(256)
    try:
        found = parse_sps(bytes(sps[: cut or None]), hevc=codec == "h265")
    except DamagedError:
        return
    assert 0 < found.width <= 16_384
    assert 0 < found.height <= 16_384
    assert max(found.luma_bits, found.chroma_bits) <= 16
