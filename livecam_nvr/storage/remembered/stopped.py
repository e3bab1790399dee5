"""Remembers which cameras were switched off at run time, and by whom."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from livecam_nvr.storage.remembered.memory_file import MemoryFile


class StoppedFile:
    """The cameras that are off, in the file at `path`.

    Once the config takes a camera out (`enabled: false`), what was chosen before is forgotten.

    Args:
        path: The file.
        cameras: The ids of those that the config has enabled.
    """

    def __init__(self, path: Path, cameras: Collection[str]) -> None:
        self._file = MemoryFile(path, "stopped", "which cameras are switched off")
        self._cameras = frozenset(cameras)
        self._by: dict[str, str] = {}

    def load(self) -> dict[str, str]:
        """Camera id to who switched it off. Reads a small file at once: to be called in a thread."""
        try:
            found = {key: _parse(value) for key, value in self._file.read().items()}
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._file.unreadable(error)
            return {}
        self._by = found
        return {key: by for key, by in found.items() if key in self._cameras}

    def configure(self, cameras: Collection[str]) -> None:
        """These are the enabled cameras from now on; of the others, nothing is remembered. On the loop."""
        self._cameras = frozenset(cameras)
        if gone := [key for key in self._by if key not in self._cameras]:
            for key in gone:
                del self._by[key]
            self._write()

    def save(self, camera_id: str, by: str | None) -> None:
        """Who switched it off; None: it is on. To be called on the loop; durable some milliseconds later."""
        if by is None:
            self._by.pop(camera_id, None)
        else:
            self._by[camera_id] = by
        self._write()

    async def stop(self) -> None:
        """Returns when the last change is durable, or was tried once more; idempotent."""
        await self._file.stop()

    def _write(self) -> None:
        self._file.write({key: {"by": by} for key, by in self._by.items()})


def _parse(value: Any) -> str:
    return str(value["by"])
