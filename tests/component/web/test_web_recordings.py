"""Recordings over HTTP: the list, ranges, and that no path leads out of the folder."""

import os
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from fakes.web_service import Site
from yarl import URL

from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import Segment
from livecam_nvr.domain.status import RecordingStatus

NAME = "cam0/261121/cam0_20261121_093000.mp4"
CONTENT = bytes(range(256)) * 4000


@pytest.fixture
def recording(site: Site) -> Path:
    path = site.folder / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    return path


def make_segment(at: int) -> Segment:
    return Segment(
        camera_id="cam0",
        path=NAME.replace("0930", f"09{at:02d}"),
        start_utc_ns=1_795_000_000_000_000_000 + at * 60_000_000_000,
        duration_ns=30_000_000_000,
        utc_offset_s=3600,
        frames=900,
        bytes=7_000_000,
        run_id=2**62 + 1,
        sequence=at,
        cause=EndCause.CLOCK,
        codec="avc1.42c01f",
        width=1280,
        height=720,
    )


async def test_the_newest_come_first(site: Site, client: aiohttp.ClientSession) -> None:
    for at in range(5):
        site.index.add(make_segment(at))
    site.index.add(replace(make_segment(9), camera_id="cam1"))
    async with client.get("/api/cameras/cam0/recordings?limit=2") as response:
        found = (await response.json())["recordings"]
    assert [one["sequence"] for one in found] == [4, 3]
    assert found[0]["url"] == f"/recordings/{found[0]['path']}"
    assert found[0]["start_utc"] == "2026-11-18T11:10:40.000Z"
    assert found[0]["duration_s"] == 30
    assert found[0]["cause"] == "clock"
    assert found[0]["run_id"] == str(2**62 + 1)
    async with client.get("/api/cameras/cam0/recordings") as response:
        assert len((await response.json())["recordings"]) == 5


async def test_a_whole_file(client: aiohttp.ClientSession, recording: Path) -> None:
    async with client.get(f"/recordings/{NAME}") as response:
        assert response.status == 200
        assert response.content_type == "video/mp4"
        assert response.headers["Accept-Ranges"] == "bytes"
        assert await response.read() == CONTENT
        etag, modified = response.headers["ETag"], response.headers["Last-Modified"]
    async with client.head(f"/recordings/{NAME}", headers={"Range": "bytes=0-1"}) as response:
        assert response.status == 200
        assert response.headers["Content-Length"] == str(len(CONTENT))
    for tag in (etag, f'"x", W/{etag}', "*"):
        async with client.get(f"/recordings/{NAME}", headers={"If-None-Match": tag}) as response:
            assert response.status == 304
    for condition, status in ((etag, 206), (modified, 206), ('"other"', 200), (f"W/{etag}", 200)):
        headers = {"Range": "bytes=5-6", "If-Range": condition}
        async with client.get(f"/recordings/{NAME}", headers=headers) as response:
            assert response.status == status


async def test_an_answer_that_breaks_off_is_no_failure_of_the_service(
    client: aiohttp.ClientSession, recording: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.truncate(recording, 256 << 20)  # more than sockets hold, so that the end is not on its way yet
    async with client.get(f"/recordings/{NAME}") as response:
        await response.content.readexactly(1)
        os.truncate(recording, 0)
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-99", range(100)),
        ("bytes=1000-", range(1000, len(CONTENT))),
        ("bytes=-7", range(len(CONTENT) - 7, len(CONTENT))),
        ("bytes=300000-900000", range(300_000, 900_001)),
        ("bytes=5-99999999", range(5, len(CONTENT))),
    ],
)
async def test_one_range(client: aiohttp.ClientSession, recording: Path, header: str, wanted: range) -> None:
    async with client.get(f"/recordings/{NAME}", headers={"Range": header}) as response:
        assert response.status == 206
        assert response.headers["Content-Range"] == f"bytes {wanted.start}-{wanted.stop - 1}/{len(CONTENT)}"
        assert await response.read() == CONTENT[wanted.start : wanted.stop]


async def test_ranges_that_are_ignored(client: aiohttp.ClientSession, recording: Path) -> None:
    for header in ("items=0-5", "bytes=0-1,5-6"):
        async with client.get(f"/recordings/{NAME}", headers={"Range": header}) as response:
            assert response.status == 200
            assert "Content-Range" not in response.headers
            assert await response.read() == CONTENT


async def test_ranges_that_cannot_be_served(client: aiohttp.ClientSession, recording: Path) -> None:
    for header in ("bytes=9-5", "bytes=abc", "bytes=", f"bytes={len(CONTENT)}-", "bytes=-0"):
        async with client.get(f"/recordings/{NAME}", headers={"Range": header}) as response:
            assert response.status == 416
            assert response.headers["Content-Range"] == f"bytes */{len(CONTENT)}"
            assert (await response.json())["error"]["kind"] == "invalid"


async def test_the_file_being_written_is_served_as_far_as_it_is(
    site: Site, client: aiohttp.ClientSession, recording: Path
) -> None:
    site.home.change("cam0", recording=RecordingStatus(wanted=True, active=True, current_path=NAME))
    async with client.get(f"/recordings/{NAME}") as response:
        with recording.open("ab") as file:
            file.write(b"more")
        assert await response.read() == CONTENT
        assert "ETag" not in response.headers
        assert response.headers["Cache-Control"] == "no-store"
    async with client.get(f"/recordings/{NAME}", headers={"Range": f"bytes={len(CONTENT)}-"}) as response:
        assert response.status == 206
        assert await response.read() == b"more"


@pytest.mark.parametrize(
    "path",
    [
        "secret.mp4",
        "../secret.mp4",
        "cam0/../../secret.mp4",
        "..%2fsecret.mp4",
        "%2e%2e/secret.mp4",
        "%2e%2e%2fsecret.mp4",
        "cam0%2f..%2f..%2fsecret.mp4",
        "..%5csecret.mp4",
        "%252e%252e%252fsecret.mp4",
        "....//secret.mp4",
        "/{outside}/secret.mp4",
        "%2f{outside}%2fsecret.mp4",
        "//secret.mp4",
        "file:///{outside}/secret.mp4",
        "link.mp4",
        "linked/secret.mp4",
        "cam0/linked/secret.mp4",
        "cam0/261121/dangling.mp4",
        "cam0/261121/cam0_20261121_093000.mp4/",
        "cam0/261121/cam0_20261121_093000.mp4%00.mp4",
        "cam0/261121/.hidden.mp4",
        "cam0/261121/notes.txt",
        "cam0/261121/folder.mp4",
        "cam0/261121/pipe.mp4",
        "cam0/261121",
        "cam0/./261121/cam0_20261121_093000.mp4%2f..",
        "a/" * 50 + "x.mp4",
        "x" * 300 + ".mp4",
        "%ff%fe.mp4",
        "cam0//261121/cam0_20261121_093000.mp4",
    ],
)
async def test_nothing_else_is_served(
    site: Site, client: aiohttp.ClientSession, recording: Path, path: str
) -> None:
    outside = site.folder.parent / f"{site.folder.name}-outside"
    outside.mkdir()
    for place in (outside, site.folder.parent):
        (place / "secret.mp4").write_bytes(b"secret")
    folder = recording.parent
    (site.folder / "link.mp4").symlink_to(outside / "secret.mp4")
    (site.folder / "linked").symlink_to(outside)
    (site.folder / "cam0" / "linked").symlink_to(outside)
    (folder / "dangling.mp4").symlink_to("nowhere")
    (folder / ".hidden.mp4").write_bytes(b"secret")
    (folder / "notes.txt").write_bytes(b"secret")
    (folder / "folder.mp4").mkdir()
    os.mkfifo(folder / "pipe.mp4")
    try:
        url = f"{site.url}/recordings/{path.format(outside=str(outside).lstrip('/'))}"
        async with client.get(URL(url, encoded=True), allow_redirects=False) as response:
            assert response.status in (404, 400)
            assert b"secret" not in (await response.read()).replace(b"secret.mp4", b"")
    finally:
        (site.folder.parent / "secret.mp4").unlink()


async def test_the_folder_itself_may_be_a_link(site: Site, client: aiohttp.ClientSession, recording: Path) -> None:
    real = site.folder.rename(site.folder.parent / f"{site.folder.name}-real")
    site.folder.symlink_to(real)
    async with client.get(f"/recordings/{NAME}") as response:
        assert response.status == 200
        await response.read()
