"""Pictures of stored keyframes, by a real ffmpeg: shared, cached within a bound, given up when nobody waits."""

import asyncio
from pathlib import Path

import pytest
from fakes.storage_fragments import make_clip, read_clip
from support.waiting import until

from livecam_nvr.core.past import Keyframe
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media.past_pictures import DecodedPast


@pytest.fixture(scope="module")
def keyframes(tmp_path_factory: pytest.TempPathFactory) -> list[Keyframe]:
    fragments = read_clip(make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", "h264", 6))
    return [Keyframe(one.init.data + one.data, one.utc_ns) for one in fragments if one.keyframe]


def decoders() -> int:
    """How many ffmpegs this process has started that still run."""
    children = Path(f"/proc/self/task/{Path('/proc/thread-self').resolve().name}/children").read_text().split()
    found = 0
    for child in children:
        try:
            found += b"ffmpeg" in Path(f"/proc/{child}/cmdline").read_bytes()
        except OSError:
            continue
    return found


async def test_one_picture_for_all_who_ask_at_once(keyframes: list[Keyframe]) -> None:
    past = DecodedPast()
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, decoders())
            await asyncio.sleep(0.005)

    watching = asyncio.create_task(watch())
    asked = [past.jpeg("cam0", keyframes[n % 5], max_height=90) for n in range(25)]
    pictures = await asyncio.gather(*asked)
    watching.cancel()
    assert most <= 2
    assert all(picture.startswith(b"\xff\xd8") for picture in pictures)
    assert len(set(pictures)) == 5
    # The same bytes object: it was decoded once, and comes from memory now.
    assert all(pictures[n] is pictures[n % 5] for n in range(25))
    assert await past.jpeg("cam0", keyframes[2], max_height=90) is pictures[2]
    assert await past.jpeg("cam0", keyframes[2], max_height=None) != pictures[2]
    await past.stop()


async def test_the_cache_has_a_bound(keyframes: list[Keyframe]) -> None:
    first = await DecodedPast().jpeg("cam0", keyframes[0], max_height=90)
    past = DecodedPast(cache_bytes=int(len(first) * 2.5))
    pictures = [await past.jpeg("cam0", keyframe, max_height=90) for keyframe in keyframes[:3]]
    assert await past.jpeg("cam0", keyframes[2], max_height=90) is pictures[2]
    assert await past.jpeg("cam0", keyframes[0], max_height=90) is not pictures[0]


async def being_made(keyframes: list[Keyframe]) -> tuple[DecodedPast, list[asyncio.Task[bytes]]]:
    """Pictures that somebody waits for, and that a decoder makes right now."""
    while True:
        past = DecodedPast()
        asked = [asyncio.create_task(past.jpeg("cam0", keyframe)) for keyframe in keyframes]
        await until(lambda asked=asked: decoders() > 0 or asked[0].done(), "a decoder")
        if not asked[0].done():  # else this machine has slept through it
            return past, asked
        await asyncio.gather(*asked)


async def test_what_nobody_waits_for_is_given_up(keyframes: list[Keyframe]) -> None:
    past, asked = await being_made(keyframes)
    for task in asked:
        task.cancel()
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    await until(lambda: decoders() == 0, "the decoders to end")
    # One of two leaves: the other one gets it.
    leaver, stayer = (asyncio.create_task(past.jpeg("cam0", keyframes[0])) for _ in range(2))
    await asyncio.sleep(0)
    leaver.cancel()
    assert (await stayer).startswith(b"\xff\xd8")
    # A stop ends what is being made, and whoever waits is told so.
    past, (waiter,) = await being_made(keyframes[1:2])
    await past.stop()
    with pytest.raises(LivecamError) as caught:
        await waiter
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert decoders() == 0


async def test_a_picture_that_is_damaged(keyframes: list[Keyframe]) -> None:
    past = DecodedPast()
    whole = keyframes[0].data
    for data in (whole[:-500], whole[:900]):
        with pytest.raises(LivecamError) as caught:
            await past.jpeg("cam0", Keyframe(data, 1))
        assert caught.value.kind is ErrorKind.MEDIA
    assert (await past.jpeg("cam0", keyframes[0])).startswith(b"\xff\xd8")
