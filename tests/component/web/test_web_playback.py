"""What was recorded over HTTP: as one file, as HLS, as lists and as pictures, all from real files."""

import asyncio
import json
import logging
import random
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from fakes.footage_files import newest_file, open_files, packets, sounding_clip, split, steps, write_run
from fakes.playback_site import PlaybackSite, client_of, playback_site
from fakes.storage_fragments import BEGAN_UTC_NS, FRAGMENTED, make_clip, read_clip
from support.clips import run
from support.waiting import until
from yarl import URL

from livecam_nvr.domain.media import Fragment
from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import RecordingStatus

BEGAN = BEGAN_UTC_NS // NS
ALL = f"from={BEGAN}&to={BEGAN + 60}"
LATER_NS = BEGAN_UTC_NS + 3600 * NS


@pytest.fixture(scope="module")
def fragments(tmp_path_factory: pytest.TempPathFactory) -> list[Fragment]:
    """20 s with sound, a keyframe a second."""
    return sounding_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", 20)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[PlaybackSite]:
    async with playback_site(tmp_path, LATER_NS) as site:
        yield site


@pytest.fixture
async def client(site: PlaybackSite) -> AsyncIterator[aiohttp.ClientSession]:
    async with client_of(site) as client:
        yield client


async def body(client: aiohttp.ClientSession, path: str, status: int = 200, **more: str) -> bytes:
    async with client.get(f"/api/cameras/cam0/{path}", headers=more, allow_redirects=False) as response:
        assert response.status == status, await response.text()
        return await response.read()


async def refusal(client: aiohttp.ClientSession, path: str, status: int) -> dict[str, str]:
    found: dict[str, str] = json.loads(await body(client, path, status))["error"]
    return found


async def test_one_file_of_a_range(
    site: PlaybackSite, client: aiohttp.ClientSession, fragments: list[Fragment], tmp_path: Path
) -> None:
    site.add(write_run(site.root, fragments, 7))
    async with client.get(f"/api/cameras/cam0/playback.mp4?{ALL}&download=1") as response:
        whole = await response.read()
        assert response.headers["Content-Length"] == str(len(whole))
        assert response.headers["Content-Type"].startswith('video/mp4; codecs="avc1.')
        assert "mp4a.40.2" in response.headers["Content-Type"]
        disposition = 'attachment; filename="cam0_20260921_151320-20260921_151340.mp4"'
        assert response.headers["Content-Disposition"] == disposition
        etag = response.headers["ETag"]
    (tmp_path / "whole.mp4").write_bytes(whole)
    video = packets(tmp_path / "whole.mp4")
    assert len(video) == 300
    assert steps(video) == {0}
    found = json.loads(run("ffprobe", "-v", "error", "-show_format", "-of", "json", str(tmp_path / "whole.mp4")))
    assert abs(float(found["format"]["duration"]) - 20) < 0.1
    dice = random.Random(1)
    places = [(0, 0), (0, len(whole) - 1), (len(whole) - 1, len(whole) - 1), (900, 1100)]
    places += [(a := dice.randrange(len(whole)), dice.randrange(a, len(whole))) for _ in range(25)]
    for begin, end in places:
        part = await body(client, f"playback.mp4?{ALL}", 206, Range=f"bytes={begin}-{end}")
        assert part == whole[begin : end + 1], (begin, end)
    async with client.head(f"/api/cameras/cam0/playback.mp4?{ALL}") as response:
        assert (response.status, response.headers["Content-Length"]) == (200, str(len(whole)))
    headers = {"Range": "bytes=5-9", "If-Range": etag}
    assert await body(client, f"playback.mp4?{ALL}", 206, **headers) == whole[5:10]
    assert len(await body(client, f"playback.mp4?{ALL}", 200, **{**headers, "If-Range": '"other"'})) == len(whole)
    await body(client, f"playback.mp4?{ALL}", 416, Range=f"bytes={len(whole)}-")
    # Any second of it can be found.
    seek = ["-ss", "15.2", "-i", site.address(f"playback.mp4?{ALL}"), "-frames:v", "1", "-f", "null", "-"]
    said = await asyncio.to_thread(run, "ffmpeg", "-v", "error", "-xerror", *seek)
    assert not said


async def test_a_range_that_goes_on_is_pinned(
    site: PlaybackSite, client: aiohttp.ClientSession, fragments: list[Fragment]
) -> None:
    site.add(write_run(site.root, fragments, 7))
    site.clock.now_utc_ns = BEGAN_UTC_NS + 30 * NS
    async with client.get(f"/api/cameras/cam0/playback.mp4?from={BEGAN + 2}", allow_redirects=False) as response:
        assert response.status == 302
        location = response.headers["Location"]
    assert f"to={BEGAN + 19}.9" in location
    with_ticket = f"/api/cameras/cam0/playback.mp4?from={BEGAN + 2}&ticket=abc&download=1"
    async with client.get(with_ticket, allow_redirects=False) as response:
        assert response.headers["Location"] == f"{location}&download=1&ticket=abc"
    async with client.get(response.url.join(URL(location))) as response:
        assert response.status == 200
        whole = await response.read()
    assert whole == await body(client, f"playback.mp4?from={BEGAN + 2}&to={BEGAN + 29}")


async def test_hls_without_a_seam(
    site: PlaybackSite, client: aiohttp.ClientSession, fragments: list[Fragment], tmp_path: Path
) -> None:
    site.add(write_run(site.root, fragments, 10))
    site.add(write_run(site.root, fragments, 10, run_id=2, shift_ns=25 * NS))
    text = (await body(client, f"playback.m3u8?{ALL}")).decode()
    with_ticket = (await body(client, f"playback.m3u8?{ALL}&ticket=abc")).decode()
    assert with_ticket.count("?ticket=abc") == text.count("\nplayback/") + text.count("EXT-X-MAP")
    assert with_ticket.replace("?ticket=abc", "") == text
    lines = text.splitlines()
    assert lines[0] == "#EXTM3U"
    assert "#EXT-X-PLAYLIST-TYPE:VOD" in lines
    assert lines[-1] == "#EXT-X-ENDLIST"
    assert "#EXT-X-TARGETDURATION:6" in lines
    assert lines.count("#EXT-X-DISCONTINUITY") == 1
    lengths = [float(line[8:-1]) for line in lines if line.startswith("#EXTINF:")]
    assert lengths == [6, 4, 6, 4, 6, 4, 6, 4]
    assert "#EXT-X-PROGRAM-DATE-TIME:2026-09-21T14:13:26.000Z" in lines
    for number, piece in enumerate(text.split("#EXT-X-DISCONTINUITY")):
        (init,) = re.findall(r'EXT-X-MAP:URI="([^"]+)"', piece)
        data = await body(client, init)
        for path in re.findall(r"^playback/.*m4s$", piece, re.MULTILINE):
            data += await body(client, path)
        (tmp_path / f"{number}.mp4").write_bytes(data)
        video = packets(tmp_path / f"{number}.mp4")
        assert len(video) == 300
        assert steps(video) == {0}
    count = [
        "-select_streams",
        "v:0",
        "-count_packets",
        "-show_entries",
        "stream=nb_read_packets",
        "-of",
        "csv=p=0",
    ]
    url = site.address(f"playback.m3u8?{ALL}")
    played = await asyncio.to_thread(run, "ffprobe", "-v", "error", *count, url)
    assert played.split()[0] == b"600"


@pytest.mark.parametrize("by_ms", [8, 21, 150])
async def test_hls_of_files_that_overlap_by_the_clock(
    site: PlaybackSite, client: aiohttp.ClientSession, fragments: list[Fragment], tmp_path: Path, by_ms: int
) -> None:
    first = write_run(site.root, split(fragments, 10)[0], 10)
    shift_ns = first[-1].end_utc_ns - BEGAN_UTC_NS - by_ms * 1_000_000
    site.add(first)
    site.add(write_run(site.root, fragments, 20, run_id=2, shift_ns=shift_ns))
    text = (await body(client, f"playback.m3u8?{ALL}")).decode()
    media = [line for line in text.splitlines() if line.endswith(".m4s")]
    init = next(line for line in text.splitlines() if "EXT-X-MAP" in line).split('"')[1]
    told_s = [float(line[8:-1]) for line in text.splitlines() if line.startswith("#EXTINF")]
    for path, seconds in zip(media, told_s, strict=True):
        one = await body(client, init) + await body(client, path)
        (tmp_path / "one.mp4").write_bytes(one)
        assert len(packets(tmp_path / "one.mp4")) == round(seconds * 15), path


async def test_hls_that_grows(
    site: PlaybackSite, client: aiohttp.ClientSession, fragments: list[Fragment]
) -> None:
    at = [n for n, fragment in enumerate(fragments) if fragment.keyframe]
    site.add(write_run(site.root, fragments[: at[18] + 5], 10, leave_open=True))
    site.growing = [newest_file(site.root)]
    site.clock.now_utc_ns = BEGAN_UTC_NS + 19 * NS
    query = f"playback.m3u8?from={BEGAN}"
    first = (await body(client, query)).decode()
    # Of the file that is being written, 6 s can be told of; the 2 s after that will become more.
    assert re.findall(r"EXTINF:(\d+)", first) == ["6", "4", "6"]
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in first
    assert "ENDLIST" not in first
    assert "#EXT-X-TARGETDURATION:10" in first
    assert len(await body(client, re.findall(r"^playback/.*m4s$", first, re.MULTILINE)[-1])) > 10_000
    site.clock.now_utc_ns = BEGAN_UTC_NS + 60 * NS
    last = (await body(client, query)).decode()
    assert last.startswith(first)
    assert re.findall(r"EXTINF:(\d+)", last) == ["6", "4", "6", "2"]


async def test_what_cannot_be_played(
    site: PlaybackSite, client: aiohttp.ClientSession, fragments: list[Fragment], tmp_path: Path
) -> None:
    site.add(write_run(site.root, fragments, 20))
    hevc = read_clip(make_clip(tmp_path / "hevc.mp4", "hevc", 2))
    site.add(write_run(site.root, hevc, 20, run_id=3, shift_ns=30 * NS))
    for name in ("playback.mp4", "playback.m3u8", "keyframes"):
        assert "from" in (await refusal(client, name, 400))["message"]
        assert "before" in (await refusal(client, f"{name}?from={BEGAN + 9}&to={BEGAN}", 400))["message"]
        assert "future" in (await refusal(client, f"{name}?from=2090-01-01T00:00:00Z", 400))["message"]
        assert "too long" in (await refusal(client, f"{name}?from=1970-01-01T00:00:00Z", 400))["message"]
        assert "no moment" in (await refusal(client, f"{name}?from=yesterday", 400))["message"]
        nothing = await refusal(client, f"{name}?from={BEGAN + 22}&to={BEGAN + 25}", 404)
        assert "ends at 2026-09-21T14:13:40.000Z" in nothing["hint"]
        assert "begins at 2026-09-21T14:13:50.000Z" in nothing["hint"]
        await refusal(client, f"{name}?from=1970-01-01T00:00:00Z&to=1970-01-01T00:00:01Z", 404)
        async with client.get(f"/api/cameras/cam7/{name}?{ALL}") as response:
            assert response.status == 404
        async with client.get(f"/api/cameras/cam1/{name}?{ALL}") as response:
            assert response.status == 404
            assert "nothing of this camera" in (await response.json())["error"]["hint"]
    conflict = await refusal(client, f"playback.mp4?{ALL}", 409)
    assert "2026-09-21T14:13:50.000Z" in conflict["message"]
    assert "m3u8" in conflict["hint"]
    playlist = (await body(client, f"playback.m3u8?{ALL}")).decode()
    assert playlist.count("EXT-X-MAP") == 2
    big = "9" * 19
    for path in (f"{big}/init.mp4", "0/init.mp4", f"{BEGAN_UTC_NS + NS // 2}-{BEGAN_UTC_NS + NS}/0.m4s"):
        assert "no longer" in (await refusal(client, f"playback/{path}", 404))["message"]
    for path in (f"{BEGAN_UTC_NS}-{BEGAN_UTC_NS}/0.m4s", f"0-{big}/0.m4s"):
        assert "no media segment" in (await refusal(client, f"playback/{path}", 400))["message"]


async def test_a_file_deleted_while_it_is_sent_ends_the_answer(
    site: PlaybackSite, client: aiohttp.ClientSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = ["-f", "lavfi", "-i", "nullsrc=s=640x360:r=15,geq=random(1)*255:128:128", "-t", "4"]
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "1", "-g", "15", "-pix_fmt", "yuv420p"]
    run("ffmpeg", "-v", "error", *source, *codec, *FRAGMENTED, str(tmp_path / "noise.mp4"))
    segments = site.add(write_run(site.root, read_clip(tmp_path / "noise.mp4"), 3))
    assert segments[0].bytes > 4 << 20  # more than sockets hold, so that the second file is not open yet
    async with client.get(f"/api/cameras/cam0/playback.mp4?{ALL}") as response:
        await response.content.readexactly(1)
        (site.root / segments[1].path).unlink()
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    said = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) == 1
    assert "deleted" in said[0].getMessage()
    assert not said[0].exc_info
    # A viewer who leaves in the middle, or whom a stop of the service ends, leaves no file open.
    response = await client.get(f"/api/cameras/cam0/playback.mp4?from={BEGAN}&to={BEGAN + 2}")
    await response.content.readexactly(1)
    site.open.end_all()
    with pytest.raises(aiohttp.ClientPayloadError):
        await response.read()
    await until(lambda: not open_files(site.root))


async def test_lists(site: PlaybackSite, client: aiohttp.ClientSession, fragments: list[Fragment]) -> None:
    site.add(write_run(site.root, fragments, 10))
    site.add(write_run(site.root, fragments, 10, run_id=2, shift_ns=30 * NS))
    await site.index.flush()
    found = json.loads(await body(client, f"segments?from={BEGAN - 5}&to={BEGAN + 60}"))
    assert [segment["frames"] for segment in found["segments"]] == [150] * 4
    assert [(gap["begin_utc_s"] - BEGAN, gap["end_utc_s"] - BEGAN) for gap in found["gaps"]] == [
        (-5, 0), (20, 30), (50, 60),
    ]  # fmt: skip
    assert not found["more"]
    some = json.loads(await body(client, f"segments?from={BEGAN - 5}&to={BEGAN + 60}&limit=2"))
    assert [segment["path"] for segment in some["segments"]] == [s["path"] for s in found["segments"][:2]]
    assert (some["more"], some["to_utc"]) == (True, "2026-09-21T14:13:50.000Z")
    assert len(some["gaps"]) == 2
    recording = RecordingStatus(wanted=True, active=True, since_utc_ns=BEGAN_UTC_NS + 50 * NS)
    site.home.home.change("cam0", recording=recording)
    now = json.loads(await body(client, f"segments?from={BEGAN}&to={BEGAN + 60}"))
    assert len(now["gaps"]) == 1
    assert now["recording_since_utc"] == "2026-09-21T14:14:10.000Z"
    keys = json.loads(await body(client, f"keyframes?{ALL}"))
    assert [time - BEGAN for time in keys["at_utc_s"]] == [*range(20), *range(30, 50)]
    few = json.loads(await body(client, f"keyframes?{ALL}&limit=4"))
    assert few["all"] == 40
    assert [time - BEGAN for time in few["at_utc_s"]] == [0, 10, 30, 40]


async def test_thumbnails(site: PlaybackSite, client: aiohttp.ClientSession, fragments: list[Fragment]) -> None:
    site.add(write_run(site.root, fragments, 10))
    url = f"/api/cameras/cam0/thumbnail.jpg?at={BEGAN + 3}.7&height=90"
    async with client.get(url) as response:
        assert response.status == 200
        assert response.content_type == "image/jpeg"
        assert response.headers["X-Picture-Utc"] == "2026-09-21T14:13:23.000Z"
        assert "immutable" in response.headers["Cache-Control"]
        picture = await response.read()
        etag = response.headers["ETag"]
    assert picture.startswith(b"\xff\xd8")
    async with client.get(url, headers={"If-None-Match": etag}) as response:
        assert response.status == 304
    # Any moment until the next keyframe is the same picture.
    assert await body(client, f"thumbnail.jpg?at={BEGAN + 3}.1&height=90") == picture
    assert await body(client, f"thumbnail.jpg?at={BEGAN + 4}&height=90") != picture
    site.clock.now_utc_ns = BEGAN_UTC_NS + 21 * NS
    async with client.get(f"/api/cameras/cam0/thumbnail.jpg?at={BEGAN + 19}.5") as response:
        assert response.headers["Cache-Control"] == "private, no-cache"
    assert "missing" in (await refusal(client, "thumbnail.jpg", 400))["message"]
    assert "future" in (await refusal(client, "thumbnail.jpg?at=4102444800", 400))["message"]
    assert "height" in (await refusal(client, f"thumbnail.jpg?at={BEGAN}&height=1", 400))["message"]
    assert "nothing" in (await refusal(client, f"thumbnail.jpg?at={BEGAN - 60}", 404))["message"]
    await refusal(client, "thumbnail.jpg?at=1970-01-01T00:00:00Z", 404)
    assert "no moment" in (await refusal(client, "thumbnail.jpg?at=0001-01-01T00:00:00Z", 400))["message"]
