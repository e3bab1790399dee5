"""The config's file is replaced as a whole, or not at all."""

from pathlib import Path

import pytest

from livecam_nvr.config.config_file import Replacement, read
from livecam_nvr.domain.errors import ErrorKind, LivecamError


def test_mode_and_the_former_text_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("a\n")
    path.chmod(0o604)
    revision = read(path).revision
    new = Replacement(path, "b\n")
    assert path.read_text() == "a\n"
    assert new.take_place(revision) == read(path).revision != revision
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("b\n", 0o604)
    assert (tmp_path / "config.yaml.bak").read_text() == "a\n"
    new.discard()
    assert {file.name for file in tmp_path.iterdir()} == {"config.yaml", "config.yaml.bak"}


def test_a_file_that_was_not_there_is_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    assert read(path).text == ""
    Replacement(path, "a\n").take_place(read(path).revision)
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("a\n", 0o640)


def test_what_somebody_has_edited_meanwhile_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("a\n")
    revision = read(path).revision
    new = Replacement(path, "b\n")
    path.write_text("by hand\n")
    with pytest.raises(LivecamError) as refused:
        new.take_place(revision)
    assert refused.value.kind is ErrorKind.CONFLICT
    new.discard()
    assert path.read_text() == "by hand\n"
    assert [file.name for file in tmp_path.iterdir()] == ["config.yaml"]


def test_a_link_goes_on_leading_to_its_file(tmp_path: Path) -> None:
    real = tmp_path / "real.yaml"
    real.write_text("a\n")
    link = tmp_path / "config.yaml"
    link.symlink_to(real)
    Replacement(link, "b\n").take_place(read(link).revision)
    assert link.is_symlink()
    assert real.read_text() == "b\n"


def test_a_folder_that_cannot_be_written_to_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(LivecamError) as refused:
        Replacement(tmp_path / "nowhere" / "config.yaml", "a\n")
    assert refused.value.kind is ErrorKind.DISK
