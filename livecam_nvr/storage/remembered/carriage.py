"""Remembers who carries our entities in Home Assistant (core.home_assistant.Carriage)."""

from pathlib import Path
from typing import Any, Final

from livecam_nvr.core.home_assistant import Carriage, Carrier
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.storage.refusal import in_words
from livecam_nvr.storage.remembered.memory_file import MemoryFile

FILE_NAME: Final = "home_assistant.json"
"""In the data folder."""
_OTHERS = "its contents are not what this program writes"


class CarriageFile:
    """Who carries them, in the file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = MemoryFile(path, "carriage", "who tells Home Assistant of the entities")

    def load(self) -> Carriage:
        """As remembered; if nothing is, or it cannot be read (logged): MQTT from the beginning. For threads."""
        try:
            found = self._file.read()
            return _parse(found) if found else Carriage()
        except (OSError, ValueError) as error:
            self._file.unreadable(error)
            return Carriage()

    def save(self, carriage: Carriage) -> None:
        """Remembers it; durable when it returns. For threads.

        Raises:
            LivecamError: DISK if that is not possible.
        """
        values = {"carrier": str(carriage.carrier), "since_utc_ns": carriage.since_utc_ns, "by": carriage.by}
        try:
            self._file.write_now(values)
        except OSError as error:
            reason = in_words(error, str(self._path))
            raise LivecamError(
                ErrorKind.DISK,
                f"who tells Home Assistant of the entities cannot be remembered: {reason}",
                "make the data folder writable for the user that the service runs as, or make room on its disk",
            ) from error


def _parse(found: dict[str, Any]) -> Carriage:
    match found:
        case {"carrier": str() as carrier, "since_utc_ns": int() as since, "by": str() as by}:
            return Carriage(Carrier(carrier), since, by)
        case _:
            raise ValueError(_OTHERS)
