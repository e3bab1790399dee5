import itertools
import re
from pathlib import Path

import pytest
from support import clips

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.media import InitSegment
from livecam_nvr.media.boxes import children, find, name_hvc1, parse_moov
from livecam_nvr.media.fragments import FragmentReader

H264_PROFILES = {
    "Constrained Baseline": (0x42, 0xC0),
    "Baseline": (0x42, 0x00),
    "Main": (0x4D, 0x00),
    "High": (0x64, 0x00),
}


def init_of(data: bytes) -> InitSegment:
    reader = FragmentReader(itertools.count(), lambda _time, _duration: (0.0, 0))
    reader.feed(data)
    assert reader.init is not None
    return reader.init


def moov_of(data: bytes) -> bytes:
    begin, end = find(data, 0, len(data), b"moov") or (0, 0)
    return data[begin - 8 : end]


@pytest.mark.parametrize(
    ("profile", "level"), [("baseline", "1.3"), ("baseline", "3"), ("main", "3.1"), ("high", "4"), ("high", "5.1")]
)
def test_h264_codec_string_is_what_ffprobe_says(tmp_path: Path, profile: str, level: str) -> None:
    options = ("-preset", "medium", "-profile:v", profile, "-level", level, *clips.FRAGMENTED)
    clip = clips.make(tmp_path / "clip.mp4", seconds=0.4, extra=options)
    said = clips.probe(clip)
    idc, constraints = H264_PROFILES[str(said["profile"])]
    codec = init_of(clip.read_bytes()).video.codec
    assert re.fullmatch(r"avc1\.[0-9a-f]{6}", codec)
    assert int(codec[5:7], 16) == idc
    assert int(codec[7:9], 16) & 0xC0 == constraints & 0xC0 or profile != "baseline"
    assert int(codec[9:11], 16) == int(str(said["level"]))


def test_h265_codec_string_is_what_ffprobe_says(streams: dict[str, bytes], tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(streams["hevc"])
    said = clips.probe(clip)
    assert said["profile"] == "Main"
    codec = init_of(streams["hevc"]).video.codec
    assert re.fullmatch(r"hvc1\.1\.6\.L\d+\.[0-9A-F]+(\.[0-9A-F]+)*", codec), codec
    assert f".L{said['level']}." in codec


def test_h265_is_named_as_apples_players_want_it(streams: dict[str, bytes], tmp_path: Path) -> None:
    data = streams["hevc"]
    assert b"hev1" in data[:2000], "ffmpeg calls it hev1"
    init = init_of(data)
    assert b"hev1" not in init.data
    again = tmp_path / "again.mp4"
    again.write_bytes(init.data + data[len(init.data) :])
    said = clips.probe(again)
    assert (said["codec_tag_string"], said["packets"]) == ("hvc1", 30)
    clips.run("ffmpeg", "-v", "error", "-xerror", "-i", str(again), "-f", "null", "-")


def test_h265_without_parameter_sets_in_front_keeps_its_name(streams: dict[str, bytes]) -> None:
    moov = bytearray(moov_of(streams["hevc"]))
    at = moov.index(b"hvcC") + 4 + 22
    assert moov[at] >= 3
    moov[at] = 0
    assert name_hvc1(bytes(moov)) == moov


def test_other_codecs_are_left_alone(streams: dict[str, bytes]) -> None:
    for kind in ("h264", "sound"):
        moov = moov_of(streams[kind])
        assert name_hvc1(moov) == moov


@pytest.mark.parametrize(
    ("encoder", "codec"), [("mpeg4", "mp4v"), ("libvpx-vp9", "vp09"), ("mpeg2video", "mp4v"), ("mjpeg", "mp4v")]
)
def test_codecs_that_cannot_be_played_are_named_at_least(tmp_path: Path, encoder: str, codec: str) -> None:
    extra = ("-c:v", encoder, "-pix_fmt", "yuvj420p" if encoder == "mjpeg" else "yuv420p")
    clip = tmp_path / "clip.mp4"
    clips.run(
        *("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=0.2"),
        *extra,
        *clips.FRAGMENTED,
        str(clip),
    )
    data = clip.read_bytes()
    begin, end = find(data, 0, len(data), b"moov") or (0, 0)
    (track,) = parse_moov(data, begin, end)
    assert (track.codec, track.width, track.height) == (codec, 320, 180)


@pytest.mark.parametrize(("encoder", "codec"), [("aac", "mp4a.40.2"), ("libopus", "opus")])
def test_sound_codecs(tmp_path: Path, encoder: str, codec: str) -> None:
    clip = tmp_path / "clip.mp4"
    clips.run(
        *("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=0.2:sample_rate=48000", "-c:a", encoder),
        *clips.FRAGMENTED,
        str(clip),
    )
    data = clip.read_bytes()
    (track,) = parse_moov(data, *(find(data, 0, len(data), b"moov") or (0, 0)))
    assert (track.kind, track.codec, track.timescale) == ("audio", codec, 48_000)


def test_boxes_with_long_sizes() -> None:
    data = b"\0\0\0\x01free" + (20).to_bytes(8, "big") + b"1234" + b"\0\0\0\x09skip5"
    assert list(children(data, 0, len(data))) == [(b"free", 16, 20), (b"skip", 28, 29)]


@pytest.mark.parametrize("data", [b"\0\0\0\x09free", b"\0\0\0\x07free", b"\0\0\0\x01free" + bytes(8)])
def test_boxes_that_do_not_fit_are_an_error(data: bytes) -> None:
    with pytest.raises(LivecamError, match="does not fit"):
        list(children(data, 0, len(data)))
