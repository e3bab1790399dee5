import asyncio
import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import clips
from support.waiting import until

from livecam_nvr.config import models
from livecam_nvr.domain.media import Fragment
from livecam_nvr.media.fragments import FragmentReader
from livecam_nvr.media.mjpeg import MpjpegParts
from livecam_nvr.media.parameter_sets import FormatWatch, find_sps
from livecam_nvr.media.progress import Progress
from livecam_nvr.media.sources import source


def fragments_of(path: Path) -> list[Fragment]:
    reader = FragmentReader(iter(range(10_000)), lambda _time, _duration: (0.0, 0))
    return reader.feed(path.read_bytes())


def in_band(folder: Path, codec: str, *sizes: str) -> list[Fragment]:
    """Clips one after the other in one stream, as a camera sends them: each keyframe with its parameter sets."""
    encoders = {
        "h264": ("libx264", "-x264-params", "repeat-headers=1:keyint=5:log=-1"),
        "hevc": ("libx265", "-x265-params", "repeat-headers=1:keyint=5:bframes=0:log-level=none"),
    }
    raw = folder / f"raw.{codec}"
    with raw.open("wb") as out:
        for number, size in enumerate(sizes):
            part = folder / f"{number}.{codec}"
            clips.run(
                *("ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"testsrc2=size={size}:rate=15:duration=0.6"),
                *("-c:v", *encoders[codec], "-tune", "zerolatency", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
                *("-f", codec, str(part)),
            )
            out.write(part.read_bytes())
    muxed = folder / "stream.mp4"
    clips.run(
        *("ffmpeg", "-v", "error", "-f", codec, "-r", "15", "-i", str(raw), "-c", "copy", *clips.FRAGMENTED),
        str(muxed),
    )
    return fragments_of(muxed)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_change_of_size_is_noticed_at_its_keyframe(tmp_path: Path, codec: str) -> None:
    fragments = in_band(tmp_path, codec, "320x180", "640x360")
    assert len(fragments) == 18
    watch = FormatWatch()
    changes = [n for n, fragment in enumerate(fragments) if watch.changed(fragment)]
    assert changes[0] == 9
    assert fragments[9].keyframe


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_the_same_format_again_is_no_change(tmp_path: Path, codec: str) -> None:
    fragments = in_band(tmp_path, codec, "320x180", "320x180")
    assert [f for f in fragments if f.keyframe and find_sps(f) is None] == []
    watch = FormatWatch()
    assert not any(watch.changed(fragment) for fragment in fragments)


def test_parameter_sets_that_are_not_in_band_are_no_change(fragmented_clip: Path) -> None:
    watch = FormatWatch()
    fragments = fragments_of(fragmented_clip)
    assert not any(watch.changed(fragment) for fragment in fragments)


@given(cut=st.integers(0, 400), junk=st.binary(max_size=50))
def test_a_damaged_picture_is_no_error(fragmented_clip: Path, cut: int, junk: bytes) -> None:
    keyframe = fragments_of(fragmented_clip)[0]
    find_sps(keyframe._replace(data=keyframe.data[:cut] + junk))


def mpjpeg(*pictures: bytes) -> bytes:
    parts = (
        b"--ffmpeg\r\nContent-type: image/jpeg\r\nContent-length: %d\r\n\r\n%s\r\n" % (len(one), one)
        for one in pictures
    )
    return b"".join(parts)


@given(
    pictures=st.lists(st.binary(max_size=60) | st.just(b"\r\n\r\nContent-length: 3\r\n\r\n"), max_size=6),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_pictures_are_told_apart_however_they_come(pictures: list[bytes], cuts: list[int]) -> None:
    got: list[bytes] = []
    parts = MpjpegParts(got.append)
    data = mpjpeg(*pictures)
    borders = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for begin, end in itertools.pairwise(borders):
        parts.feed(data[begin:end])
    assert got == pictures


async def test_dropped_frames_are_read_from_ffmpegs_progress() -> None:
    reading, writing = os.pipe()
    progress = Progress()
    await progress.read(reading)
    for chunk in (b"frame=10\ndrop_fra", b"mes=3\nspeed=1.0x\ndrop_frames=N/A\n", b"drop_frames=7\n"):
        os.write(writing, chunk)
    await until(lambda: progress.dropped == 7)
    os.close(writing)
    await asyncio.sleep(0)
    progress.close()
    progress.close()


def test_closing_what_never_ran_is_harmless() -> None:
    Progress().close()


def test_a_files_path_is_no_option_and_no_address_to_ffmpeg() -> None:
    for path in ("-y.mp4", "http:x.mp4", "relative.mp4"):
        url = source(models.FileCamera(id="c", kind="file", path=Path(path))).url
        assert url == f"file:{Path.cwd() / path}"


def test_a_tiny_test_camera_has_a_tiny_barcode() -> None:
    filters = source(models.TestCamera(id="c", kind="test", size="20x20")).filters
    assert {dict(arguments)["w"] for name, arguments in filters if name == "drawbox"} == {"24", "1"}
