"""`livecam-nvr export` on a real archive, without a service."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.export_recordings import record
from fakes.runtime_clock import FakeClock
from fakes.storage_fragments import from_keyframe, make_clip, read_clip
from support import clips

from livecam_nvr.domain.segment import NS
from livecam_nvr.storage.evidence.proof import examine
from livecam_nvr.storage.evidence.signing import fingerprint, public_bytes, signing_key
from livecam_nvr.storage.index.index import Index

TEN = 1_795_255_200  # 2026-11-21 10:00:00 UTC


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with config, index and recordings: 10 s, a pause of 10 s, 10 s; of the last 5 s, no row."""
    folder = tmp_path_factory.mktemp("house")
    fragments = from_keyframe(read_clip(make_clip(folder / "clip.mp4", seconds=4)), 1)
    keys = [at for at, fragment in enumerate(fragments) if fragment.keyframe]
    second = fragments[: keys[1]]
    root = folder / "recordings"
    segments = record(root, second, TEN * NS, [5, 5]) + record(root, second, (TEN + 20) * NS, [5, 5], run_id=2)
    config = {
        "cameras": [{"id": "cam0", "kind": "test", "name": "Door"}, {"id": "cam1", "kind": "test"}],
        "recording": {"path": str(root)},
        "data_dir": str(folder / "data"),
    }
    (folder / "config.yaml").write_text(json.dumps(config))

    async def fill() -> None:
        (folder / "data").mkdir()
        index = Index(folder / "data/index.sqlite3", root, FakeClock(TEN * NS), lambda _path: False)
        await index.start()
        for segment in segments[:-1]:
            index.add(segment)
        await index.flush()
        await index.stop()

    asyncio.run(fill())
    return folder


def export(house: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "livecam_nvr", "export", "--config", str(house / "config.yaml"), *arguments]
    return subprocess.run(argv, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False)


def test_a_range_with_a_gap(house: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    wanted = ["--camera", "cam0", "--from", "2026-11-21T10:00:00Z", "--to", "2026-11-21T10:00:40Z"]
    done = export(house, *wanted, "-o", str(output))
    assert done.returncode == 0, done.stderr
    assert "300 pictures, 20.0 s" in done.stdout
    assert done.stdout.count("nothing of cam0 from") == 2
    assert " 10 %" in done.stderr or "%" in done.stderr
    assert clips.probe(output)["packets"] == 300
    assert list(tmp_path.iterdir()) == [output]
    proof = examine(output)
    assert proof.whole
    gaps = proof.statement["report"]["gaps"]
    assert len(gaps) == 2
    comment = clips.run("ffprobe", "-v", "error", "-show_entries", "format_tags=comment", str(output)).decode()
    for gap in gaps:
        assert gap["text"]
        assert f": {gap['text']}\n" in done.stdout
        assert f"({gap['text']})" in comment
    assert proof.fingerprint == fingerprint(public_bytes(signing_key(house / "data")))
    again = export(house, *wanted, "-o", str(output))
    assert (again.returncode, "is there already" in again.stderr) == (1, True)


def test_exact_and_beside(house: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    times = ["--from", "2026-11-21T10:00:01.5Z", "--to", "2026-11-21T10:00:03Z"]
    done = export(house, "--camera", "cam0", *times, "--exact", "-o", str(output))
    assert (done.returncode, "22 pictures" in done.stdout) == (0, True), done.stderr
    both = tmp_path / "both.mp4"
    done = export(house, "--camera", "cam0", "--beside", "cam1", *times, "-o", str(both))
    assert done.returncode == 0, done.stderr
    assert clips.probe(both)["width"] == 640


def test_mistakes_are_told_in_words(house: Path, tmp_path: Path) -> None:
    output = str(tmp_path / "out.mp4")
    times = ["--from", "2026-11-21T10:00:01Z", "--to", "2026-11-21T10:00:03Z"]
    for arguments, words in (
        (["--camera", "cam9", *times], "cam9"),
        (["--camera", "cam0", *times[::-1]], ""),
        (["--camera", "cam0", "--from", "2020-01-01", "--to", "2020-01-01T00:01"], "nothing of cam0 was recorded"),
        (["--camera", "cam0", "--from", "soon", "--to", "later"], "is no moment"),
        (["--camera", "cam0", "--from", "2026-11-21T10:00:03Z", "--to", "2026-11-21T10:00:01Z"], "`from`"),
    ):
        done = export(house, *arguments, "-o", output)
        assert done.returncode in (1, 2), arguments
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
