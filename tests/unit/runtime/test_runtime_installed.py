"""The version on the disk."""

from pathlib import Path

import pytest
from support.waiting import until

import livecam_nvr
from livecam_nvr.runtime.installed import InstalledVersion, installed_version


def install(package: Path, version: str) -> None:
    """As our own package says it."""
    ours = Path(livecam_nvr.__file__).read_text()
    assert livecam_nvr.__version__ in ours
    (package / "__init__.py").write_text(ours.replace(livecam_nvr.__version__, version))


def test_what_lies_on_the_disk(tmp_path: Path) -> None:
    install(tmp_path, "1.1.0rc1")
    assert installed_version("1.0", tmp_path) == "1.1.0rc1"
    assert installed_version("1.0") == livecam_nvr.__version__


@pytest.mark.parametrize("text", [b"", b"\xff", b'__version__ = "1.', b"__version__ = 1", b'__version__ = ""'])
def test_what_says_no_version_is_what_runs(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "__init__.py").write_bytes(text)
    assert installed_version("1.0", tmp_path) == "1.0"


def test_what_cannot_be_read_is_what_runs(tmp_path: Path) -> None:
    assert installed_version("1.0", tmp_path) == "1.0"
    assert installed_version("1.0", tmp_path / "missing") == "1.0"
    (tmp_path / "__init__.py").mkdir()
    assert installed_version("1.0", tmp_path) == "1.0"


async def test_an_upgrade_is_noticed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    install(tmp_path, "1.0")
    watch = InstalledVersion("1.0", tmp_path, every_s=0.02)
    watch.start()
    watch.start()
    assert watch.version == "1.0"
    install(tmp_path, "1.1")
    await until(lambda: watch.version == "1.1")
    (tmp_path / "__init__.py").unlink()
    await until(lambda: watch.version == "1.0")
    assert caplog.text.count("version 1.1 is installed, and 1.0 runs") == 1
    await watch.stop()
    await watch.stop()
