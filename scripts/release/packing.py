"""Folders to zip files and copies, the same bytes each time."""

import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

# The earliest time that a zip file can name: when something was checked out must not change the bytes.
_TIME = (1980, 1, 1, 0, 0, 0)
_LEFT_OUT = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


def pack(folder: Path, target: Path) -> None:
    """The contents of the folder, at the root of a zip file."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in files(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, path.read_bytes())


def copy(folder: Path, target: Path) -> None:
    """The folder's files to another folder, which need not exist; what is there already is replaced."""
    for path in files(folder):
        place = target / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        place.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def files(folder: Path) -> Iterable[Path]:
    """All files below the folder that belong to it, sorted; nothing that Python or a tool leaves behind."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and not _LEFT_OUT & set(path.relative_to(folder).parts)
    )
