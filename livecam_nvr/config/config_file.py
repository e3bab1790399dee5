"""The config's file: read with its revision, and replaced so that a power cut leaves the old or the new one."""

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from livecam_nvr.domain.errors import ErrorKind, LivecamError

_NONE = "none"
_NEW_MODE = 0o640
"""It may hold passwords."""


@dataclass(frozen=True, slots=True)
class Contents:
    """A file's text, and what names that state of it."""

    text: str
    revision: str


def read(path: Path) -> Contents:
    """The file as it is; empty if there is none. Blocks.

    Raises:
        LivecamError: DISK if it cannot be read.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Contents("", _NONE)
    except OSError as error:
        raise _failed("cannot be read", path, error) from error
    try:
        return Contents(raw.decode("utf-8-sig"), hashlib.sha256(raw).hexdigest()[:32])
    except UnicodeDecodeError:
        message = f"{path.name} holds bytes that are not UTF-8 text"
        raise LivecamError(ErrorKind.CONFLICT, message, "save the file as UTF-8") from None


class Replacement:
    """A new text for the file: written beside it at once, so that what hinders that is known early. Blocks.

    `path` may be a link: what it leads to is replaced.
    """

    def __init__(self, path: Path, text: str) -> None:
        """Raises LivecamError DISK if it cannot be written."""
        self._path = path.resolve()
        self._new = self._path.with_name(f".{self._path.name}.new")
        try:
            mode = self._path.stat().st_mode & 0o7777 if self._path.exists() else _NEW_MODE
            self._new.unlink(missing_ok=True)
            with os.fdopen(
                os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
            ) as out:
                out.write(text)
                out.flush()
                os.fchmod(out.fileno(), mode)
                with contextlib.suppress(PermissionError, FileNotFoundError):
                    owner = self._path.stat()
                    os.fchown(out.fileno(), owner.st_uid, owner.st_gid)
                os.fsync(out.fileno())
        except OSError as error:
            self.discard()
            raise _failed("cannot be written", path, error) from error

    def discard(self) -> None:
        """It is not wanted any more; harmless after `take_place`."""
        with contextlib.suppress(OSError):
            self._new.unlink(missing_ok=True)

    def take_place(self, revision: str) -> str:
        """Puts it in the file's place; what was there is kept as `….bak`. Returns the new revision.

        Raises:
            LivecamError: CONFLICT if the file is no longer as `revision` says; DISK if it cannot be done.
        """
        demand(read(self._path), revision)
        try:
            if self._path.exists():
                backup = self._path.with_name(f"{self._path.name}.bak")
                backup.unlink(missing_ok=True)
                backup.hardlink_to(self._path)
            self._new.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise _failed("cannot be written", self._path, error) from error
        return read(self._path).revision


def demand(now: Contents, revision: str) -> None:
    """Raises LivecamError CONFLICT if the file is not as somebody saw it."""
    if now.revision != revision:
        raise LivecamError(
            ErrorKind.CONFLICT, "the config's file has been changed meanwhile", "load the settings again"
        )


def _failed(what: str, path: Path, error: OSError) -> LivecamError:
    hint = f"let the service's user write to the folder {path.parent}"
    return LivecamError(ErrorKind.DISK, f"{path.name} {what}: {error.strerror}", hint)
