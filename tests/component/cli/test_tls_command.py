"""`livecam-nvr tls`, as a person types it."""

import re
import socket
from pathlib import Path

import pytest

from livecam_nvr.cli.main import main
from livecam_nvr.cli.own_names import own_names
from livecam_nvr.runtime.certificate import read


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIVECAM_NVR_HOME", str(tmp_path))
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["tls", *words]) == status
    told = capsys.readouterr()
    return told.err if status else told.out


def fingerprint(text: str) -> str:
    found = re.search(r"SHA-256 +((?:[0-9A-F]{2}:){31}[0-9A-F]{2})\n", text)
    assert found, text
    return found[1]


def test_the_names_of_this_machine() -> None:
    names = own_names()
    assert names[0] == socket.gethostname().lower()
    assert {"localhost", "127.0.0.1", "::1"} <= set(names)
    assert len(names) == len(set(names))


def test_from_nothing_to_a_config_that_uses_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "there is no certificate" in said(capsys, "show", status=1)
    made = said(capsys, "init", "--name", "cam.home.example", "--name", "192.0.2.77")
    names = read(home / "data" / "tls" / "certificate.pem").names
    assert set(own_names()) | {"cam.home.example", "192.0.2.77"} == set(names)
    assert "not in use" in said(capsys, "show")
    # Just what it says is what the config takes.
    lines = made[made.index("tls:\n") :].split("\n\n")[0]
    (home / "config.yaml").write_text(lines)
    assert main(["validate"]) == 0
    capsys.readouterr()
    shown = said(capsys, "show")
    assert "(in use)" in shown
    assert "valid until" in shown
    assert fingerprint(shown) == fingerprint(made)
    assert "config.yaml names it already." in said(capsys, "init")


def test_it_is_never_overwritten_without_being_told_to(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = fingerprint(said(capsys, "init", "--days", "10", "--name", "cam.home.example"))
    again = said(capsys, "init")
    assert again.startswith("There is a certificate already, valid until")
    assert fingerprint(again) == made
    assert "not for other.example" in said(capsys, "init", "--name", "other.example", status=1)
    assert fingerprint(said(capsys, "show")) == made
    assert fingerprint(said(capsys, "init", "--renew")) != made
    # What it was for before, it is for again.
    assert read(home / "data" / "tls" / "certificate.pem").covers("cam.home.example")


def test_another_certificate_in_the_config_stays(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "config.yaml").write_text("tls: {certificate: their.pem, private_key: their.key}\n")
    assert f"which stays in use: {home / 'their.pem'}" in said(capsys, "init")
    assert "their.pem cannot be read" in said(capsys, "show", status=1)


@pytest.mark.parametrize("words", [["--days", "826"], ["--days", "0"], ["--days", "x"]])
def test_wrong_days(words: list[str], home: Path) -> None:
    assert main(["tls", "init", *words]) == 2
    assert list(home.iterdir()) == []


def test_wrong_names(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is no host name" in said(capsys, "init", "--name", "https://attic", status=1)
    assert list(home.iterdir()) == []
