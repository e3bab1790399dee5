"""`livecam-nvr token`, as a person types it, with the real store."""

import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from livecam_nvr.access.store import AccessStore
from livecam_nvr.cli.main import main
from livecam_nvr.cli.token import end_of
from livecam_nvr.core.access import Deed
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.errors import LivecamError

ROOT = Path(__file__).parents[3]
DAY_NS = 86_400 * 1_000_000_000


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVECAM_NVR_HOME", str(tmp_path))


def test_the_secret_stands_alone_on_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["token", "add", "--name", "homeassistant", "--role", "watcher", "--camera", "cam1"]
    assert main([*words, "--expires", "90d"]) == 0
    said = capsys.readouterr()
    assert re.fullmatch(r"lnv_[A-Za-z0-9_-]{43}\n", said.out)
    assert said.out.strip() not in said.err
    assert "homeassistant: watcher of cam1, until" in said.err
    assert "rtsp://homeassistant:TOKEN@127.0.0.1:8554/cam1" in said.err
    assert '"Authorization: Bearer TOKEN" http://127.0.0.1:8001/api/status' in said.err
    with AccessStore(tmp_path / "data" / "access") as store:
        (token,) = store.tokens()
    assert (token.role, token.cameras) == (Role.WATCHER, ("cam1",))
    assert abs((token.expires_utc_ns or 0) - time.time_ns() - 90 * DAY_NS) < DAY_NS
    assert main(["audit", "--json"]) == 0
    told = capsys.readouterr().out
    assert said.out.strip() not in told
    assert json.loads(told)["entries"][0]["deed"] == Deed.TOKEN


def test_on_a_terminal_the_examples_can_be_copied(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "listen: {address: 0.0.0.0}\ntls: {certificate: c.pem, private_key: k.pem, only: true}\n"
    )
    terminal, line = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "livecam_nvr", "token", "add", "--name", "script"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "LIVECAM_NVR_HOME": str(tmp_path)},
        stdout=line,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        os.close(line)
        secret = os.read(terminal, 1000).decode().strip()
        said = command.stderr.read() if command.stderr else ""
    os.close(terminal)
    assert command.returncode == 0, said
    assert f"rtsps://script:{secret}@{os.uname().nodename}:8322/cam0" in said
    assert f"Bearer {secret}" in said
    assert "https://" in said


def test_the_list_and_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "list"]) == 0
    assert capsys.readouterr().out.startswith("There are no tokens")
    assert main(["token", "add", "--name", "frigate"]) == 0
    assert main(["token", "add", "--name", "frigate"]) == 1
    assert "already" in capsys.readouterr().err
    assert main(["token", "list"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["NAME", "ROLE", "CAMERAS", "ADDED", "ENDS", "LAST", "USED", "FROM"]
    assert row.split()[:3] == ["frigate", "viewer", "all"]
    assert row.split()[-2:] == ["never", "never"]
    assert main(["token", "list", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["tokens"]
    assert main(["token", "remove", told["id"]]) == 0
    assert capsys.readouterr().out == "The token frigate is removed.\n"
    assert main(["token", "remove", "frigate"]) == 1
    assert "there is no token 'frigate'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--name", "x", "--role", "king"], 2, "choose from 'viewer', 'watcher', 'operator', 'admin'"),
        (["--role", "viewer"], 2, "--name"),
        (["--name", "x", "--camera", "cam7"], 1, "there are: cam0, cam1"),
        (["--name", "x", "--expires", "soon"], 1, "write it like 90d or 2027-01-01"),
        (["--name", "x", "--expires", "2001-02-03"], 1, "is past"),
        (["--name", "a b"], 1, "name"),
    ],
)
def test_wrong_words(words: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "add", *words]) == status
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""


def test_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert end_of("2027-01-01", 0) == 1_798_758_000 * 1_000_000_000
        assert end_of("2027-01-01T00:00Z", 0) == 1_798_761_600 * 1_000_000_000
    finally:
        monkeypatch.undo()
        time.tzset()
    assert end_of("1d", 5) == DAY_NS + 5
    with pytest.raises(LivecamError, match="is past"):
        end_of("1970-01-01", 5 * DAY_NS)
