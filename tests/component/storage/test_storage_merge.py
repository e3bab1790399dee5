"""Merged archives: real files, a real index, real players."""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.export_recordings import record
from fakes.runtime_clock import FakeClock
from fakes.storage_fragments import from_keyframe, make_clip, read_clip
from support import clips
from support.waiting import PATIENCE_S

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.storage.files.repair import repair_file
from livecam_nvr.storage.footage.footage import FileFootage
from livecam_nvr.storage.index.index import Index
from livecam_nvr.storage.merging.merge import Merger
from livecam_nvr.storage.merging.merge_file import leftovers

TEN = 1_795_255_200 * NS  # 2026-11-21 10:00:00 UTC, 11:00:00 local
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def second(tmp_path_factory: pytest.TempPathFactory) -> list[Fragment]:
    """30 pictures of a second, the first one a keyframe."""
    path = tmp_path_factory.mktemp("merge") / "second.mp4"
    clips.make(path, seconds=1, size="64x48", fps=30, gop=30, extra=tuple(clips.FRAGMENTED))
    return read_clip(path)


@pytest.fixture(scope="session")
def second_with_sound(tmp_path_factory: pytest.TempPathFactory) -> list[Fragment]:
    fragments = read_clip(make_clip(tmp_path_factory.mktemp("merge") / "sound.mp4", "aac", 4))
    whole = from_keyframe(fragments, 1)
    keys = [at for at, fragment in enumerate(whole) if fragment.keyframe]
    return whole[: keys[1]]


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[Index]:
    (tmp_path / "recordings").mkdir()
    index = Index(tmp_path / "index.sqlite3", tmp_path / "recordings", FakeClock(TEN), lambda _path: False)
    await index.start()
    yield index
    await index.stop()


async def merged(index: Index, root: Path, now_s: float, **more: object) -> int:
    values = {"minutes": 10, "segment_s": 30, **more}
    merger = Merger(root, index, FakeClock(TEN + round(now_s * NS), 3600), ["cam0"], **values)  # type: ignore[arg-type]
    try:
        return await merger.merge_due()
    finally:
        await merger.stop()


async def add(index: Index, segments: list[Segment]) -> None:
    for segment in segments:
        index.add(segment)
    await index.flush()


def paths(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*.*") if path.is_file())


async def test_ten_minutes(
    tmp_path: Path, index: Index, second: list[Fragment], caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "recordings"
    segments = await asyncio.to_thread(record, root, second, TEN + 33_000_000, [30] * 20)
    await add(index, segments)
    told: list[tuple[Segment, int]] = []
    assert await merged(index, root, 600 + 89) == 0, "a minute of grace after the last segment"
    with caplog.at_level(logging.INFO):
        assert await merged(index, root, 600 + 91, on_merged=lambda one, of: told.append((one, len(of)))) == 1
    assert "cam0 11:00-11:10: 18 000 frames = 10.0 min at 30 fps, 20 segments merged" in caplog.text

    path = "cam0/261121/cam0_20261121_110000_10min.mp4"
    assert paths(root) == [path]
    found = await index.between("cam0", TEN, TEN + 3600 * NS)
    assert [(one.path, one.frames, one.duration_ns, one.merged) for one in found] == [(path, 18_000, 600 * NS, 20)]
    assert told == [(found[0], 20)]
    assert found[0].bytes == (root / path).stat().st_size
    assert (found[0].run_id, found[0].sequence, found[0].cause) == (4711, 0, EndCause.CLOCK)
    verdict = await asyncio.to_thread(repair_file, root, path)
    assert verdict.segment == found[0], "the file itself says the same"
    seen = await asyncio.to_thread(clips.probe, root / path)
    assert (seen["packets"], seen["format_duration"]) == (18_000, 600.0)
    assert await merged(index, root, 2000) == 0, "it is merged once"


async def test_it_is_footage_like_any_other(tmp_path: Path, index: Index, second: list[Fragment]) -> None:
    root = tmp_path / "recordings"
    segments = record(root, second, TEN, [30] * 20) + record(root, second, TEN + 600 * NS, [30], sequence=20)
    await add(index, segments)
    assert await merged(index, root, 700) == 1
    footage = FileFootage(root, index, list)
    pieces = await footage.pieces("cam0", TEN + 299 * NS, TEN + 610 * NS)
    assert [(piece.frames, len(piece.parts)) for piece in pieces] == [(311 * 30, 2)]
    data = bytearray(pieces[0].init)
    async for chunk in footage.read(pieces[0]):
        data += chunk
    (tmp_path / "range.mp4").write_bytes(data)
    assert (await asyncio.to_thread(clips.probe, tmp_path / "range.mp4"))["packets"] == 311 * 30


async def test_sound_stays_with_the_pictures(
    tmp_path: Path, index: Index, second_with_sound: list[Fragment]
) -> None:
    root = tmp_path / "recordings"
    segments = record(root, second_with_sound, TEN, [10, 10, 10])
    await add(index, segments)

    def packets(path: Path, stream: str) -> list[tuple[float, int]]:
        entries = "packet=pts_time,size"
        out = clips.run(
            "ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", entries, "-of", "csv", str(path)
        )
        rows = [line.split(",") for line in out.decode().split()]
        return [(float(row[1]), int(row[2])) for row in rows]

    before = [packets(root / one.path, "a") for one in segments]
    assert await merged(index, root, 700) == 1
    (path,) = paths(root)
    after = packets(root / path, "a")
    assert [size for _, size in after] == [size for part in before for _, size in part]
    times = [time for time, _ in after]
    assert times == sorted(times)
    for number, part in enumerate(before):
        begin = sum(len(one) for one in before[:number])
        # The sound that reaches over a border keeps its place before it.
        assert times[begin + 1] == pytest.approx(part[1][0] + 10 * number, abs=0.001)
    assert len(packets(root / path, "v")) == 3 * 10 * 15


async def test_one_file_for_each_run(tmp_path: Path, index: Index, second: list[Fragment]) -> None:
    root = tmp_path / "recordings"
    segments = record(root, second, TEN, [30, 30, 7], last=EndCause.CAMERA)
    segments += record(root, second, TEN + 100 * NS, [20, 30], run_id=4712)
    await add(index, segments)
    assert await merged(index, root, 700) == 2
    assert paths(root) == [
        "cam0/261121/cam0_20261121_110000_10min.mp4",
        "cam0/261121/cam0_20261121_110140_10min.mp4",
    ]
    found = await index.between("cam0", TEN, TEN + 3600 * NS)
    assert [(one.frames, one.cause) for one in found] == [(67 * 30, EndCause.CAMERA), (50 * 30, EndCause.CLOCK)]


async def test_what_is_not_as_the_index_says_stays(
    tmp_path: Path, index: Index, second: list[Fragment], caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "recordings"
    segments = record(root, second, TEN, [5, 5, 5])
    await add(index, segments)
    # A picture in the middle is rotten: its moof cannot be read.
    path = root / segments[1].path
    data = path.read_bytes()
    at = data.find(b"traf", len(data) // 2)
    path.write_bytes(data[:at] + b"rott" + data[at + 4 :])
    before = paths(root)
    assert await merged(index, root, 700) == 0
    assert paths(root) == before
    assert "cannot be merged" in caplog.text


async def test_without_room_it_waits(tmp_path: Path, index: Index, second: list[Fragment]) -> None:
    root = tmp_path / "recordings"
    await add(index, record(root, second, TEN, [5, 5]))
    before = paths(root)
    merger = Merger(
        root, index, FakeClock(TEN + 700 * NS), ["cam0"], minutes=10, segment_s=30, floor_bytes=1 << 60
    )
    assert await merger.merge_due() == 0
    assert paths(root) == before
    await merger.stop()
    assert await merged(index, root, 700) == 1


async def test_without_an_index_nothing_is_merged(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.sqlite3", tmp_path, FakeClock(TEN), lambda _path: False)
    with pytest.raises(LivecamError):
        await merged(index, tmp_path, 700)


def test_killed_at_every_step(tmp_path: Path, second: list[Fragment]) -> None:
    root = tmp_path / "recordings"
    segments = record(root, second, TEN, [2, 2, 2])
    script = ROOT / "tests/child_scripts/export_merge_crash.py"
    done = subprocess.run(
        [sys.executable, script, root, tmp_path / "copies"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE_S,  # some fifty children, one after the other
        check=False,
    )
    lines = [line.split(" ") for line in done.stdout.splitlines()]
    assert lines[-1][1] == "done", done.stderr
    assert {what for _, what in lines} == {"fsync", "fdatasync", "pwrite", "rename", "unlink", "done"}
    whole = sum(one.frames for one in segments)
    kept = 0
    for folder, what in lines:
        copy = Path(folder)
        leftovers(copy, TEN + 3600 * NS)
        names = paths(copy)
        found = [repair_file(copy, name).segment for name in names if name.endswith(".mp4")]
        assert not [name for name in names if not name.endswith(".mp4")], what
        assert sum(one.frames for one in found if one) == whole, what
        assert len({one.merged for one in found if one}) == 1, "either the segments or the archive"
        kept += len(found) == 3
    assert 0 < kept < len(lines)
    assert leftovers(Path(lines[-1][0]), TEN) == []


def test_only_what_is_in_the_archive_is_removed(tmp_path: Path, second: list[Fragment]) -> None:
    segments = record(tmp_path, second, TEN, [2, 2], sequence=5)
    other = record(tmp_path, second, TEN + 2 * NS, [1], run_id=9)
    folder = tmp_path / "cam0/261121"
    (folder / "cam0_20261121_110000_10min.mp4").write_bytes(b"no video")
    (folder / "holiday.mp4.part").write_bytes(b"of somebody else")
    before = paths(tmp_path)
    assert leftovers(tmp_path, TEN) == []
    assert paths(tmp_path) == before
    assert len(segments + other) == 3
