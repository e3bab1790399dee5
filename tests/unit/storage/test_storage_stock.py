"""Which files may be deleted, and that the index answers by seeking."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fakes.storage_recordings import DAY, HOUR, NOW_UTC_NS, entry_row, segment
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.domain.ledger import Clip
from livecam_nvr.domain.retention import Recorded, Rules
from livecam_nvr.domain.segment import NS
from livecam_nvr.storage.index.database import open_database
from livecam_nvr.storage.index.migrate import migrate
from livecam_nvr.storage.index.rows import put
from livecam_nvr.storage.shedding import stock
from livecam_nvr.storage.shedding.stock import Held, ahead_bytes, clips, holdings, stocks

BEGAN = NOW_UTC_NS - 2 * HOUR
RULES = Rules(event_before_ns=5 * NS, event_after_ns=10 * NS)


def database(rows: Iterator[tuple[str, object]] | list[tuple[str, object]] = ()) -> sqlite3.Connection:  # type: ignore[assignment]
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, "memory")
    for sql, values in rows:
        db.execute(sql, values)  # type: ignore[arg-type]
    return db


def files(db: sqlite3.Connection, kept: list[Clip] | None = None) -> tuple[list[Recorded], list[Recorded]]:
    found = stocks(db, RULES, clips(db) if kept is None else kept, NOW_UTC_NS)
    return (list(found["cam0"].ordinary), list(found["cam0"].events)) if found else ([], [])


def seconds(found: list[Recorded]) -> list[int]:
    return [(file.begin_utc_ns - BEGAN) // NS for file in found]


def test_held_ranges_are_asked_from_the_past_to_the_future() -> None:
    held = Held([(10, 20), (12, 50), (60, 61)])
    assert held.until(0, 10) is None
    assert held.until(5, 11) == 20
    assert held.until(5, 13) == 50
    assert held.until(19, 21) == 50
    assert held.until(50, 60) is None
    assert held.until(55, 100) == 61
    assert held.until(61, 100) is None


def test_clips_and_events_are_told_from_the_rest() -> None:
    rows = [statement for at in range(0, 600, 30) for statement in put(segment(BEGAN + at * NS))]
    rows += [
        entry_row("c", "clip", BEGAN + 45 * NS, BEGAN + 90 * NS),  # ends where a file begins
        entry_row("e", "event", BEGAN + 215 * NS, BEGAN + 225 * NS),  # with what lies around it 210 to 235
        entry_row("moment", "event", BEGAN + 300 * NS, BEGAN + 300 * NS),  # 295 to 310
        entry_row("other", "state", BEGAN, None),
        entry_row("there", "event", BEGAN, BEGAN + 600 * NS, "cam1"),
    ]
    with closing(database(rows)) as db:
        ordinary, events = files(db)
        assert seconds(events) == [210, 270, 300]
        assert all(file.event for file in events)
        assert seconds(ordinary) == [0, 90, 120, 150, 180, 240, *range(330, 600, 30)]
        whole = stocks(db, RULES, (), NOW_UTC_NS)
        assert whole["cam0"].bytes == 20_000
        kept = [Clip("x", "cam0", "", "", BEGAN, BEGAN + 10_000 * NS)]
        assert files(db, kept) == ([], [])


def test_an_event_that_lasts_ends_now_and_at_most_after_a_day() -> None:
    old = NOW_UTC_NS - 3 * DAY
    rows = [*put(segment(old)), *put(segment(old + 2 * DAY)), *put(segment(NOW_UTC_NS - 30 * NS))]
    with closing(database([*rows, entry_row("e", "event", old - 60 * NS, None)])) as db:
        _, events = files(db)
        assert [file.begin_utc_ns for file in events] == [old]
    with closing(database([*rows, entry_row("e", "event", NOW_UTC_NS - 60 * NS, None)])) as db:
        _, events = files(db)
        assert [file.begin_utc_ns for file in events] == [NOW_UTC_NS - 30 * NS]


spans = st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 2000)), max_size=12)


@given(
    st.lists(
        st.tuples(st.integers(0, 9000), st.sampled_from([0.5, 30, 600])), max_size=40, unique_by=lambda s: s[0]
    ),
    spans,
    spans,
)
def test_the_walk_agrees_with_the_plain_answer(
    made: list[tuple[int, float]], kept: list[tuple[int, int]], happened: list[tuple[int, int]]
) -> None:
    """Files of any length that may overlap; a long clip is stepped over, which may only spare more."""
    segments = [segment(BEGAN + at * NS, length_s=length) for at, length in made]
    rows = [statement for item in segments for statement in put(item)]
    for kind, ranges in (("clip", kept), ("event", happened)):
        rows += [
            entry_row(f"{kind}{number}", kind, BEGAN + at * NS, BEGAN + (at + length) * NS)
            for number, (at, length) in enumerate(ranges)
        ]
    with closing(database(rows)) as db:
        ordinary, events = files(db)

    def touches(item: Recorded, ranges: list[tuple[int, int]], before: int = 0, after: int = 0) -> bool:
        begin, end = (item.begin_utc_ns - BEGAN) / NS, (item.end_utc_ns - BEGAN) / NS
        return any(at - before < end and max(at + length, at + 1e-9) + after > begin for at, length in ranges)

    every = [Recorded("cam0", s.path, s.start_utc_ns, s.end_utc_ns, s.bytes) for s in segments]
    free = [file for file in every if not touches(file, kept)]
    assert {file.path for file in events} == {f.path for f in free if touches(f, happened, 5, 10)}
    assert {file.path for file in ordinary} == {f.path for f in free if not touches(f, happened, 5, 10)}
    for found in (ordinary, events):
        begins = [file.begin_utc_ns for file in found]
        assert begins == sorted(begins)
        assert len({file.path for file in found}) == len(found)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """50 000 files of two cameras, events and clips."""
    db = open_database(Path(tmp_path_factory.mktemp("index")) / "index.db")
    db.execute("BEGIN")
    begin = NOW_UTC_NS - 25_000 * 30 * NS
    for camera_id in ("cam0", "cam1"):
        # Nothing is there yet that they would replace.
        inserts = [put(segment(begin + at * 30 * NS, camera_id))[-1] for at in range(25_000)]
        db.executemany(inserts[0][0], (values for _, values in inserts))
    for at in range(0, 25_000, 50):
        db.execute(*entry_row(f"e{at}", "event", begin + at * 30 * NS, begin + (at * 30 + 20) * NS))
    db.execute("COMMIT")
    yield db
    db.close()


@pytest.mark.parametrize(
    "sql",
    [stock.WALK, stock.TOUCHING, stock.NEXT, stock.NEWEST, stock.SINCE, stock.LONGEST, stock.CLIPS, stock.EVENTS],
)
def test_every_question_is_a_seek(large: sqlite3.Connection, sql: str) -> None:
    values: object = {"camera": "cam0", "first": 0, "end": 1, "begin": 0} if ":" in sql else (0,) * sql.count("?")
    steps = [row[3] for row in large.execute(f"EXPLAIN QUERY PLAN {sql}", values)]  # type: ignore[arg-type]
    assert len(steps) == 1, "nothing is sorted"
    assert "USING" in steps[0]
    assert steps[0].startswith("SEARCH")
    assert "camera_id=?" in steps[0]


def test_totals_come_from_the_days(large: sqlite3.Connection) -> None:
    assert [row[3] for row in large.execute(f"EXPLAIN QUERY PLAN {stock.TOTALS}")] == ["SCAN day"]
    assert [(camera_id, count) for camera_id, count, _ in large.execute(stock.TOTALS)] == [
        ("cam0", 25_000), ("cam1", 25_000),
    ]  # fmt: skip


def test_only_as_many_rows_are_read_as_are_taken(large: sqlite3.Connection) -> None:
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    large.set_progress_handler(step, 100)
    try:
        found = stocks(large, RULES, (), NOW_UTC_NS)
        ordinary = [next(found["cam0"].ordinary) for _ in range(500)]
        events = [next(found["cam0"].events) for _ in range(20)]
    finally:
        large.set_progress_handler(None, 0)
    assert ordinary[0].begin_utc_ns < ordinary[-1].begin_utc_ns
    assert len(events) == 20
    assert steps * 100 < 200_000, "of 50 000 rows, some 500 were walked over"


def test_what_there_is_of_each_camera(large: sqlite3.Connection) -> None:
    found = holdings(large, NOW_UTC_NS, NOW_UTC_NS - 6 * HOUR)
    assert found["cam1"].files == 25_000
    assert found["cam1"].bytes == 25_000_000
    assert found["cam1"].oldest_utc_ns == NOW_UTC_NS - 25_000 * 30 * NS
    assert found["cam1"].newest_utc_ns == NOW_UTC_NS
    assert found["cam1"].bytes_per_day == 2880 * 1000
    assert found["cam1"].recording_bytes_per_s == pytest.approx(1000 / 30)
    assert ahead_bytes(large, ["cam0", "new"], 600) == {"cam0": 20_000, "new": 0}
    later = holdings(large, NOW_UTC_NS + 9 * DAY, None)
    assert later["cam0"].bytes_per_day == 2880 * 1000, "the last day with recordings"


def test_clips_take_their_part() -> None:
    rows = [statement for at in range(0, 600, 30) for statement in put(segment(BEGAN + at * NS))]
    rows += [entry_row(f"c{at}", "clip", BEGAN + at * NS, BEGAN + (at + 40) * NS) for at in (30, 45)]
    with closing(database(rows)) as db:
        assert holdings(db, NOW_UTC_NS, None)["cam0"].kept_bytes == 2000
        assert [clip.id for clip in clips(db)] == ["c30", "c45"]


def test_an_empty_index() -> None:
    with closing(database()) as db:
        assert holdings(db, NOW_UTC_NS, None) == {}
        assert stocks(db, RULES, (), NOW_UTC_NS) == {}
        assert ahead_bytes(db, ["cam0"], 600) == {"cam0": 0}
