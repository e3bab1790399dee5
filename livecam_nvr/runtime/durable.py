"""Small files that are replaced as a whole: a power cut leaves the old one or the new one. Blocks: for threads."""

import errno
import os
from pathlib import Path


def replace(path: Path, text: str) -> None:
    """Puts `text` in the place of the file at `path`, durably; its folder is made if need be.

    Raises:
        OSError: The disk refuses; the file is as it was before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_dir(path.parent)


def sync_dir(folder: Path) -> None:
    """Makes the entries of a folder durable, where its file system can do that.

    Raises:
        OSError: The disk refuses.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems have no such call
            raise
    finally:
        os.close(fd)
