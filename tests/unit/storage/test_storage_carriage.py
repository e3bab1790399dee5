"""Who carries the entities, and the installation's id: kept in files, whole or not at all."""

import json
import re
from pathlib import Path

import pytest

from livecam_nvr.core.home_assistant import Carriage, Carrier
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.storage.remembered.carriage import FILE_NAME, CarriageFile
from livecam_nvr.storage.remembered.install_id import install_id

MOVED = Carriage(Carrier.INTEGRATION, 1_795_000_000_123_456_789, "token 홈")


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "data" / FILE_NAME
    assert CarriageFile(path).load() == Carriage()
    CarriageFile(path).save(Carriage(Carrier.MOVING, 1, "anna"))
    CarriageFile(path).save(MOVED)
    assert CarriageFile(path).load() == MOVED
    assert [found.name for found in path.parent.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"version": 2, "carriage": {}}']
    + [
        json.dumps({"version": 1, "carriage": found})
        for found in (
            [],
            {"carrier": "mqtt"},
            {"carrier": "pigeon", "since_utc_ns": 0, "by": ""},
            {"carrier": "integration", "since_utc_ns": "0", "by": ""},
            {"carrier": None, "since_utc_ns": 0, "by": ""},
        )
    ],
)
def test_what_cannot_be_understood_means_mqtt(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / FILE_NAME
    path.write_text(text)
    assert CarriageFile(path).load() == Carriage()
    assert FILE_NAME in caplog.text


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(LivecamError, match="cannot be remembered") as caught:
        CarriageFile(tmp_path / "data" / FILE_NAME).save(MOVED)
    assert caught.value.kind is ErrorKind.DISK
    assert "data folder" in caught.value.hint


def test_the_id_stays(tmp_path: Path) -> None:
    path = tmp_path / "install-id"
    made = install_id(path)
    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert install_id(path) == made
    assert install_id(tmp_path / "other") != made
    assert sorted(found.name for found in tmp_path.iterdir()) == ["install-id", "other"]


@pytest.mark.parametrize("text", ["", "\n", 31 * "a", 33 * "a", 32 * "A", f"{32 * 'a'}\nmore"])
def test_an_id_that_is_none_is_made_anew(tmp_path: Path, text: str) -> None:
    path = tmp_path / "install-id"
    path.write_text(text)
    made = install_id(path)
    assert path.read_text() == f"{made}\n"


def test_an_id_that_cannot_be_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LivecamError, match="cannot be kept") as caught:
        install_id(tmp_path / "file" / "install-id")
    assert caught.value.kind is ErrorKind.DISK
    (tmp_path / "install-id").write_bytes(b"\xff\xfe")
    with pytest.raises(LivecamError, match="damaged"):
        install_id(tmp_path / "install-id")
