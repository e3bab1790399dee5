"""Remembers the recording modes that were chosen at run time (core.ports.ModeMemory)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livecam_nvr.domain.status import RecordingMode
from livecam_nvr.storage.remembered.memory_file import MemoryFile


class ModeFile:
    """The chosen modes in the file at `path`.

    Each is kept with what the config said at that time: once the config says something else, it counts again.

    Args:
        path: The file.
        configured: Each camera's mode in the config.
    """

    def __init__(self, path: Path, configured: Mapping[str, RecordingMode]) -> None:
        self._file = MemoryFile(path, "modes", "the recording modes")
        self._configured = configured
        self._chosen: dict[str, RecordingMode] = {}

    def load(self) -> dict[str, RecordingMode]:
        """Each camera's mode. Reads a small file at once: to be called in a thread."""
        try:
            found = {key: _parse(value) for key, value in self._file.read().items()}
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._file.unreadable(error)
            found = {}
        self._chosen = {
            key: chosen for key, (chosen, configured) in found.items() if self._configured.get(key) == configured
        }
        return {**self._configured, **self._chosen}

    def save(self, camera_id: str, mode: RecordingMode) -> None:
        """See core.ports.ModeMemory. To be called on the loop; durable some milliseconds later."""
        self._chosen[camera_id] = mode
        self._file.write(
            {key: {"chosen": chosen, "configured": self._configured[key]} for key, chosen in self._chosen.items()}
        )

    def configure(self, configured: Mapping[str, RecordingMode]) -> None:
        """This is what the config says from now on; what was chosen against something else is forgotten."""
        before, self._configured = self._configured, dict(configured)
        self._chosen = {k: v for k, v in self._chosen.items() if before.get(k) == configured.get(k) is not None}

    def chosen(self, camera_id: str) -> RecordingMode | None:
        """What was chosen; None: as the config says."""
        return self._chosen.get(camera_id)

    async def stop(self) -> None:
        """Returns when the last change is durable, or was tried once more; idempotent."""
        await self._file.stop()


def _parse(value: Any) -> tuple[RecordingMode, RecordingMode]:
    return RecordingMode(value["chosen"]), RecordingMode(value["configured"])
