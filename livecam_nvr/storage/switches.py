"""Remembers the recording switches in a small JSON file (core.ports.SwitchMemory)."""

import asyncio
import contextlib
import json
import logging
import os
from pathlib import Path

from livecam_nvr.storage.refusal import in_words
from livecam_nvr.storage.segment_file import sync_dir

_log = logging.getLogger(__name__)

_VERSION = 1
_RETRY_S = 5.0


class SwitchFile:
    """The switches in the file at `path`; each change replaces it as a whole, so a power cut leaves old or new."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wanted: dict[str, bool] | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def load(self) -> dict[str, bool]:
        """See core.ports.SwitchMemory.

        Reads a small file at once: to be called before the loop is busy, or in a thread.
        """
        try:
            return _parse(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.error("the recording switches in %s cannot be read, the config's are used: %s", self._path, error)
        return {}

    def save(self, switches: dict[str, bool]) -> None:
        """See core.ports.SwitchMemory. To be called on the loop; durable some milliseconds later."""
        self._wanted = dict(switches)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_all(), name="remember switches")

    async def stop(self) -> None:
        """Returns when the last change is durable, or was tried once more; idempotent."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def _write_all(self) -> None:
        while (switches := self._wanted) is not None:
            self._wanted = None
            try:
                await asyncio.to_thread(self._write, switches)
            except OSError as error:
                _log.error("the recording switches cannot be remembered: %s", in_words(error, str(self._path)))
                if self._stopping.is_set():
                    return
                self._wanted = self._wanted or switches
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_RETRY_S):
                        await self._stopping.wait()

    def _write(self, switches: dict[str, bool]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_name(self._path.name + ".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump({"version": _VERSION, "recording": switches}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
        sync_dir(self._path.parent)


def _parse(text: str) -> dict[str, bool]:
    values = json.loads(text)
    switches = values["recording"]
    if values["version"] != _VERSION or not all(isinstance(on, bool) for on in switches.values()):
        raise ValueError("its contents are not what this program writes")
    return dict(switches)
