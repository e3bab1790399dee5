"""What the archive and its index cost at scale: a year of 30-second segments of four cameras.

day_timeline_ms       the coverage of a day, asked as the page asks it
coverage_month_ms     the coverage of 30 days
retention_1000_ms     the index's part in deleting 1000 recordings: choosing them, removing their rows
start_s               opening the index and comparing it with the newest days' files, after a service was killed
reindex_files_per_s   rebuilding the index from files whose heads are in memory
write_amplification   bytes written to the disk per byte recorded, index included, over 90 s of four cameras

Everything is made here, in a temporary folder: an index of 4.2 million rows takes 2 GB.

Usage: python -m benchmarks.storage [--json] [--quick]
"""

import argparse
import asyncio
import json
import logging
import platform
import sqlite3
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measure import say
from benchmarks.storage_fill import BYTES, DAY_S, clip, fill, newest_files, pages, small_files
from benchmarks.storage_writes import WritePlan, measure
from livecam_nvr.core.ports import SegmentStart
from livecam_nvr.domain.media import Fragment
from livecam_nvr.domain.retention import Limits, Rules
from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.files.names import Names
from livecam_nvr.storage.files.segment_file import SegmentFile
from livecam_nvr.storage.index.index import INDEX_NAME, Index
from livecam_nvr.storage.index.reindex import reindex
from livecam_nvr.storage.ledger.past import IndexedPast
from livecam_nvr.storage.shedding.shedding import ArchiveShedding

CAMERAS = ["cam0", "cam1", "cam2", "cam3"]
_NEWEST_DAYS = 4
_DELETIONS = 1000
_DAY = timedelta(days=1)
_TINY = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"]
# Noise, so that the encoder needs the rate that it is given.
_FILM = "testsrc2=size=640x360:rate=30,noise=alls=40:allf=t"
_RATE = ["-b:v", "2M", "-maxrate", "2M", "-bufsize", "2M"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is made."""

    days: int
    files: int
    writes: WritePlan


FULL = Plan(365, 20_000, WritePlan())
QUICK = Plan(40, 4_000, WritePlan(seconds=20, segment_s=10))


def main() -> None:
    """Runs everything and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object on stdout and nothing else")
    parser.add_argument("--quick", action="store_true", help="40 days and 20 s of recording: a rough look")
    options = parser.parse_args()
    logging.getLogger("livecam_nvr").addHandler(logging.NullHandler())
    with tempfile.TemporaryDirectory(prefix="livecam-storage-") as name:
        result = run(Path(name), QUICK if options.quick else FULL)
    print(json.dumps(result) if options.json else "\n".join(f"{key:24}{value}" for key, value in result.items()))


def run(folder: Path, plan: Plan) -> dict[str, Any]:
    """All of it; the keys are those of `--json`."""
    began_s = time.monotonic()
    say(f"{platform.machine()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}")
    tiny = clip(folder / "tiny.mp4", "testsrc2=size=64x64:rate=30", _TINY, 1)
    result = {**asyncio.run(_at_scale(folder, plan, tiny)), "reindex_files_per_s": _reindex(folder, plan, tiny)}
    say("recording …")
    codec = ["-c:v", "libx264", "-preset", "veryfast", *_RATE]
    film = clip(folder / "film.mp4", _FILM, codec, int(plan.writes.segment_s) + 1)
    written = measure(folder, film, plan.writes)
    recorded_mb, written_mb = written.recorded_bytes / 1e6, written.disk_bytes / 1e6
    say(f"{recorded_mb:.1f} MB recorded, {written_mb:.1f} MB written: {written.how}")
    result["write_amplification"] = round(written.amplification, 4)
    result["rows"] = result.pop("rows")
    say(f"all that took {time.monotonic() - began_s:.0f} s")
    return result


async def _at_scale(folder: Path, plan: Plan, tiny: list[Fragment]) -> dict[str, Any]:
    root, database = folder / "recordings", folder / INDEX_NAME
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    # The last day is over: all of it is there.
    last = today - _DAY
    began_s = time.monotonic()
    rows = fill(database, CAMERAS, plan.days, last)
    say(f"an index of {rows} rows, {pages(database) / 1e6:.0f} MB, made in {time.monotonic() - began_s:.0f} s")
    files = newest_files(root, CAMERAS, plan.days, _NEWEST_DAYS, last)
    say(f"{files} files of the newest {_NEWEST_DAYS} days")
    for camera in CAMERAS:
        _left_by_a_killed_service(root, camera, tiny, last)
    index = Index(database, root, SystemClock(), lambda _: False)
    began_s = time.monotonic()
    await index.start()
    report = await index.reconcile()
    start_s = time.monotonic() - began_s
    say(f"started in {start_s:.2f} s: {report.folders} folders, {report.files} files, {report.in_words}")
    try:
        past = IndexedPast(index, SystemClock())
        days = [await _coverage_ms(past, last - n * 7 * _DAY, 1) for n in range(plan.days // 8)]
        months = [await _coverage_ms(past, last - (30 + n) * _DAY, 30) for n in range(min(9, plan.days - 31))]
        retention = [await _retention_ms(root, index) for _ in range(5)]
    finally:
        await index.stop()
    for what, found in (("a day", days), ("a month", months), ("1000 deletions", retention)):
        say(f"{what}: median {median(found):.1f} ms, worst {max(found):.1f} ms of {len(found)}")
    return {
        "day_timeline_ms": round(median(days), 2),
        "retention_1000_ms": round(median(retention), 1),
        "start_s": round(start_s, 2),
        "coverage_month_ms": round(median(months), 1),
        "rows": rows,
    }


def _left_by_a_killed_service(root: Path, camera: str, fragments: list[Fragment], last: datetime) -> None:
    begin = (int(last.timestamp()) + DAY_S) * NS
    file = SegmentFile(root, SegmentStart(camera, fragments[0].init, begin, 0, 1, 0), Names())
    file.create()
    file.write(fragments)
    file.close()


async def _coverage_ms(past: IndexedPast, begin: datetime, days: int) -> float:
    begin_ns = int(begin.timestamp()) * NS
    began_s = time.perf_counter()
    found = await past.coverage("cam1", begin_ns, begin_ns + days * DAY_S * NS)
    took_ms = (time.perf_counter() - began_s) * 1000
    share = found.recorded_ns / (days * DAY_S * NS)
    if not 0.99 < share <= 1:  # a figure of something that did not work is worse than none
        raise SystemExit(f"{share:.1%} of {days} days are covered")
    return took_ms


async def _retention_ms(root: Path, index: Index) -> float:
    """Chooses and removes so many rows; that there are no files is what makes it the index's part alone."""
    kept, rows = await index.ask(lambda db: db.execute("SELECT sum(bytes), sum(segments) FROM day").fetchone())
    shedding = ArchiveShedding(root, index, SystemClock())
    rules = Rules(Limits(max_bytes=kept - (_DELETIONS - 1) * BYTES - 1))
    began_s = time.perf_counter()
    plan = await shedding.plan(rules, time.time_ns(), by_age=True, most=_DELETIONS)
    planned_s = time.perf_counter()
    done = await shedding.unlink([item.file for item in plan.doomed])
    unlinked_s = time.perf_counter()
    await shedding.settle()
    took_ms = (planned_s - began_s + time.perf_counter() - unlinked_s) * 1000
    left = await index.ask(lambda db: db.execute("SELECT sum(segments) FROM day").fetchone()[0])
    if len(done.gone) != _DELETIONS or left != rows - _DELETIONS:
        raise SystemExit(f"{len(done.gone)} files were chosen, {left} of {rows} rows are left")
    return took_ms


def _reindex(folder: Path, plan: Plan, tiny: list[Fragment]) -> int:
    root, database = folder / "small", folder / "small.sqlite3"
    last = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - _DAY
    small_files(root, tiny, plan.files, last)
    rates = []
    for _ in range(3):
        began_s = time.monotonic()
        report = reindex(root, database, lambda _done, _total: None)
        rates.append(plan.files / (time.monotonic() - began_s))
        if report.indexed != plan.files:
            raise SystemExit(f"{report.indexed} of {plan.files} files were indexed: {report}")
    say(f"reindexing {plan.files} files: {', '.join(f'{rate:.0f}' for rate in rates)} files/s")
    return round(median(rates))


if __name__ == "__main__":
    main()
