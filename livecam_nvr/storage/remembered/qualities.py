"""Remembers the qualities that were chosen at run time (core.ports.QualityMemory)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livecam_nvr.domain.quality import Quality
from livecam_nvr.storage.remembered.memory_file import MemoryFile


class QualityFile:
    """The chosen qualities in the file at `path`.

    Each is kept with what the config said at that time: once the config says something else, it counts again.

    Args:
        path: The file.
        configured: The quality in the config of each camera that has one.
    """

    def __init__(self, path: Path, configured: Mapping[str, Quality]) -> None:
        self._file = MemoryFile(path, "qualities", "the cameras' qualities")
        self._configured = configured
        self._chosen: dict[str, Quality] = {}

    def load(self) -> dict[str, Quality]:
        """Camera id to what was chosen. Reads a small file at once: to be called in a thread."""
        try:
            found = {key: _parse(value) for key, value in self._file.read().items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            self._file.unreadable(error)
            return {}
        self._chosen = {
            key: chosen for key, (chosen, configured) in found.items() if self._configured.get(key) == configured
        }
        return dict(self._chosen)

    def save(self, camera_id: str, quality: Quality | None) -> None:
        """See core.ports.QualityMemory."""
        if quality is None:
            self._chosen.pop(camera_id, None)
        else:
            self._chosen[camera_id] = quality
        self._file.write(
            {
                key: {"chosen": _plain(chosen), "configured": _plain(self._configured[key])}
                for key, chosen in self._chosen.items()
            }
        )

    async def stop(self) -> None:
        """Returns when the last change is durable, or was tried once more; idempotent."""
        await self._file.stop()


def _plain(quality: Quality) -> dict[str, Any]:
    return {"height": quality.height, "fps": quality.fps}


def _parse(value: Any) -> tuple[Quality, Quality]:
    chosen, configured = (
        Quality(int(found["height"]), float(found["fps"])) for found in (value["chosen"], value["configured"])
    )
    return chosen, configured
