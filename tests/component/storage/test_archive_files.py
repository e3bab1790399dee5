"""Finished and growing files, as ffprobe, ffmpeg and a browser see them."""

import json
import subprocess
from pathlib import Path

import pytest
from fakes.storage_fragments import BEGAN_UTC_NS, frames, from_keyframe, start_of
from support.clips import run
from support.waiting import PATIENCE_S, until

from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import Segment
from livecam_nvr.storage.files.archive import FileArchive
from livecam_nvr.storage.files.boxes import boxes


def probe(path: Path) -> dict:
    return json.loads(
        run("ffprobe", "-v", "error", "-count_packets", "-show_format", "-show_streams", "-of", "json", str(path))
    )


async def record(archive: FileArchive, fragments: list[Fragment], cause: EndCause = EndCause.CLOCK) -> Segment:
    finished: list[Segment] = []
    failed: list[str] = []
    writer = archive.begin(start_of(fragments[0]), finished.append, failed.append)
    for fragment in fragments:
        writer.append(fragment)
    writer.finish(cause)
    await archive.flush()
    await until(lambda: finished or failed)
    assert not failed
    assert finished[0].path == writer.path
    return finished[0]


async def test_a_finished_file_is_exact(archive: FileArchive, root: Path, any_fragments: list[Fragment]) -> None:
    part = from_keyframe(any_fragments, 2)  # so that all times have to be moved
    segment = await record(archive, part)
    path = root / segment.path
    found = probe(path)
    video = next(s for s in found["streams"] if s["codec_type"] == "video")
    track = part[0].init.video
    ticks = sum(fragment.duration for fragment in part)
    assert int(video["nb_read_packets"]) == frames(part) == segment.frames == 60
    assert int(video["duration_ts"]) == ticks == 4 * track.timescale
    assert segment.duration_ns == 4_000_000_000
    longest = max(float(s["duration"]) for s in found["streams"])
    # ffprobe measures from the first track's first presentation to the last one's end.
    starts = [float(s["start_time"]) for s in found["streams"]]
    assert longest - 0.002 <= float(found["format"]["duration"]) <= longest + max(starts) + 0.002
    assert segment.bytes == path.stat().st_size == int(found["format"]["size"])
    assert video["tags"]["creation_time"] == "2026-09-21T14:13:22.000000Z"
    assert segment.start_utc_ns == part[0].utc_ns
    assert part[0].utc_ns == pytest.approx(BEGAN_UTC_NS + 2 * 10**9, abs=10**8)
    assert segment.path == "cam0/260921/cam0_20260921_151322.mp4"
    assert (segment.codec, segment.width, segment.height) == (track.codec, 320, 180)
    # Every packet's duration, the last one's too, and no gap between them.
    packets = run(
        "ffprobe",
        "-v",
        "error",
        "-select_streams",
        "v",
        "-show_entries",
        "packet=duration",
        "-of",
        "csv=p=0",
        str(path),
    )
    assert sum(int(line.strip(b",")) for line in packets.split()) == ticks


async def test_it_decodes_without_a_complaint_and_seeks(
    archive: FileArchive, root: Path, any_fragments: list[Fragment]
) -> None:
    segment = await record(archive, from_keyframe(any_fragments, 1))
    path = str(root / segment.path)
    done = subprocess.run(
        ["ffmpeg", "-v", "warning", "-i", path, "-f", "null", "-"], capture_output=True, check=True
    )
    assert done.stderr == b""
    look = ["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    sought = run("ffmpeg", "-v", "error", "-ss", "3.2", "-i", path, *look)
    walked = run("ffmpeg", "-v", "error", "-i", path, "-ss", "3.2", *look)
    assert sought == walked
    assert len(sought) == 320 * 180


async def test_the_keyframe_table_points_at_the_keyframes(
    archive: FileArchive, root: Path, any_fragments: list[Fragment]
) -> None:
    path = root / (await record(archive, any_fragments)).path
    data = path.read_bytes()
    *_, mfra = boxes(data, 0, len(data))
    assert mfra.kind == b"mfra"
    count = int.from_bytes(data[mfra.body + 20 : mfra.body + 24], "big")
    rows = [data[mfra.body + 24 + 19 * n :][:19] for n in range(count)]
    moofs = [int.from_bytes(row[8:16], "big") for row in rows]
    assert all(data[at + 4 : at + 8] == b"moof" for at in moofs)
    packets = run(
        "ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts,pos,flags",
        "-of", "csv=p=0", str(path),
    )  # fmt: skip
    keys = [line.split(",") for line in packets.decode().split() if "K" in line]
    assert len(keys) == count == 6
    assert [int.from_bytes(row[:8], "big") for row in rows] == [int(key[0]) for key in keys]
    assert all(moof < int(key[1]) for moof, key in zip(moofs, keys, strict=True))


async def test_a_growing_file_can_be_played_at_any_time(
    archive: FileArchive, root: Path, any_fragments: list[Fragment]
) -> None:
    part = from_keyframe(any_fragments, 1)
    writer = archive.begin(start_of(part[0]), lambda _: None, pytest.fail)
    for count, fragment in enumerate(part, 1):
        writer.append(fragment)
        if count in (1, 2, 20, len(part)):
            await archive.flush()
            found = run(
                "ffprobe", "-v", "error", "-select_streams", "v", "-count_packets", "-show_entries",
                "stream=nb_read_packets", "-of", "csv=p=0", str(root / writer.path),
            )  # fmt: skip
            assert int(found.strip().strip(b",") or 0) == frames(part[:count])
    await archive.stop()


async def test_files_that_follow_each_other_hold_every_frame_once(
    archive: FileArchive, root: Path, fragments: list[Fragment], clip: Path
) -> None:
    part = from_keyframe(fragments, 3)
    cut = len(fragments) - len(part)
    segments = [await record(archive, fragments[:cut]), await record(archive, part)]
    md5 = ["-f", "framemd5", "-"]
    pictures = [
        line.rsplit(b",", 1)[1]
        for segment in segments
        for line in run("ffmpeg", "-v", "error", "-i", str(root / segment.path), *md5).splitlines()
        if not line.startswith(b"#")
    ]
    original = run("ffmpeg", "-v", "error", "-i", str(clip), *md5).splitlines()
    assert pictures == [line.rsplit(b",", 1)[1] for line in original if not line.startswith(b"#")]


@pytest.mark.browser
async def test_chromium_plays_and_seeks(archive: FileArchive, root: Path, fragments: list[Fragment]) -> None:
    playwright = pytest.importorskip("playwright.async_api")
    segment = await record(archive, from_keyframe(fragments, 1))
    script = """async () => {
        const video = document.querySelector('video');
        video.muted = true;
        const ended = new Promise(done => video.addEventListener('ended', done, {once: true}));
        while (video.readyState < 1) await new Promise(done => setTimeout(done, 20));
        const duration = video.duration;
        video.pause();
        const sought = new Promise(done => video.addEventListener('seeked', done, {once: true}));
        video.currentTime = 3.5;
        await sought;
        const at = video.currentTime;
        await video.play();
        await ended;
        return [duration, at, video.currentTime, video.error && video.error.message];
    }"""
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"], timeout=PATIENCE_S * 1000
        )
        try:
            page = await browser.new_page()
            await page.goto((root / segment.path).as_uri(), timeout=PATIENCE_S * 1000)
            await page.wait_for_selector("video", state="attached", timeout=PATIENCE_S * 1000)
            duration, at, end, error = await page.evaluate(script)
        finally:
            await browser.close()
    assert error is None
    assert duration == pytest.approx(5.0, abs=0.01)
    assert at == pytest.approx(3.5, abs=0.01)
    assert end == pytest.approx(5.0, abs=0.05)
