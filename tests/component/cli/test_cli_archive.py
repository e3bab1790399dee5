"""`livecam-nvr verify` and `livecam-nvr reindex` as a person uses them, on real files."""

import argparse
import json
import os
from pathlib import Path

import pytest
from fakes.storage_fragments import BEGAN_UTC_NS, make_clip, read_clip, taken_at, write_file

from livecam_nvr.cli import coverage, reindex, verify
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import NS
from livecam_nvr.storage.place.lock import ArchiveLock


@pytest.fixture(scope="module")
def fragments(tmp_path_factory: pytest.TempPathFactory) -> list[Fragment]:
    return read_clip(make_clip(tmp_path_factory.mktemp("clips") / "h264.mp4", "h264", 1))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIVECAM_NVR_HOME", str(tmp_path))
    (tmp_path / "config.yaml").write_text("recording: {path: footage}\ndata_dir: state\n")
    return tmp_path


@pytest.fixture
def files(home: Path, fragments: list[Fragment]) -> list[Path]:
    moved = ([taken_at(f, BEGAN_UTC_NS + n * 60 * NS) for f in fragments] for n in range(3))
    return [write_file(home / "footage", part, EndCause.CLOCK) for part in moved]


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    for module in (coverage, verify, reindex):
        module.add(commands)
    args = parser.parse_args(words)
    return int(args.execute(args))


def test_from_nothing_to_all_is_well(
    home: Path, files: list[Path], fragments: list[Fragment], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("verify") == 1
    said = capsys.readouterr().out
    assert "there is no index" in said
    assert "livecam-nvr reindex" in said
    assert run("reindex") == 0
    assert capsys.readouterr().out == "The index is rebuilt: 3 recordings, 0 entries of the ledgers.\n"
    assert run("verify") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "all is well"
    assert run("verify", "--full", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["full"], told["files"], told["rows"]) == (True, True, 3, 3)
    assert told["frames"] == 3 * len(fragments)
    assert told["findings"] == []


def test_what_is_wrong_is_told_mended_and_told(
    home: Path, files: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("reindex") == 0
    files[0].unlink()
    os.truncate(files[1], files[1].stat().st_size // 2)
    capsys.readouterr()
    assert run("verify") == 1
    said = capsys.readouterr().out.splitlines()
    assert "missing file: 1" in said
    assert any(line.startswith(f"  cam0/260921/{files[1].name}: of its ") for line in said)
    assert said[-1] == "2 things wrong; --repair mends what can be mended (with the service stopped)"
    assert run("verify", "--repair") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == "all that was wrong is repaired"
    assert sum(line.startswith("  repaired: ") for line in said) == 2
    assert run("verify", "--full") == 0


def test_many_of_a_kind_are_a_few_lines(home: Path, files: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(50):
        (files[0].parent / f"holiday{number}.jpg").write_bytes(b"")
    assert run("reindex") == 0
    assert run("verify") == 0
    said = capsys.readouterr().out.splitlines()
    assert "foreign: 50 (harmless)" in said
    assert "  and 30 more" in said
    assert len(said) < 30


def test_while_a_service_records(home: Path, files: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("reindex") == 0
    lock = ArchiveLock(home / "footage")
    lock.ensure()
    try:
        assert run("verify") == 0
        assert "a service is recording" in capsys.readouterr().out
        for words in (["reindex"], ["verify", "--repair"]):
            with pytest.raises(LivecamError, match="while a service records") as refused:
                run(*words)
            assert refused.value.kind is ErrorKind.CONFLICT
            assert refused.value.hint == "stop the service first"
    finally:
        lock.release()


def test_an_unknown_camera(home: Path, files: list[Path]) -> None:
    assert run("reindex") == 0
    with pytest.raises(LivecamError, match="'gate'"):
        run("verify", "--camera", "gate")


def test_coverage_says_that_there_is_no_index(home: Path) -> None:
    with pytest.raises(LivecamError, match="there is no index") as refused:
        run("coverage")
    assert "start the service once" in refused.value.hint
