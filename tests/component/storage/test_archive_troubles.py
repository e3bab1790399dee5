"""What goes wrong with disks and services, and what is left of it."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from blockbuster import blockbuster_ctx
from fakes.storage_fragments import frames, from_keyframe, start_of, with_changes
from support.clips import probe
from support.waiting import until

from livecam_nvr.core.ports import Switch
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.files.archive import FileArchive
from livecam_nvr.storage.files.repair import Fate, repair_file
from livecam_nvr.storage.index.index import Index
from livecam_nvr.storage.place.checks import StorageCheck
from livecam_nvr.storage.place.disk import Disk
from livecam_nvr.storage.remembered.switches import SwitchFile

if TYPE_CHECKING:
    from livecam_nvr.domain.segment import Segment

REPOSITORY = Path(__file__).parents[3]


class Told:
    """What the archive told about a file."""

    def __init__(self) -> None:
        self.finished: list[Segment] = []
        self.failed: list[str] = []

    def begin(self, archive: FileArchive, first: Fragment):
        return archive.begin(start_of(first), self.finished.append, self.failed.append)


async def refused(root: Path) -> LivecamError:
    """Why nobody else can record there. A disk that is busy with other things may answer too late for a start."""

    async def start() -> LivecamError | None:
        other = FileArchive(root, 5, SystemClock())
        try:
            await other.start()
        except LivecamError as error:
            return error
        await other.stop()
        return None

    error = await until(start, "a start that is refused")
    assert isinstance(error, LivecamError)
    return error


async def test_calls_come_on_the_loop_and_once(archive: FileArchive, fragments: list[Fragment]) -> None:
    threads: list[threading.Thread] = []
    writer = archive.begin(
        start_of(fragments[0]), lambda _: threads.append(threading.current_thread()), pytest.fail
    )
    writer.append(fragments[0])
    writer.finish(EndCause.SWITCHED_OFF)
    writer.finish(EndCause.CLOCK)
    await archive.flush()
    await archive.flush()
    assert threads == [threading.main_thread()]


async def test_a_name_that_is_taken_gets_a_suffix(
    archive: FileArchive, root: Path, fragments: list[Fragment]
) -> None:
    path = root / "cam0/260921/cam0_20260921_151320.mp4"
    path.parent.mkdir(parents=True)
    path.write_text("from an earlier run")
    told = Told()
    writers = [told.begin(archive, fragments[0]) for _ in range(2)]
    for writer in writers:
        writer.append(fragments[0])
        writer.finish(EndCause.CLOCK)
    await archive.flush()
    assert path.read_text() == "from an earlier run"
    assert [s.path for s in told.finished] == [w.path for w in writers]
    assert sorted(s.path[-8:] for s in told.finished) == ["20-1.mp4", "20-2.mp4"]
    assert all((root / s.path).stat().st_size == s.bytes for s in told.finished)


async def test_a_file_without_a_fragment_leaves_nothing(
    archive: FileArchive, root: Path, fragments: list[Fragment]
) -> None:
    told = Told()
    writer = told.begin(archive, fragments[0])
    assert archive.is_writing(writer.path)
    writer.finish(EndCause.SWITCHED_OFF)
    await archive.flush()
    assert not list(root.glob("**/*.mp4"))
    assert not archive.is_writing(writer.path)
    assert (told.finished, told.failed) == ([], [])


async def test_stopping_finishes_what_is_open(archive: FileArchive, root: Path, fragments: list[Fragment]) -> None:
    told = Told()
    writer = told.begin(archive, fragments[0])
    for fragment in fragments[:40]:
        writer.append(fragment)
    await archive.stop()
    assert [(s.frames, s.cause) for s in told.finished] == [(40, EndCause.SERVICE)]
    assert probe(root / writer.path)["packets"] == 40
    late = told.begin(archive, fragments[0])
    await until(lambda: told.failed)
    assert late.failed
    await archive.stop()


async def test_a_second_service_is_refused_by_name(root: Path, archive: FileArchive, tmp_path: Path) -> None:
    error = await refused(root)
    assert re.search(r"another livecam-nvr .*process \d+ on ", error.message)
    assert error.kind is ErrorKind.CONFLICT
    assert error.hint
    await archive.stop()
    other = FileArchive(root, 5, SystemClock())
    await other.start()
    await other.stop()


async def test_a_slow_sync_does_not_delay_writing(
    archive: FileArchive, root: Path, fragments: list[Fragment]
) -> None:
    told = Told()
    go_on = threading.Event()
    writer = told.begin(archive, fragments[0])
    archive._sync.call(go_on.wait)
    try:
        for fragment in fragments:
            writer.append(fragment)
        writer.finish(EndCause.CLOCK)
        wanted = sum(len(f.data) for f in fragments)
        await until(lambda: (root / writer.path).exists() and (root / writer.path).stat().st_size > wanted)
        assert not told.finished
        assert archive.is_writing(writer.path)
    finally:
        go_on.set()
    await until(lambda: told.finished)


async def test_a_disk_that_is_too_slow_ends_the_file_and_keeps_what_was_taken(
    root: Path, fragments: list[Fragment]
) -> None:
    archive = FileArchive(root, 5, SystemClock(), max_backlog_bytes=50_000)
    await archive.start()
    told, other = Told(), Told()
    go_on = threading.Event()
    writer = told.begin(archive, fragments[0])
    archive._writer.call(go_on.wait)
    taken = 0
    try:
        for fragment in fragments:
            writer.append(fragment)
            taken += not writer.failed
        assert writer.failed
        assert told.failed == []  # never from within a call
        await until(lambda: told.failed)
        again = other.begin(archive, fragments[0])
        await until(lambda: other.failed)
        assert again.failed
    finally:
        go_on.set()
    await archive.flush()
    assert ["too slow" in reason for reason in told.failed + other.failed] == [True, True]
    assert [(s.frames, s.cause) for s in told.finished] == [(taken, EndCause.DISK)]
    assert 0 < taken < len(fragments)
    third = told.begin(archive, fragments[0])  # it has caught up
    third.append(fragments[0])
    third.finish(EndCause.CLOCK)
    await archive.stop()
    assert len(told.finished) == 2


async def test_a_full_disk_keeps_what_fits_and_recovers(small_disk: Path, fragments: list[Fragment]) -> None:
    archive = FileArchive(small_disk / "recordings", 5, SystemClock())
    await archive.start()
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(300_000))
    told = Told()
    try:
        writer = told.begin(archive, fragments[0])
        for fragment in fragments * 3:
            writer.append(fragment)
        await until(lambda: told.finished)
        assert len(told.failed) == 1
        assert "the disk is full" in told.failed[0]
        assert writer.failed
        writer.finish(EndCause.CLOCK)
        segment = told.finished[0]
        assert segment.cause is EndCause.DISK
        found = probe(small_disk / "recordings" / segment.path)
        assert found["packets"] == segment.frames > 5
        verdict = repair_file(small_disk / "recordings", segment.path)
        assert (verdict.fate, verdict.segment) == (Fate.FINISHED, segment)

        blocked = told.begin(archive, fragments[0])
        blocked.append(fragments[0])
        await archive.flush()
        ballast.unlink()
        again = told.begin(archive, fragments[0])
        for fragment in fragments[:20]:
            again.append(fragment)
        again.finish(EndCause.CLOCK)
        await archive.flush()
        assert (told.finished[-1].frames, told.finished[-1].cause) == (20, EndCause.CLOCK)
        assert told.finished[-1].path == again.path
    finally:
        await archive.stop()


async def test_a_read_only_disk_fails_in_words_and_recovers(small_disk: Path, fragments: list[Fragment]) -> None:
    archive = FileArchive(small_disk / "recordings", 5, SystemClock())
    await archive.start()
    told = Told()
    subprocess.run(["mount", "--bind", str(small_disk), str(small_disk)], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(small_disk)], check=True)
    try:
        told.begin(archive, fragments[0]).append(fragments[0])
        await until(lambda: told.failed)
        assert "read-only" in told.failed[0]
    finally:
        subprocess.run(["umount", str(small_disk)], check=True)
    writer = told.begin(archive, fragments[0])
    writer.append(fragments[0])
    await archive.stop()
    assert [s.frames for s in told.finished] == [1]


async def test_a_folder_that_vanishes_is_noticed_and_made_again(root: Path, fragments: list[Fragment]) -> None:
    archive = FileArchive(root, 0.05, SystemClock())
    await archive.start()
    told = Told()
    writer = told.begin(archive, fragments[0])
    writer.append(fragments[0])
    await archive.flush()
    shutil.rmtree(root)
    await until(lambda: told.failed)
    assert "vanished" in told.failed[0]
    again = told.begin(archive, fragments[0])
    again.append(fragments[0])
    again.finish(EndCause.CLOCK)
    await archive.flush()
    assert [s.path for s in told.finished] == [again.path]
    assert (root / again.path).exists()
    assert len(told.failed) == 1
    # The lock was made anew, too.
    assert (await refused(root)).kind is ErrorKind.CONFLICT
    await archive.stop()


async def test_a_folder_that_cannot_be_made_yet_does_not_stop_the_start(
    tmp_path: Path, fragments: list[Fragment], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "disk").write_text("not mounted")
    archive = FileArchive(tmp_path / "disk" / "recordings", 5, SystemClock())
    await archive.start()
    assert "cannot use the recordings folder yet" in caplog.text
    told = Told()
    told.begin(archive, fragments[0]).append(fragments[0])
    await until(lambda: told.failed)
    (tmp_path / "disk").unlink()
    told.begin(archive, fragments[0]).append(fragments[0])
    await archive.stop()
    assert len(told.finished) == 1


async def test_a_damaged_init_segment_fails_the_file_only(archive: FileArchive, fragments: list[Fragment]) -> None:
    first = fragments[0]
    bad = replace(first.init, data=first.init.data[:200])
    told = Told()
    told.begin(archive, with_changes(first, init=bad)).append(first)
    await until(lambda: told.failed)
    writer = told.begin(archive, first)
    writer.append(first)
    await archive.stop()
    assert len(told.finished) == 1


async def test_a_killed_service_loses_at_most_the_last_fragment(
    root: Path, clip: Path, fragments: list[Fragment]
) -> None:
    script = REPOSITORY / "tests/child_scripts/storage_writer.py"
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        str(root),
        str(clip),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY}/tests"},
    )
    assert child.stdout is not None
    told = 0
    finished = False
    async for line in child.stdout:
        finished = finished or line.startswith(b"Segment(")
        told = int(line) if line.strip().isdigit() else told
        if told >= 47:
            child.kill()
            break
    await child.wait()
    first, second = "cam0/260921/cam0_20260921_151320.mp4", "cam0/260921/cam0_20260921_151320-1.mp4"
    assert finished
    assert repair_file(root, first).fate is Fate.FINISHED
    verdict = repair_file(root, second)
    assert verdict.fate is Fate.REPAIRED
    assert verdict.segment is not None
    assert verdict.segment.frames >= told
    assert verdict.segment.sequence == 1
    assert verdict.segment.cause is EndCause.SERVICE
    found = probe(root / second)
    assert found["packets"] == verdict.segment.frames
    assert found["format_duration"] == pytest.approx(verdict.segment.frames / 15, abs=0.002)
    assert probe(root / first)["packets"] == frames(fragments)
    again = FileArchive(root, 5, SystemClock())  # the kernel has released the lock
    await again.start()
    await again.stop()


async def test_fragments_of_two_cameras_do_not_mix(
    archive: FileArchive, root: Path, fragments: list[Fragment]
) -> None:
    told = Told()
    later = from_keyframe(fragments, 2)
    one = archive.begin(start_of(fragments[0], "cam0"), told.finished.append, told.failed.append)
    two = archive.begin(start_of(later[0], "cam1"), told.finished.append, told.failed.append)
    for at, fragment in enumerate(fragments):
        one.append(fragment)
        if at < len(later):
            two.append(later[at])
    one.finish(EndCause.CLOCK)
    two.finish(EndCause.CAMERA)
    await archive.flush()
    assert {s.camera_id: (s.frames, s.cause) for s in told.finished} == {
        "cam0": (90, EndCause.CLOCK),
        "cam1": (60, EndCause.CAMERA),
    }
    for segment in told.finished:
        assert probe(root / segment.path)["packets"] == segment.frames


async def test_nothing_blocks_the_event_loop(tmp_path: Path, fragments: list[Fragment]) -> None:
    told = Told()
    with blockbuster_ctx("livecam_nvr"):
        root = tmp_path / "recordings"
        archive = FileArchive(root, 0.5, SystemClock())
        index = Index(tmp_path / "data" / "index.db", root, SystemClock(), archive.is_writing)
        switches = SwitchFile(tmp_path / "data" / "switches.json")
        await archive.start()
        await index.start()
        await index.reconcile()
        writer = archive.begin(start_of(fragments[0]), told.finished.append, told.failed.append)
        for fragment in fragments:
            writer.append(fragment)
        writer.finish(EndCause.CLOCK)
        await archive.flush()
        index.add(told.finished[0])
        switches.save({"cam0": Switch(True)})
        await Disk(root).probe()
        await StorageCheck(root, tmp_path, SystemClock(), 0).check()
        await archive.stop()
        await index.flush()
        found = await index.latest("cam0")
        await index.stop()
        await switches.stop()
    assert found == told.finished
    assert not told.failed
