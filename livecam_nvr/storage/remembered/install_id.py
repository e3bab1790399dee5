"""The id of an installation: made once, kept in its data folder, the same whatever is renamed."""

import re
import secrets
from pathlib import Path

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.runtime import durable
from livecam_nvr.storage.refusal import in_words

_ID = re.compile(r"[0-9a-f]{32}")


def install_id(path: Path) -> str:
    """What the file at `path` says; written there first if there is none, or nothing that can be used.

    Blocks: to be called before the loop is busy, or in a thread.

    Raises:
        LivecamError: DISK if it can be neither read nor written.
    """
    try:
        known = path.read_text().strip() if path.exists() else ""
        if _ID.fullmatch(known):
            return known
        made = secrets.token_hex(16)
        durable.replace(path, f"{made}\n")
    except (OSError, UnicodeDecodeError) as error:
        words = in_words(error, str(path)) if isinstance(error, OSError) else f"{path} is damaged"
        hint = "make the data folder writable for this user, or remove that file"
        raise LivecamError(ErrorKind.DISK, f"the installation's id cannot be kept: {words}", hint) from error
    return made
