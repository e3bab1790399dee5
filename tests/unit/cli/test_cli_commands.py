"""The commands as a person types them, without a service."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from livecam_nvr import __version__
from livecam_nvr.cli.exit_codes import EXIT_CODES
from livecam_nvr.cli.main import main
from livecam_nvr.domain.errors import ErrorKind

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVECAM_NVR_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


def test_every_kind_of_error_has_an_exit_status() -> None:
    assert set(EXIT_CODES) == set(ErrorKind)
    assert set(EXIT_CODES.values()) == {1, 2}


def test_validate_without_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["validate"]) == 0
    said = capsys.readouterr().out
    assert "cam0 (test), cam1 (test)" in said
    assert str(tmp_path / "recordings") in said


def test_validate_tells_all_mistakes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mqtt:\n  hots: a\nlisten:\n  http_port: x\n")
    assert main(["validate"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == 'config.yaml:2: mqtt.hots: unknown key; did you mean "host"?'
    assert lines[1].startswith("config.yaml:4: listen.http_port: ")
    assert lines[2] == "2 mistakes"


def test_validate_shows_no_password(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(
        "mqtt: {host: b, username: me, password: hunter2}\ncameras: [{id: a, kind: rtsp, url: 'rtsp://u:hunter2@x'}]\n"
    )
    assert main(["validate", "--config", str(file)]) == 0
    assert "hunter2" not in capsys.readouterr().out


@pytest.mark.parametrize("command", [["run"], [], ["--duration", "1s"], ["media-server", "status"]])
def test_a_broken_config_starts_nothing(
    command: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text("nodes: {}\n")
    assert main(command) == 2
    captured = capsys.readouterr()
    assert 'config.yaml:1: nodes: unknown key; did you mean "node"?' in captured.err
    assert captured.out == ""
    assert [p.name for p in tmp_path.iterdir()] == ["config.yaml"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--duration", "30"], '"30" has no unit; 30s, 30m or 30h?'),
        (["--duration", "soon"], '"soon" is not a duration'),
        (["rnu"], "invalid choice"),
        (["run", "--colour"], "unrecognized arguments"),
    ],
)
def test_wrong_words(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["--help"], ["run", "--help"], ["doctor", "-h"], ["media-server", "install", "-h"]]
)
def test_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    assert "usage: livecam-nvr" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert main(["--version"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert all(line.startswith(f"livecam-nvr {__version__}") for line in said)
    assert len(said) == 2


def test_init_config_writes_the_documented_example(tmp_path: Path) -> None:
    assert main(["init-config"]) == 0
    file = tmp_path / "config.yaml"
    assert file.read_bytes() == (ROOT / "config.example.yaml").read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    assert main(["validate"]) == 0


def test_init_config_overwrites_only_with_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("mine")
    assert main(["init-config", str(file)]) == 1
    assert file.read_text() == "mine"
    assert "already there" in capsys.readouterr().err
    assert main(["init-config", str(file), "--force"]) == 0
    assert file.read_bytes() == (ROOT / "config.example.yaml").read_bytes()


def test_init_config_makes_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("mine")
    file.chmod(0o644)
    for words in ([str(file), "--force"], [str(tmp_path / "new.yaml")]):
        assert main(["init-config", *words]) == 0
    assert [path.stat().st_mode & 0o777 for path in (file, tmp_path / "new.yaml")] == [0o600, 0o600]


def test_init_config_into_a_folder_and_into_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "etc").mkdir()
    assert main(["init-config", "etc"]) == 0
    assert (tmp_path / "etc" / "config.yaml").is_file()
    assert main(["init-config", "none/config.yaml"]) == 1
    assert "there is no folder none" in capsys.readouterr().err


def test_a_terminal_without_utf_8_gets_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("node: {name: ä✔}\nx: 1\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "livecam_nvr", "validate"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "unwanted"),
    [
        (["--help"], {"pydantic", "asyncio", "aiohttp", "ruamel", "aiomqtt", "zeroconf", "sqlite3"}),
        (["version"], {"pydantic", "asyncio", "aiohttp", "ruamel", "aiomqtt", "zeroconf", "sqlite3"}),
        (["validate"], {"asyncio", "aiohttp", "ruamel", "aiomqtt", "zeroconf", "sqlite3"}),
    ],
)
def test_light_commands_load_no_heavy_modules(words: list[str], unwanted: set[str]) -> None:
    code = (
        "import sys; from livecam_nvr.cli.main import main\n"
        f"assert main({words!r}) == 0\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not unwanted & set(done.stderr.split())
