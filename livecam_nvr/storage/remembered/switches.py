"""Remembers the recording switches (core.ports.SwitchMemory)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livecam_nvr.core.ports import Switch
from livecam_nvr.storage.remembered.memory_file import MemoryFile


class SwitchFile:
    """The switches in the file at `path`."""

    def __init__(self, path: Path) -> None:
        self._file = MemoryFile(path, "recording", "the recording switches")

    def load(self) -> dict[str, Switch]:
        """See core.ports.SwitchMemory.

        Reads a small file at once: to be called before the loop is busy, or in a thread.
        """
        try:
            return {key: _parse(value) for key, value in self._file.read().items()}
        except (OSError, ValueError) as error:
            self._file.unreadable(error)
            return {}

    def save(self, switches: Mapping[str, Switch]) -> None:
        """See core.ports.SwitchMemory. To be called on the loop; durable some milliseconds later."""
        self._file.write({key: {"on": switch.on, "by": switch.by} for key, switch in switches.items()})

    async def stop(self) -> None:
        """Returns when the last change is durable, or was tried once more; idempotent."""
        await self._file.stop()


def _parse(value: Any) -> Switch:
    """A switch as it is written now, or, as it was at first, without who turned it."""
    match value:
        case bool():
            return Switch(value)
        case {"on": bool() as on, "by": str() as by}:
            return Switch(on, by)
        case _:
            raise ValueError("its contents are not what this program writes")
