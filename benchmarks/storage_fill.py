"""Makes archives for the benchmark of storage: an index of years, and thousands of small real files."""

import itertools
import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import NS
from livecam_nvr.media.fragments import FragmentReader
from livecam_nvr.storage.files.label import END_AT, LABEL_BYTES, Begin, End, end_record, label_box
from livecam_nvr.storage.files.tables import Tally, keyframe_table
from livecam_nvr.storage.index.database import open_database, transaction
from livecam_nvr.storage.index.rows import COMPLETE, FILL_DAYS, INSERT

SEGMENT_S = 30
DAY_S = 86_400
BYTES = 7_500_000
FRAMES = 900
_A_DAY = DAY_S // SEGMENT_S
_EVENTS_A_DAY = 24
_LOST = 997
"""Every so many segments one is missing, and the next run begins."""


def names(camera: str, days: int, last_day: datetime, begin: int = 0) -> Iterator[tuple[str, int, int]]:
    """Path, start (UTC, seconds) and number of each segment from a day on, oldest first; named in UTC."""
    times = [f"{s // 3600:02}{s // 60 % 60:02}{s % 60:02}" for s in range(0, DAY_S, SEGMENT_S)]
    for number in range(begin, days):
        day = last_day - timedelta(days=days - 1 - number)
        begin_s = int(day.timestamp())
        head = f"{camera}/{day:%y%m%d}/{camera}_{day:%Y%m%d}_"
        for at, text in enumerate(times):
            yield f"{head}{text}.mp4", begin_s + at * SEGMENT_S, number * _A_DAY + at


def fill(path: Path, cameras: list[str], days: int, last_day: datetime) -> int:
    """Makes an index of so many days of 30-second segments; returns its rows."""
    rows = 0
    with closing(open_database(path)) as db:
        db.execute("PRAGMA synchronous = OFF")
        later = db.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'segment' AND sql IS NOT NULL "
            "AND type IN ('trigger', 'index')"
        ).fetchall()
        for kind, name, _ in later:
            db.execute(f"DROP {kind} {name}")
        for camera in cameras:
            with transaction(db):
                rows += db.executemany(INSERT, _rows(camera, days, last_day)).rowcount
                db.executemany("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?)", _entries(camera, days, last_day))
        for _, _, sql in later:
            db.execute(sql)
        with transaction(db):
            db.execute(FILL_DAYS)
            db.execute(COMPLETE)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return rows


def _rows(camera: str, days: int, last_day: datetime) -> Iterator[tuple[object, ...]]:
    for path, begin_s, number in names(camera, days, last_day):
        run, sequence = divmod(number, _LOST)
        if sequence < _LOST - 1:
            cause = EndCause.CAMERA if sequence == _LOST - 2 else EndCause.CLOCK
            stream = ("avc1.42c01f", 1280, 720, 1, 0, 0)
            yield (
                camera, path, begin_s * NS, SEGMENT_S * NS, 0, FRAMES, BYTES, run, sequence, cause.value, *stream
            )  # fmt: skip


def _entries(camera: str, days: int, last_day: datetime) -> Iterator[tuple[object, ...]]:
    for number in range(days * _EVENTS_A_DAY):
        begin = int(last_day.timestamp()) + DAY_S - (number + 1) * DAY_S // _EVENTS_A_DAY
        data = json.dumps({"label": "motion", "source": "mqtt"})
        yield f"{camera}{number:012}", camera, "event", begin * NS, (begin + 20) * NS, data


def newest_files(root: Path, cameras: list[str], days: int, newest: int, last_day: datetime) -> int:
    """Empty files of the size that the index has of them, on the newest days; returns their number."""
    count = 0
    for camera in cameras:
        for path, _, number in names(camera, days, last_day, days - newest):
            if number % _LOST < _LOST - 1:
                full = root / path
                full.parent.mkdir(parents=True, exist_ok=True)
                with full.open("wb") as file:
                    file.truncate(BYTES)
                count += 1
    return count


def small_files(root: Path, fragments: list[Fragment], count: int, last_day: datetime) -> None:
    """So many real, finished files of one picture each, spread over days of one camera."""
    fragment = fragments[0]
    video = fragment.init.video
    tally = Tally(video.track_id)
    tally.add(video.track_id, 0, fragment.duration, fragment.frames)
    body = fragment.data + keyframe_table(tally)
    size = len(fragment.init.data) + LABEL_BYTES + len(body)
    finished = end_record(End(EndCause.CLOCK, fragment.frames, tally.duration_ns(video.timescale), size))
    days = -(-count // _A_DAY)
    for path, begin_s, number in itertools.islice(names("cam0", days, last_day), count):
        begin = Begin("cam0", begin_s * NS, 0, 1, number, video.codec, video.width, video.height)
        full = root / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(fragment.init.data + label_box(begin)[:END_AT] + finished + body)


def clip(path: Path, picture: str, codec: list[str], seconds: int) -> list[Fragment]:
    """A test picture's fragments, encoded by ffmpeg."""
    shape = ["-pix_fmt", "yuv420p", "-g", "30", "-bf", "0", "-f", "mp4"]
    flags = ["-movflags", "+frag_every_frame+empty_moov+default_base_moof"]
    argv = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-f",
        "lavfi",
        "-i",
        picture,
        "-t",
        str(seconds),
        *codec,
        *shape,
        *flags,
    ]
    subprocess.run([*argv, str(path)], check=True)
    began_ns = int(datetime.now(UTC).timestamp()) * NS
    reader = FragmentReader(itertools.count(), lambda time_s, _: (time_s, began_ns + int(time_s * NS)))
    return reader.feed(path.read_bytes())


def pages(path: Path) -> int:
    """The database's size, bytes."""
    with closing(sqlite3.connect(path)) as db:
        count, size = db.execute("SELECT * FROM pragma_page_count, pragma_page_size").fetchone()
    return int(count) * int(size)
