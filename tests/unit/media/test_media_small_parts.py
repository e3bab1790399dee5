import asyncio
import itertools
import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from support.waiting import until

from livecam_nvr.config import models
from livecam_nvr.media.mjpeg import MpjpegParts
from livecam_nvr.media.progress import Progress
from livecam_nvr.media.sources import source


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
