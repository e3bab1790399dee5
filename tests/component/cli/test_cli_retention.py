"""`livecam-nvr retention` over a real index and archive."""

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from fakes.storage_recordings import DAY, recorded

from livecam_nvr.cli import exit_codes, retention
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.index.index import INDEX_NAME, Index


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    retention.add(parser.add_subparsers())
    args = parser.parse_args(["retention", *words])
    return int(args.execute(args))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ten files of cam0 from two days ago, and as many from today."""
    monkeypatch.setenv("LIVECAM_NVR_HOME", str(tmp_path))
    root = tmp_path / "recordings"
    now = time.time_ns() // NS * NS
    made = [*recorded(root, now - 2 * DAY, 10, size=200_000), *recorded(root, now - 600 * NS, 10, size=100_000)]

    async def fill() -> None:
        index = Index(tmp_path / "data" / INDEX_NAME, root, SystemClock(), lambda _path: False)
        await index.start()
        for segment in made:
            index.add(segment)
        await index.stop()

    asyncio.run(fill())
    return tmp_path


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_what_there_is(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == exit_codes.OK
    said = lines(capsys)
    assert said[0] == f"archive     3.0 MB of recordings in {home / 'recordings'}"
    assert said[2] == "rate        1.0 MB a day"
    assert said[4].startswith("full        never")
    cells = next(line for line in said if line.startswith("cam0")).split()
    assert cells[:4] == ["cam0", "20", "3.0", "MB"]
    assert "Would be deleted" not in "\n".join(said)


def test_a_dry_run_says_what_would_go_and_deletes_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--dry-run") == exit_codes.OK
    assert lines(capsys)[-1] == "Nothing would be deleted now."
    assert run("--dry-run", "--max-age-days", "1") == exit_codes.OK
    said = lines(capsys)
    assert said[-3] == "Would be deleted now:"
    assert said[-1].split()[:5] == ["cam0", "age", "10", "2.0", "MB"]
    assert run("--camera", "cam0", "--max-size", "1.5MB", "--json") == exit_codes.OK
    found = json.loads(capsys.readouterr().out)
    # A tenth of the limit is kept for what is recorded next.
    assert [(part["reason"], part["files"]) for part in found["deletes"]] == [("size", 9)]
    assert len(list((home / "recordings").rglob("*.mp4"))) == 20


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        (["--max-size", "lots"], ErrorKind.INVALID, "max_size"),
        (["--camera", "cam7"], ErrorKind.NOT_FOUND, "cam7"),
        (["--keep-free", "1"], ErrorKind.INVALID, "warning_free"),
    ],
)
def test_what_is_not_right(home: Path, words: Sequence[str], kind: ErrorKind, said: str) -> None:
    with pytest.raises(LivecamError, match=said) as error:
        run(*words)
    assert error.value.kind is kind


def test_without_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVECAM_NVR_HOME", str(tmp_path))
    with pytest.raises(LivecamError, match="there is no index") as error:
        run()
    assert error.value.kind is ErrorKind.UNAVAILABLE
