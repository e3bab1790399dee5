"""The release is fetched from a server of our own, which misbehaves in every way that one can."""

import asyncio
import hashlib
import io
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from support.ports import free_port
from support.waiting import until

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.rtsp.download import CHECKSUMS, Release, fetch, release_for

ASSET = "mediamtx_v1.20.1_linux_amd64.tar.gz"


def program(marker: Path, version: str = "v1.20.1") -> bytes:
    """Tells its version and leaves a mark, so that a test knows if it was run. Large, so that it can be cut."""
    return f"#!/bin/sh\ntouch '{marker}'\necho {version}\nexit 0\n".encode() + bytes(range(1, 256)) * 4000


def archive(content: bytes, name: str = "mediamtx") -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz", compresslevel=0) as tar:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return made.getvalue()


class ReleasePage:
    """Serves one release; `cut_at` ends the next answer early, `slow` never ends it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.sums = f"{hashlib.sha256(content).hexdigest()}  {ASSET}\n{'0' * 64}  other.tar.gz\n"
        self.cut_at: int | None = None
        self.slow = False
        self.ranges_work = True
        self.status = 200
        self.asked: list[str | None] = []
        self.port = free_port()

    @property
    def release(self) -> Release:
        return Release(ASSET, f"http://127.0.0.1:{self.port}/v1.20.1")

    async def serve_sums(self, _request: web.Request) -> web.Response:
        return web.Response(text=self.sums)

    async def serve_asset(self, request: web.Request) -> web.StreamResponse:
        wanted = request.headers.get("Range")
        self.asked.append(wanted)
        if self.status != 200:
            return web.Response(status=self.status)
        begin = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges_work else 0
        if begin >= len(self.content):
            return web.Response(status=416)
        rest = self.content[begin:]
        response = web.StreamResponse(status=206 if begin else 200)
        response.content_length = len(rest)
        if begin:
            response.headers["Content-Range"] = f"bytes {begin}-{len(self.content) - 1}/{len(self.content)}"
        await response.prepare(request)
        if self.slow:
            await response.write(rest[: len(rest) // 2])
            await asyncio.Event().wait()
        if self.cut_at is not None:
            await response.write(rest[: self.cut_at])
            self.cut_at = None
            assert request.transport
            request.transport.close()
            return response
        await response.write(rest)
        return response


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "was-run"


@pytest.fixture
async def page(marker: Path) -> AsyncIterator[ReleasePage]:
    made = ReleasePage(archive(program(marker)))
    app = web.Application()
    app.router.add_get(f"/v1.20.1/{CHECKSUMS}", made.serve_sums)
    app.router.add_get(f"/v1.20.1/{ASSET}", made.serve_asset)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", made.port).start()
    yield made
    await runner.cleanup()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "media-server" / "mediamtx"


def left_over(target: Path) -> set[str]:
    return {path.name for path in target.parent.iterdir()}


async def test_it_is_fetched_checked_and_installed(page: ReleasePage, target: Path, marker: Path) -> None:
    told: list[tuple[int, int | None]] = []
    assert await fetch(page.release, target, lambda here, total: told.append((here, total))) == "v1.20.1"
    assert target.stat().st_mode & 0o777 == 0o755
    assert target.read_bytes() == program(marker)
    assert told[-1] == (len(page.content), len(page.content))
    assert sorted(told) == told
    assert left_over(target) == {"mediamtx"}


async def test_cut_short_it_goes_on_where_it_was(page: ReleasePage, target: Path, marker: Path) -> None:
    page.cut_at = 300_000
    with pytest.raises(LivecamError) as caught:
        await fetch(page.release, target)
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert not target.exists()
    assert not marker.exists()
    have = (target.parent / f"{ASSET}.part").stat().st_size
    assert 0 < have <= 300_000
    assert await fetch(page.release, target) == "v1.20.1"
    assert page.asked == [None, f"bytes={have}-"]


async def test_a_server_that_knows_no_ranges_begins_anew(page: ReleasePage, target: Path) -> None:
    page.cut_at = 300_000
    page.ranges_work = False
    with pytest.raises(LivecamError):
        await fetch(page.release, target)
    assert await fetch(page.release, target) == "v1.20.1"


async def test_a_cancelled_download_is_kept(page: ReleasePage, target: Path, marker: Path) -> None:
    page.slow = True
    part = target.parent / f"{ASSET}.part"
    task = asyncio.create_task(fetch(page.release, target))
    await until(lambda: part.exists() and part.stat().st_size > 100_000)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not marker.exists()
    page.slow = False
    assert await fetch(page.release, target) == "v1.20.1"
    assert page.asked[-1] is not None


async def test_a_part_that_is_complete_already_is_used(page: ReleasePage, target: Path) -> None:
    target.parent.mkdir()
    (target.parent / f"{ASSET}.part").write_bytes(page.content)
    assert await fetch(page.release, target) == "v1.20.1"


async def test_a_part_of_something_else_is_thrown_away(page: ReleasePage, target: Path) -> None:
    target.parent.mkdir()
    (target.parent / f"{ASSET}.part").write_bytes(b"x" * 5000)
    assert await fetch(page.release, target) == "v1.20.1"
    assert page.asked == ["bytes=5000-", None]


async def test_a_wrong_sum_is_never_run(page: ReleasePage, target: Path, marker: Path) -> None:
    page.content = archive(program(marker, "v1.20.1 ") + b"changed")
    with pytest.raises(LivecamError) as caught:
        await fetch(page.release, target)
    assert caught.value.kind is ErrorKind.INVALID
    assert "SHA-256" in caught.value.message
    assert not marker.exists()
    assert not target.exists()
    assert (target.parent / f"{ASSET}.part").stat().st_size == 0


async def test_without_a_sum_nothing_is_run(page: ReleasePage, target: Path, marker: Path) -> None:
    page.sums = page.sums.replace(ASSET, f"not-{ASSET}")
    with pytest.raises(LivecamError, match="has no sum"):
        await fetch(page.release, target)
    assert not marker.exists()
    assert page.asked == []


async def test_a_failing_download_leaves_the_installed_one(page: ReleasePage, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"the earlier one")
    page.status = 404
    with pytest.raises(LivecamError, match="404") as caught:
        await fetch(page.release, target)
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert target.read_bytes() == b"the earlier one"


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"#!/bin/sh\necho v1.19.0\n", "mediamtx", "v1.19.0 instead of v1.20.1"),
        (b"\x7fELF of another processor", "mediamtx", "does not run here"),
        (b"#!/bin/sh\necho v1.20.1\n", "../mediamtx", "holds no mediamtx"),
    ],
)
async def test_what_is_not_the_program_is_not_installed(
    page: ReleasePage, target: Path, content: bytes, name: str, words: str
) -> None:
    page.content = archive(content, name)
    page.sums = f"{hashlib.sha256(page.content).hexdigest()} *{ASSET}\n"
    with pytest.raises(LivecamError, match=words) as caught:
        await fetch(page.release, target)
    assert caught.value.kind is ErrorKind.INVALID
    assert not target.exists()
    assert not (target.parent.parent / "mediamtx").exists()


async def test_nobody_there(target: Path) -> None:
    with pytest.raises(LivecamError) as caught:
        await fetch(Release(ASSET, f"http://127.0.0.1:{free_port()}/v1.20.1"), target)
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert "internet" in caught.value.hint


async def test_two_at_once_do_not_disturb_each_other(page: ReleasePage, target: Path) -> None:
    page.slow = True
    first = asyncio.create_task(fetch(page.release, target))
    await until(lambda: page.asked)
    with pytest.raises(LivecamError) as caught:
        await fetch(page.release, target)
    assert caught.value.kind is ErrorKind.CONFLICT
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


def test_release_names() -> None:
    found = {machine: release_for(machine).asset for machine in ("x86_64", "aarch64", "armv7l", "armv6l")}
    assert found == {
        "x86_64": "mediamtx_v1.20.1_linux_amd64.tar.gz",
        "aarch64": "mediamtx_v1.20.1_linux_arm64.tar.gz",
        "armv7l": "mediamtx_v1.20.1_linux_armv7.tar.gz",
        "armv6l": "mediamtx_v1.20.1_linux_armv6.tar.gz",
    }
    with pytest.raises(LivecamError, match="riscv64"):
        release_for("riscv64")
