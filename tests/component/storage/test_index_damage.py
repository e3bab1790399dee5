"""An index that is damaged, deleted or cut short: found, replaced, and complete again by itself."""

import asyncio
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from fakes.storage_fragments import BEGAN_UTC_NS, make_clip, read_clip, start_of, taken_at, write_file
from support.waiting import until

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.files.archive import FileArchive
from livecam_nvr.storage.files.repair import repair_file
from livecam_nvr.storage.index.index import Index

DAYS = 4


def zero_bytes(path: Path) -> None:
    os.truncate(path, 0)


def half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def a_torn_page(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1000)


def random_bytes_in_the_middle(path: Path) -> None:
    dice = random.Random(5)
    with path.open("r+b") as file:
        for page in range(1, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(dice.randbytes(64))


def no_database(path: Path) -> None:
    path.write_bytes(random.Random(6).randbytes(40_000))


def the_first_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * 4096)


DAMAGES: list[Callable[[Path], None]] = [
    zero_bytes,
    half,
    a_torn_page,
    random_bytes_in_the_middle,
    no_database,
    the_first_page,
]


@pytest.fixture
def made(root: Path, fragments: list[Fragment]) -> list[Segment]:
    """Files of some days, enough for an index of several pages."""
    segments = []
    for day in range(DAYS):
        for number in range(15):
            utc_ns = BEGAN_UTC_NS + (day * 86_400 + number * 30) * NS
            path = write_file(root, [taken_at(f, utc_ns) for f in fragments[:3]], EndCause.CLOCK)
            found = repair_file(root, path.relative_to(root).as_posix()).segment
            assert found is not None
            segments.append(found)
    return segments


async def all_rows(index: Index) -> list[Segment]:
    try:
        return await index.latest("cam0", 1000)
    except LivecamError:
        return []


@pytest.mark.parametrize("damage", DAMAGES)
async def test_damage_between_two_runs(
    tmp_path: Path, root: Path, made: list[Segment], damage: Callable[[Path], None]
) -> None:
    path = tmp_path / "index.db"
    for step in ("make", "mend"):
        index = Index(path, root, SystemClock(), lambda _: False)
        await index.start()
        with suppress(LivecamError):  # it says so where it cannot go on; what is missing comes back by itself
            await index.reconcile()
        await until(lambda index=index: _are(index, made), what=f"{step}: all rows")
        await index.stop()
        if step == "make":
            damage(path)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_damage_while_it_is_used(
    tmp_path: Path, index: Index, archive: FileArchive, made: list[Segment], damage: Callable[[Path], None]
) -> None:
    path = tmp_path / "data" / "index.db"
    assert (await index.reconcile()).full
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage(path)
    fragment = read_clip(make_clip(tmp_path / "clip.mp4", seconds=0.1))[0]
    writer = archive.begin(start_of(fragment, sequence=9), index.add, pytest.fail)
    writer.append(fragment)
    writer.finish(EndCause.CLOCK)
    await archive.flush()
    await until(lambda: _has(index, writer.path), what="the file that was just finished")
    await until(lambda: _has_all(index, made), what="all rows, without a restart")


async def test_one_that_is_deleted_while_it_is_used(
    tmp_path: Path, index: Index, made: list[Segment], caplog: pytest.LogCaptureFixture
) -> None:
    renewed: list[bool] = []
    index.when_renewed(lambda: renewed.append(True))
    assert (await index.reconcile()).full
    shutil.rmtree(tmp_path / "data")
    await until(lambda: _are(index, made), what="all rows, by nothing but questions")
    assert renewed == [True]
    assert "has vanished" in caplog.text
    assert not (await index.reconcile()).full


async def test_many_questions_that_find_the_same_damage_replace_it_once(
    tmp_path: Path, index: Index, made: list[Segment], caplog: pytest.LogCaptureFixture
) -> None:
    assert (await index.reconcile()).full
    path = tmp_path / "data" / "index.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    no_database(path)
    await asyncio.gather(*(all_rows(index) for _ in range(20)))
    await until(lambda: _are(index, made), what="all rows")
    assert caplog.text.count("is damaged and is set aside") == 1


async def _are(index: Index, wanted: list[Segment]) -> bool:
    return sorted(s.path for s in await all_rows(index)) == sorted(s.path for s in wanted)


async def _has_all(index: Index, wanted: list[Segment]) -> bool:
    return {s.path for s in wanted} <= {s.path for s in await all_rows(index)}


async def _has(index: Index, path: str) -> bool:
    return path in {s.path for s in await all_rows(index)}
