import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support import clips
from support.live_camera import LiveCamera, MakeCamera
from support.service import command_line, descendants
from support.waiting import until

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import Fragment
from livecam_nvr.media.fragments import FragmentReader
from livecam_nvr.media.hub import CameraStreams, MemoryHub
from livecam_nvr.media.pictures import StreamPictures


@pytest.fixture
async def camera(run_camera: MakeCamera) -> LiveCamera:
    """A test camera that has just begun."""
    made = run_camera(fps=15, stall_seconds=60)
    await made.until_fragments(3)
    return made


@pytest.fixture
async def pictures(camera: LiveCamera) -> AsyncIterator[StreamPictures]:
    made = StreamPictures(CameraStreams([camera.hub, MemoryHub("away", 10)]))
    yield made
    await made.stop()


def frame_number(picture: bytes, folder: Path) -> int:
    """The number burnt into a picture of the test camera."""
    path = folder / "picture.jpg"
    path.write_bytes(picture)
    (number,) = clips.frame_numbers(path)
    return number


def size_of(picture: bytes, folder: Path) -> tuple[int, int]:
    path = folder / "picture.jpg"
    path.write_bytes(picture)
    found = clips.probe(path)
    return int(str(found["width"])), int(str(found["height"]))


def taken_as(fragment: Fragment) -> int:
    """Which frame of the test camera's first run it is, from its time."""
    return round(fragment.time_s * 15)


def decoders() -> list[int]:
    """The ffmpeg processes that make MJPEG for us."""
    return [pid for pid in descendants(os.getpid()) if "mpjpeg" in command_line(pid)]


async def test_a_snapshot_is_the_newest_keyframe_as_jpeg(
    camera: LiveCamera, pictures: StreamPictures, tmp_path: Path
) -> None:
    before = taken_as(camera.hub.newest_gop()[0])
    picture = await pictures.snapshot("cam0")
    after = taken_as(camera.hub.newest_gop()[0])
    assert (picture[:3], picture[-2:]) == (b"\xff\xd8\xff", b"\xff\xd9")
    assert size_of(picture, tmp_path) == (640, 360)
    assert before <= frame_number(picture, tmp_path) <= after


@pytest.mark.parametrize(("height", "size"), [(90, (160, 90)), (91, (162, 91)), (2000, (640, 360))])
async def test_a_snapshot_may_be_smaller_and_never_larger(
    pictures: StreamPictures, tmp_path: Path, height: int, size: tuple[int, int]
) -> None:
    picture = await pictures.snapshot("cam0", max_height=height)
    assert size_of(picture, tmp_path) == size


async def test_one_decode_serves_all_who_ask_at_once(pictures: StreamPictures, camera: LiveCamera) -> None:
    await camera.kill(signal.SIGSTOP)  # no newer keyframe comes
    await until(lambda: (camera.pipeline.camera_status().last_frame_age_s or 0) > 0.3, "what was on its way")
    small = [pictures.snapshot("cam0", max_height=90) for _ in range(15)]
    got = await asyncio.gather(*(pictures.snapshot("cam0") for _ in range(15)), *small)
    assert len({id(picture) for picture in got}) == 2
    assert await pictures.snapshot("cam0") is got[0]
    await camera.kill(signal.SIGCONT)


async def test_a_new_keyframe_is_a_new_picture(
    pictures: StreamPictures, camera: LiveCamera, tmp_path: Path
) -> None:
    first = frame_number(await pictures.snapshot("cam0"), tmp_path)
    newest = camera.hub.newest_gop()[0].number
    await until(lambda: camera.hub.newest_gop()[0].number > newest)
    assert frame_number(await pictures.snapshot("cam0"), tmp_path) > first


async def test_a_camera_without_a_picture_and_one_that_is_unknown(pictures: StreamPictures) -> None:
    with pytest.raises(LivecamError, match="no picture now") as caught:
        await pictures.snapshot("away")
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    with pytest.raises(LivecamError) as caught:
        await pictures.snapshot("nowhere")
    assert caught.value.kind is ErrorKind.NOT_FOUND
    with pytest.raises(LivecamError) as caught:
        pictures.mjpeg("nowhere")
    assert caught.value.kind is ErrorKind.NOT_FOUND


async def test_a_camera_that_went_away_has_no_picture(pictures: StreamPictures, camera: LiveCamera) -> None:
    await camera.pipeline.stop()
    with pytest.raises(LivecamError, match="no picture now"):
        await pictures.snapshot("cam0")


async def test_a_picture_that_cannot_be_decoded_is_an_error(fragmented_clip: Path) -> None:
    hub = MemoryHub("cam0", 10)
    first, *_ = FragmentReader(hub.numbers, lambda _t, _d: (0.0, 0)).feed(fragmented_clip.read_bytes())
    hub.publish(first._replace(data=first.data[:200] + bytes(len(first.data) - 200)))
    pictures = StreamPictures(CameraStreams([hub]))
    with pytest.raises(LivecamError, match="could not be decoded") as caught:
        await pictures.snapshot("cam0")
    assert caught.value.kind is ErrorKind.MEDIA


async def test_a_cancelled_snapshot_leaves_no_decoder(pictures: StreamPictures) -> None:
    snapshots = lambda: [p for p in descendants(os.getpid()) if "image2pipe" in command_line(p)]  # noqa: E731
    for height in range(90, 360):  # each one is decoded anew
        task = asyncio.create_task(pictures.snapshot("cam0", max_height=height))
        await until(lambda task=task: snapshots() or task.done())
        if not task.done():
            break
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: not snapshots())
    assert await pictures.snapshot("cam0"), "and blocks nobody"


async def test_mjpeg_begins_at_once_and_ends_with_its_last_viewer(
    pictures: StreamPictures, camera: LiveCamera, tmp_path: Path
) -> None:
    assert decoders() == []
    newest = taken_as(camera.fragments[-1])
    one, other = pictures.mjpeg("cam0"), pictures.mjpeg("cam0")
    first = await anext(one)
    assert camera.hub.viewers == 1
    numbers = [frame_number(first, tmp_path)]
    assert numbers[0] <= newest, "it does not wait for the next keyframe"
    for _ in range(12):
        both = await asyncio.gather(anext(one), anext(other))
        assert len({id(picture) for picture in both}) <= 2
        numbers.append(frame_number(both[0], tmp_path))
    assert len(decoders()) == 1
    assert numbers == sorted(numbers)
    assert len(set(numbers)) > 6
    await one.aclose()  # type: ignore[attr-defined]
    await anext(other)
    assert len(decoders()) == 1
    await other.aclose()  # type: ignore[attr-defined]
    assert decoders() == []
    assert camera.hub.viewers == 0


async def test_mjpeg_goes_on_over_a_restart_of_the_camera(
    pictures: StreamPictures, camera: LiveCamera, tmp_path: Path
) -> None:
    viewer = pictures.mjpeg("cam0")
    await anext(viewer)
    await until(lambda: camera.fragments[-1].number > 30)
    await camera.kill(signal.SIGKILL)
    await until(lambda: len(camera.started) == 2)
    last = max(taken_as(f) for f in camera.fragments if f.init is camera.fragments[0].init)
    number = before = frame_number(await anext(viewer), tmp_path)
    while before <= number <= last:  # the next run's numbers begin anew
        before, number = number, frame_number(await anext(viewer), tmp_path)
    await viewer.aclose()  # type: ignore[attr-defined]


async def test_mjpeg_goes_on_when_its_decoder_dies(pictures: StreamPictures) -> None:
    viewer = pictures.mjpeg("cam0")
    await anext(viewer)
    (pid,) = decoders()
    os.killpg(pid, signal.SIGKILL)
    await until(lambda: decoders() not in ([], [pid]), "another decoder")
    for _ in range(3):
        await anext(viewer)
    await viewer.aclose()  # type: ignore[attr-defined]


async def test_a_viewer_may_come_back(pictures: StreamPictures) -> None:
    for _ in range(2):
        viewer = pictures.mjpeg("cam0")
        assert (await anext(viewer))[:2] == b"\xff\xd8"
        await viewer.aclose()  # type: ignore[attr-defined]
        assert decoders() == []


async def test_a_viewer_that_is_cancelled_leaves_no_decoder(pictures: StreamPictures) -> None:
    async def watch() -> None:
        async for _ in pictures.mjpeg("cam0"):
            pass

    task = asyncio.create_task(watch())
    await until(decoders)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: not decoders())
