"""`livecam-nvr coverage`: ranges, text and JSON, and a folder without a running service."""

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from livecam_nvr.cli import coverage, exit_codes
from livecam_nvr.domain.coverage import Coverage, Gap, GapCause, Span
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.storage.index.database import open_database
from livecam_nvr.storage.index.index import INDEX_NAME
from livecam_nvr.storage.index.rows import put
from livecam_nvr.storage.ledger.entries import Change, apply_change

NOON = 1_763_726_400  # 2025-11-21 12:00:00 UTC


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


def test_ranges() -> None:
    now = NOON * NS
    assert coverage.asked_range(None, None, None, now) == Span(now - 86_400 * NS, now)
    assert coverage.asked_range(None, None, "90m", now) == Span(now - 5400 * NS, now)
    assert coverage.asked_range("2025-11-21T11:00:00Z", "2030-01-01", None, now) == Span(now - 3600 * NS, now)
    assert coverage.asked_range(None, "2025-11-21T11:00:00Z", "1h", now) == Span(now - 7200 * NS, now - 3600 * NS)


def test_a_moment_without_an_offset_is_local(berlin: None) -> None:
    assert coverage.moment("2025-11-21T13:00") == NOON * NS
    assert coverage.moment("2025-11-21T13:00:00.25") == NOON * NS + NS // 4


@pytest.mark.parametrize(
    "options",
    [
        ("2025-11-21T11:00:00Z", None, "1h"),
        ("2025-11-21T11:00:00Z", "2025-11-21T10:00:00Z", None),
        ("2026-11-21T11:00:00Z", None, None),
        ("yesterday", None, None),
        (None, "99999-01-01", None),
        (None, None, "5"),
    ],
)
def test_ranges_that_are_not_right(options: tuple[str | None, str | None, str | None]) -> None:
    with pytest.raises(LivecamError) as caught:
        coverage.asked_range(*options, NOON * NS)
    assert caught.value.hint


def test_text(berlin: None) -> None:
    begin, end = (NOON - 86_400) * NS, NOON * NS
    gaps = (
        Gap(begin, begin + 90 * NS, GapCause.CAMERA, "no power"),
        Gap(end - 50_000 * NS, end - 49_999 * NS, GapCause.SWITCHED_OFF, by="the page"),
    )
    spans = (Span(begin + 90 * NS, end - 50_000 * NS), Span(end - 49_999 * NS, end))
    text = coverage.as_text(Coverage("cam0", Span(begin, end), spans, gaps, 123))
    assert text.splitlines() == [
        "cam0  99.89 % recorded, 99.89 % of what was wanted",
        "  2025-11-20 13:00:00 to 2025-11-21 13:00:00, 123 pictures in finished files",
        "  2025-11-20 13:00:00 to 13:01:30              0:01:30  the camera was away: no power",
        "  2025-11-20 23:06:40 to 23:06:41                1.0 s  recording was switched off by the page",
    ]
    many = tuple(Gap(begin + n * NS, begin + n * NS + 1, GapCause.CAMERA) for n in range(50))
    assert "… and 10 earlier gaps" in coverage.as_text(Coverage("cam0", Span(begin, end), (), many, 0))
    nearly = Coverage("cam0", Span(0, 10**6), (Span(0, 10**6 - 1),), (Gap(10**6 - 1, 10**6, GapCause.DISK),), 0)
    assert "99.99 % recorded" in coverage.as_text(nearly), "what lacks something is not all"


def run(folder: Path, *options: str) -> int:
    parser = argparse.ArgumentParser()
    coverage.add(parser.add_subparsers())
    args = parser.parse_args(["coverage", "--config", str(folder / "config.yaml"), *options])
    return int(args.execute(args))


def config_in(folder: Path) -> None:
    config = {
        "cameras": [{"id": "cam0", "kind": "test"}],
        "recording": {"path": str(folder / "recordings")},
        "data_dir": str(folder / "data"),
    }
    (folder / "config.yaml").write_text(json.dumps(config))


def test_a_folder_without_a_service(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config_in(tmp_path)
    with pytest.raises(LivecamError) as caught:
        run(tmp_path)
    assert "reindex" in caught.value.hint
    made = Segment(
        "cam0", "cam0/251121/a.mp4", NOON * NS, 60 * NS, 0, 900, 1, 1, 0, EndCause.SERVICE, "avc1", 640, 360
    )  # fmt: skip
    state = Entry("cam0", EntryKind.STATE, NOON * NS, data={"cause": ""})
    with closing(open_database(tmp_path / "data" / INDEX_NAME)) as db:
        for sql, values in (*put(made), apply_change(Change(state))):
            db.execute(sql, values)
    asked = ("--from", "2025-11-21T11:59:00Z", "--to", "2025-11-21T12:02:00Z")
    assert run(tmp_path, *asked, "--json") == exit_codes.OK
    [camera] = json.loads(capsys.readouterr().out)["cameras"]
    assert (camera["camera_id"], camera["recorded_ns"], camera["frames"]) == ("cam0", 60 * NS, 900)
    assert [gap["cause"] for gap in camera["gaps"]] == ["never", "service_crashed"]
    assert (
        datetime.fromtimestamp(camera["gaps"][0]["begin_utc_ns"] / NS, UTC).isoformat()
        == "2025-11-21T11:59:00+00:00"
    )
    assert run(tmp_path, *asked, "--camera", "cam0") == exit_codes.OK
    assert "33.33 % recorded, 50.00 % of what was wanted" in capsys.readouterr().out
    with pytest.raises(LivecamError) as caught:
        run(tmp_path, "--camera", "cam7")
    assert "cam7" in caught.value.message
    assert "cam0" in caught.value.hint
