"""Coverage from the index: the same as from the files one by one, and by seeks alone."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from livecam_nvr.domain.coverage import GapCause, Span
from livecam_nvr.domain.gaps import Stretch, stretches
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.storage.index.database import open_database
from livecam_nvr.storage.index.rows import put
from livecam_nvr.storage.ledger import past
from livecam_nvr.storage.ledger.entries import STATES, TOUCHING, Change, apply_change, find_entries
from livecam_nvr.storage.ledger.past import read_coverage, read_days, read_footage

BEGAN = 1_790_000_000 * NS


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(tmp_path / "index.db")) as connection:
        yield connection


def segment(begin_s: float, length_s: float = 30.0, sequence: int = 0, **more: object) -> Segment:
    begin = BEGAN + round(begin_s * NS)
    made = Segment(
        "cam0", f"cam0/261121/{begin}.mp4", begin, round(length_s * NS), 7200, round(length_s * 30), 1000, 7,
        sequence, EndCause.CLOCK, "avc1", 640, 360,
    )  # fmt: skip
    return replace(made, **more)  # type: ignore[arg-type]


def add(db: sqlite3.Connection, *segments: Segment) -> None:
    for item in segments:
        for sql, values in put(item):
            db.execute(sql, values)


def note(db: sqlite3.Connection, kind: EntryKind, begin_s: float, end_s: float | None = None, **data: str) -> None:
    end = None if end_s is None else BEGAN + round(end_s * NS)
    sql, values = apply_change(Change(Entry("cam0", kind, BEGAN + round(begin_s * NS), end, data)))
    db.execute(sql, values)


def within(found: list[Stretch], asked: Span) -> list[tuple[int, int]]:
    """What of the stretches lies in the range."""
    clipped = ((max(s.begin_utc_ns, asked.begin_utc_ns), min(s.end_utc_ns, asked.end_utc_ns)) for s in found)
    return [(begin, end) for begin, end in clipped if begin < end]


def test_the_index_finds_what_the_files_one_by_one_say(db: sqlite3.Connection) -> None:
    chance = random.Random(5)
    made: list[Segment] = []
    at, run, sequence = 0.0, 1, 0
    for _ in range(600):
        length = chance.choice([0.4, 10, 30, 30, 30, 600])
        if chance.random() < 0.15:  # a run ends
            made[-1:] = [replace(made[-1], cause=EndCause.CAMERA)] if made else []
            run, sequence, at = run + 1, 0, at + chance.choice([0.1, 0.5, 3.0, 500.0])
        jitter = chance.choice([0.0, 0.02, -0.05, 0.24, 0.3, 1.5, -3.0]) if made else 0.0
        merged = chance.choice([1, 1, 20])
        begin = at + jitter + (3600 if chance.random() < 0.01 else 0)
        made.append(segment(begin, length, sequence, run_id=run, merged=merged))
        at, sequence = begin + length, sequence + merged
    made = list({item.start_utc_ns: item for item in made}.values())
    add(db, *made)
    made.sort(key=lambda item: item.start_utc_ns)
    whole = Span(made[0].start_utc_ns, max(item.end_utc_ns for item in made))
    found, frames = read_footage(db, "cam0", whole)
    assert frames == sum(item.frames for item in made)
    assert within(found, whole) == within(stretches(made), whole)
    assert [part.cause for part in found] == [part.cause for part in stretches(made)]
    for _ in range(60):
        begin, end = sorted(chance.sample(range(whole.begin_utc_ns, whole.end_utc_ns), 2))
        asked = Span(begin, end)
        seen = [item for item in made if item.start_utc_ns < end]
        found, frames = read_footage(db, "cam0", asked)
        assert within(found, asked) == within(stretches(seen), asked), asked
        assert frames == sum(item.frames for item in seen if item.start_utc_ns >= begin)
        earlier = [item.start_utc_ns for item in seen if item.start_utc_ns < begin]
        assert not earlier or found[0].begin_utc_ns <= begin, "the last one from before is wanted, too"


def test_nothing_and_too_little(db: sqlite3.Connection) -> None:
    asked = Span(BEGAN, BEGAN + 60 * NS)
    found = read_coverage(db, "cam0", asked, BEGAN + 999 * NS)
    assert [(gap.cause, gap.duration_ns) for gap in found.gaps] == [(GapCause.NEVER, 60 * NS)]
    assert (found.spans, found.frames, found.share, found.share_of_wanted) == ((), 0, 0.0, 1.0)
    add(db, segment(100))
    assert read_coverage(db, "cam0", asked, BEGAN + 999 * NS).gaps == found.gaps
    assert read_coverage(db, "cam1", asked, BEGAN + 999 * NS).gaps == found.gaps


def test_what_grows_is_not_in_the_index_yet(db: sqlite3.Connection) -> None:
    add(db, segment(0, sequence=0), segment(30, sequence=1))
    note(db, EntryKind.STATE, 0.5, cause="")
    growing = [Stretch(BEGAN + 60 * NS, BEGAN + 71 * NS, EndCause.CLOCK, follows=True)]
    found = read_coverage(db, "cam0", Span(BEGAN, BEGAN + 73 * NS), BEGAN + 73 * NS, growing)
    assert found.spans == (Span(BEGAN, BEGAN + 71 * NS),)
    assert not found.gaps
    assert found.range.end_utc_ns == BEGAN + 71 * NS, "what is on its way is no gap"
    late = read_coverage(db, "cam0", Span(BEGAN, BEGAN + 90 * NS), BEGAN + 90 * NS, growing)
    assert [gap.duration_ns for gap in late.gaps] == [19 * NS]


def test_days(db: sqlite3.Connection) -> None:
    add(db, segment(0), segment(30), segment(86_400))
    days = read_days(db, "cam0")
    assert [(day.day, day.segments, day.duration_ns) for day in days] == [
        ("2026-09-21", 2, 60 * NS),
        ("2026-09-22", 1, 30 * NS),
    ]
    assert read_days(db, "cam1") == []


def test_entries_that_touch_a_range(db: sqlite3.Connection) -> None:
    note(db, EntryKind.EVENT, 0, 1000, label="long")
    note(db, EntryKind.EVENT, 100, 110, label="before")
    note(db, EntryKind.EVENT, 200, 201, label="in")
    note(db, EntryKind.EVENT, 150, None, label="lasts")
    note(db, EntryKind.EVENT, 300, 301, label="after")
    for at in range(0, 400, 50):
        note(db, EntryKind.STATE, at, words=str(at))
    begin, end = BEGAN + 190 * NS, BEGAN + 290 * NS
    events = find_entries(db, "cam0", [EntryKind.EVENT], begin, end)
    assert [entry.data["label"] for entry in events] == ["long", "lasts", "in"]
    states = find_entries(db, "cam0", [EntryKind.STATE], begin, end)
    assert [entry.data["words"] for entry in states] == ["150", "200", "250"]


@pytest.mark.parametrize("sql", [past._OPEN_ENDS, past._LOOKED_AT_AGAIN, past._FIRST, STATES, TOUCHING])
def test_no_question_scans_a_table(db: sqlite3.Connection, sql: str) -> None:
    values = {"camera": "cam0", "kind": "event", "begin": 0, "end": 9, "from": 0, "longest": 1, "starts": "[]"}
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    scans = [step for step in plan if step.startswith("SCAN") and "VIRTUAL" not in step]
    assert plan
    assert not [step for step in scans if "subquery" not in step.lower()], plan
    for question in (past._LONGEST, past._BEFORE, past._DAYS):
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {question}", ("cam0", 0)[: question.count("?")])]
        assert all("SEARCH" in step for step in plan), plan
