"""`livecam-nvr audit`, on a real file."""

import json
import re
import time
from pathlib import Path

import pytest

from livecam_nvr.access.audit import write_entry
from livecam_nvr.cli.main import main
from livecam_nvr.core.access import AuditEntry, Client, Deed, Door

S_NS = 1_000_000_000


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVECAM_NVR_HOME", str(tmp_path))


def lines(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(["audit", *words]) == 0
    return capsys.readouterr().out.splitlines()


@pytest.fixture
def known(tmp_path: Path) -> None:
    path = tmp_path / "data" / "access" / "audit.sqlite"
    now = time.time_ns()
    person = Client("192.168.1.7", Door.PAGE)
    for entry in (
        AuditEntry(now - 7200 * S_NS, Deed.SIGN_IN, "anna", person),
        AuditEntry(now - 3 * S_NS, Deed.REFUSED, "unknown user", person, ok=False, detail="wrong", times=12),
        AuditEntry(now - 2 * S_NS, Deed.RECORDING, "anna", person, "cam0", detail="off"),
        AuditEntry(now - 1 * S_NS, Deed.EXPORT, "anna", person, "cam1", ok=False, detail="the disk is full"),
    ):
        write_entry(path, entry)


def test_there_may_be_none(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert lines(capsys) == ["Nothing of that is in the audit log."]
    assert not (tmp_path / "data").exists()


@pytest.mark.usefixtures("known")
def test_the_newest_comes_last(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        told = lines(capsys)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert [line.split()[3] for line in told] == ["sign_in", "refused", "recording", "export"]
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d CES?T  ", line) for line in told)
    assert "refused x12" in told[1]
    assert told[2].endswith("anna                  page 192.168.1.7      cam0: off")
    assert told[3].endswith("cam1: the disk is full  FAILED")


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("words", "deeds"),
    [
        (["--limit", "2"], ["recording", "export"]),
        (["--since", "1h"], ["refused", "recording", "export"]),
        (["--since", "1h", "--limit", "1"], ["export"]),
        (["--deed", "sign_in"], ["sign_in"]),
        (["--who", "anna"], ["sign_in", "recording", "export"]),
        (["--who", "anna", "--since", "1h", "--deed", "export"], ["export"]),
    ],
)
def test_some_of_it(words: list[str], deeds: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert [line.split()[3] for line in lines(capsys, *words)] == deeds
    told = json.loads("\n".join(lines(capsys, *words, "--json")))["entries"]
    assert [entry["deed"] for entry in told] == deeds
    assert all((entry["door"], entry["address"]) == ("page", "192.168.1.7") for entry in told)


@pytest.mark.parametrize("words", [["--limit", "0"], ["--limit", "x"], ["--since", "soon"], ["--deed", "murder"]])
def test_wrong_words(words: list[str]) -> None:
    assert main(["audit", *words]) == 2
