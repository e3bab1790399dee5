"""Manifests, signed exports and what finds them changed; real files, real signatures."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from fakes.runtime_clock import NOON_UTC_NS, FakeClock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import NS, Segment, segment_path
from livecam_nvr.storage.evidence.audit import audit_chain, audit_files
from livecam_nvr.storage.evidence.keeper import EvidenceKeeper
from livecam_nvr.storage.evidence.manifests import days, file_hash, known_hashes, manifest_path, read_day
from livecam_nvr.storage.evidence.proof import attach, examine
from livecam_nvr.storage.evidence.signing import fingerprint, key_path, public_bytes, signing_key

DAY_NS = 86_400 * NS


def recorded(root: Path, number: int, camera_id: str = "cam0", start_utc_ns: int = NOON_UTC_NS) -> Segment:
    start = start_utc_ns + number * 30 * NS
    path = str(segment_path(camera_id, start, 0))
    (root / ".livecam-nvr").mkdir(exist_ok=True)  # with its marker, as each archive has it
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(f"{camera_id} {number} ".encode() * 1000)
    return Segment(
        camera_id,
        path,
        start,
        30 * NS,
        0,
        900,
        file.stat().st_size,
        1,
        number,
        EndCause.CLOCK,
        "avc1.42c01f",
        640,
        360,
    )


def report(*segments: Segment) -> dict[str, Any]:
    return {
        "cameras": ["cam0"],
        "from_utc_ns": segments[0].start_utc_ns,
        "to_utc_ns": segments[-1].end_utc_ns,
        "segments": [{"path": one.path, "begin_utc_ns": one.start_utc_ns} for one in segments],
        "gaps": [
            {"begin_utc_ns": NOON_UTC_NS, "end_utc_ns": NOON_UTC_NS + NS, "cause": "camera", "words": "away"}
        ],
    }


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def keeper(tmp_path: Path, clock: FakeClock) -> AsyncIterator[EvidenceKeeper]:
    found = EvidenceKeeper(tmp_path, clock)
    found.start()
    yield found
    await found.stop()


@pytest.fixture
async def export(tmp_path: Path, keeper: EvidenceKeeper) -> Path:
    segments = [recorded(tmp_path, number, camera) for number in range(3) for camera in ("cam0", "cam1")]
    for segment in segments:
        keeper.add(segment)
    await keeper.flush()
    file = tmp_path / "export.mp4"
    file.write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\x10\x08mdat" + os.urandom(0x1000))
    attach(
        file, report(segments[0], segments[2], segments[4]), tmp_path, signing_key(tmp_path / "data"), NOON_UTC_NS
    )
    return file


async def test_nothing_is_written_below_a_disk_that_has_vanished(tmp_path: Path, keeper: EvidenceKeeper) -> None:
    segment = recorded(tmp_path, 0)
    disk, away = tmp_path / ".livecam-nvr", tmp_path / "away"
    disk.rename(away)
    keeper.add(segment)
    await keeper.flush()
    assert not disk.exists()
    away.rename(disk)
    await keeper.flush()
    keeper.add(recorded(tmp_path, 1))
    await keeper.flush()
    assert len(read_day(tmp_path, days(tmp_path)[0])) == 2, "it is made up for"


async def test_each_file_is_written_down_with_its_hash(tmp_path: Path, keeper: EvidenceKeeper) -> None:
    segments = [recorded(tmp_path, number) for number in range(3)]
    for segment in segments:
        keeper.add(segment)
    await keeper.flush()
    assert days(tmp_path) == ["20251121"]
    assert known_hashes(tmp_path, "") == {one.path: file_hash(tmp_path / one.path)[0] for one in segments}
    assert list(audit_chain(tmp_path)) == []
    assert list(audit_files(tmp_path)) == []


async def test_the_chain_goes_on_over_midnight_a_restart_and_a_clock_set_back(
    tmp_path: Path, keeper: EvidenceKeeper, clock: FakeClock
) -> None:
    keeper.add(recorded(tmp_path, 0))
    await keeper.flush()
    clock.advance(86_400)
    keeper.add(recorded(tmp_path, 1))
    await keeper.stop()
    clock.step(-5 * 86_400)
    again = EvidenceKeeper(tmp_path, clock)
    again.start()
    again.add(recorded(tmp_path, 2))
    await again.stop()
    assert [len(read_day(tmp_path, day)) for day in days(tmp_path)] == [1, 2]
    assert list(audit_chain(tmp_path)) == []


async def test_a_line_torn_by_a_power_cut_is_written_again(tmp_path: Path, clock: FakeClock) -> None:
    segments = [recorded(tmp_path, number) for number in range(3)]
    first = EvidenceKeeper(tmp_path, clock)
    first.start()
    first.add(segments[0])
    await first.flush()
    first.add(segments[1])
    await first.stop()
    manifest = tmp_path / manifest_path("20251121")
    whole = manifest.read_bytes()
    for cut in (1, len(whole) // 4, whole.rindex(b"\n", 0, -1)):
        manifest.write_bytes(whole[:-cut])
        after = EvidenceKeeper(tmp_path, clock)
        after.start()
        after.catch_up(segments)
        await after.stop()
        assert list(audit_chain(tmp_path)) == []
        assert set(known_hashes(tmp_path, "")) == {one.path for one in segments}


async def test_what_took_the_place_of_others_replaces_them(tmp_path: Path, keeper: EvidenceKeeper) -> None:
    old, new = recorded(tmp_path, 0), recorded(tmp_path, 40)
    keeper.add(old)
    keeper.add(new, "redated", [old.path])
    await keeper.flush()
    assert list(known_hashes(tmp_path, "")) == [new.path]


async def test_a_file_deleted_meanwhile_is_no_trouble(
    tmp_path: Path, keeper: EvidenceKeeper, caplog: pytest.LogCaptureFixture
) -> None:
    gone, there = recorded(tmp_path, 0), recorded(tmp_path, 1)
    (tmp_path / gone.path).unlink()
    keeper.add(gone)
    keeper.add(there)
    await keeper.flush()
    assert list(known_hashes(tmp_path, "")) == [there.path]
    assert not caplog.records


async def test_nothing_is_written_onto_the_wrong_disk_and_nothing_is_lost(
    tmp_path: Path, clock: FakeClock
) -> None:
    right = False
    keeper = EvidenceKeeper(tmp_path, clock, lambda: right)
    keeper.start()
    keeper.add(recorded(tmp_path, 0))
    await keeper.flush()
    assert days(tmp_path) == []
    right = True
    await keeper.flush()
    assert len(known_hashes(tmp_path, "")) == 1
    await keeper.stop()


async def test_a_disk_that_refuses_is_told_once_and_tried_again(
    tmp_path: Path, keeper: EvidenceKeeper, caplog: pytest.LogCaptureFixture
) -> None:
    blocking = tmp_path / ".livecam-nvr" / "manifests"
    blocking.parent.mkdir()
    blocking.write_text("a file where a folder should be")
    keeper.add(recorded(tmp_path, 0))
    await keeper.flush()
    await keeper.flush()
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    blocking.unlink()
    await keeper.flush()
    assert len(known_hashes(tmp_path, "")) == 1


async def test_changes_in_the_archive_are_found(tmp_path: Path, keeper: EvidenceKeeper) -> None:
    segments = [recorded(tmp_path, number) for number in range(3)]
    for segment in segments:
        keeper.add(segment)
    await keeper.flush()
    with (tmp_path / segments[1].path).open("r+b") as file:
        file.write(b"X")
    assert [finding.path for finding in audit_files(tmp_path)] == [segments[1].path]
    manifest = tmp_path / manifest_path("20251121")
    lines = manifest.read_bytes().splitlines(keepends=True)
    manifest.write_bytes(lines[0] + lines[2])
    (broken,) = audit_chain(tmp_path)
    assert "does not follow" in broken.words


def test_an_export_is_whole(tmp_path: Path, export: Path) -> None:
    verdict = examine(export)
    assert verdict.whole
    assert not verdict.problems
    assert not verdict.doubts
    assert verdict.fingerprint == fingerprint(public_bytes(signing_key(tmp_path / "data")))
    assert verdict.statement["report"]["gaps"][0]["words"] == "away"
    # All from the first file to the last one, those of the other camera between them, too; and no more.
    assert [json.loads(line)["camera_id"] for line in verdict.statement["chain"]] == ["cam0", "cam1"] * 2 + [
        "cam0"
    ]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    max_examples=150,
)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_whatever_bit_is_changed_it_shows(export: Path, place: float, bit: int) -> None:
    data = bytearray(export.read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    forged = export.with_name("forged.mp4")
    forged.write_bytes(data)
    try:
        shown = not examine(forged).whole
    except LivecamError as error:
        shown = error.kind is ErrorKind.INVALID
    assert shown


def test_what_is_cut_off_or_added_shows(export: Path) -> None:
    data = export.read_bytes()
    longer = export.with_name("longer.mp4")
    longer.write_bytes(data + b"\0\0\0\x08free")
    assert "8 bytes were added behind the proof" in examine(longer).problems
    for length in (0, 7, 40, len(data) - 1):
        longer.write_bytes(data[:length])
        with pytest.raises(LivecamError, match="carries no proof"):
            examine(longer)


def test_a_file_that_was_not_hashed_yet_is_a_doubt(tmp_path: Path, export: Path) -> None:
    file = tmp_path / "other.mp4"
    file.write_bytes(b"\0\0\0\x08free")
    attach(file, report(recorded(tmp_path, 77)), tmp_path, signing_key(tmp_path / "data"), NOON_UTC_NS)
    verdict = examine(file)
    assert verdict.whole
    assert "had not been written into the chain" in verdict.doubts[0]


def test_an_export_made_again_by_somebody_else_has_another_fingerprint(tmp_path: Path, export: Path) -> None:
    before = examine(export)
    forged = tmp_path / "forged.mp4"
    forged.write_bytes(b"\0\0\0\x08free")
    attach(forged, before.statement["report"], tmp_path, signing_key(tmp_path / "elsewhere"), NOON_UTC_NS)
    assert examine(forged).fingerprint != before.fingerprint


def test_the_key_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    first = signing_key(tmp_path / "new" / "data")
    assert public_bytes(signing_key(tmp_path / "new" / "data")) == public_bytes(first)
    path = key_path(tmp_path / "new" / "data")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("text", ["", "no key"])
def test_a_key_file_that_is_no_key(tmp_path: Path, text: str) -> None:
    key_path(tmp_path).write_text(text)
    with pytest.raises(LivecamError, match="is no key") as caught:
        signing_key(tmp_path)
    assert caught.value.kind is ErrorKind.CONFIG


def command(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "livecam_nvr", *words], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_the_commands(tmp_path: Path, export: Path) -> None:
    mine = command("key", cwd=tmp_path)
    assert mine.returncode == 0
    good = command("verify-export", str(export), "--key", mine.stdout.strip().upper(), cwd=tmp_path)
    assert good.returncode == 0, good.stderr
    assert "export.mp4: whole and unchanged" in good.stdout
    assert "gap: 2025-11-21 12:00:00 UTC, 1.0 s: away" in good.stdout
    other = command("verify-export", str(export), "--key", "0000", cwd=tmp_path)
    assert (other.returncode, "signed with another key" in other.stdout) == (1, True)
    as_json = command("verify-export", str(export), "--json", cwd=tmp_path)
    assert json.loads(as_json.stdout)["whole"] is True
    with export.open("r+b") as file:
        file.seek(30)
        file.write(b"forged")
    bad = command("verify-export", str(export), cwd=tmp_path)
    assert (bad.returncode, "NOT what was exported" in bad.stdout) == (1, True)
    missing = command("verify-export", "nothing.mp4", cwd=tmp_path)
    assert (missing.returncode, "cannot be read" in missing.stderr) == (1, True)


async def test_manifests_of_more_than_a_year_ago_go_and_the_chain_goes_on(
    tmp_path: Path, clock: FakeClock
) -> None:
    for days_later in (0, 300, 200):
        clock.advance(days_later * 86_400)
        keeper = EvidenceKeeper(tmp_path, clock)
        keeper.start()
        keeper.add(recorded(tmp_path, days_later))
        await keeper.stop()
    assert days(tmp_path) == ["20260917", "20270405"]
    assert list(audit_chain(tmp_path)) == []
