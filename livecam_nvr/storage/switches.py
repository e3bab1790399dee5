"""Remembers the recording switches (core.ports.SwitchMemory)."""

from pathlib import Path

from livecam_nvr.storage.memory_file import MemoryFile


class SwitchFile:
    """The switches in the file at `path`."""

    def __init__(self, path: Path) -> None:
        self._file = MemoryFile(path, "recording", "the recording switches")

    def load(self) -> dict[str, bool]:
        """See core.ports.SwitchMemory.

        Reads a small file at once: to be called before the loop is busy, or in a thread.
        """
        try:
            switches = self._file.read()
        except (OSError, ValueError) as error:
            self._file.unreadable(error)
            return {}
        if not all(isinstance(on, bool) for on in switches.values()):
            self._file.unreadable(ValueError("its contents are not what this program writes"))
            return {}
        return switches

    def save(self, switches: dict[str, bool]) -> None:
        """See core.ports.SwitchMemory. To be called on the loop; durable some milliseconds later."""
        self._file.write(switches)

    async def stop(self) -> None:
        """Returns when the last change is durable, or was tried once more; idempotent."""
        await self._file.stop()
