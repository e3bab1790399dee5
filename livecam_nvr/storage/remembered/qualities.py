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

    def configure(self, configured: Mapping[str, Quality]) -> None:
        """This is what the config says from now on; what was chosen against something else is forgotten."""
        before, self._configured = self._configured, dict(configured)
        self._chosen = {k: v for k, v in self._chosen.items() if before.get(k) == configured.get(k) is not None}

    def chosen(self, camera_id: str, configured: Quality) -> Quality | None:
        """What was chosen against this setting in the config; None: as that says."""
        return self._chosen.get(camera_id) if self._configured.get(camera_id) == configured else None

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
