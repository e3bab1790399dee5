"""A small JSON file that remembers something over restarts: replaced as a whole, written in the background."""

import asyncio
import contextlib
import json
import logging
from pathlib import Path
from typing import Any

from livecam_nvr.runtime import durable
from livecam_nvr.storage.refusal import in_words

_log = logging.getLogger(__name__)

_VERSION = 1
_RETRY_S = 5.0


class MemoryFile:
    """One JSON object under `key` in the file at `path`; a power cut leaves the old or the new one.

    Args:
        path: The file; its folder is made.
        key: What the object is called in the file.
        what: What it holds, for the log: `the recording switches`.
    """

    def __init__(self, path: Path, key: str, what: str) -> None:
        self._path = path
        self._key = key
        self._what = what
        self._wanted: dict[str, Any] | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def read(self) -> dict[str, Any]:
        """What was remembered; empty if there is nothing. Reads at once: to be called in a thread.

        Raises:
            OSError: If it cannot be read.
            ValueError: If its contents are not what this program writes.
        """
        try:
            values = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        found = values.get(self._key) if isinstance(values, dict) and values.get("version") == _VERSION else None
        if not isinstance(found, dict):
            raise ValueError("its contents are not what this program writes")  # noqa: TRY004 - it is the file's value
        return found

    def unreadable(self, error: Exception) -> None:
        """Logs that what is remembered cannot be used."""
        _log.error("%s in %s cannot be read, the config's are used: %s", self._what, self._path, error)

    def write(self, values: dict[str, Any]) -> None:
        """Remembers `values`, all of them. To be called on the loop; durable some milliseconds later."""
        self._wanted = dict(values)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_all(), name=f"remember {self._key}")

    def write_now(self, values: dict[str, Any]) -> None:
        """Remembers `values`; durable when it returns. Blocks: for threads, and not together with `write`.

        Raises:
            OSError: If that is not possible; the file is as it was before.
        """
        self._write(values)

    async def stop(self) -> None:
        """Returns when the last change is durable, or was tried once more; idempotent."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def _write_all(self) -> None:
        while (values := self._wanted) is not None:
            self._wanted = None
            try:
                await asyncio.to_thread(self._write, values)
            except OSError as error:
                _log.error("%s cannot be remembered: %s", self._what, in_words(error, str(self._path)))
                if self._stopping.is_set():
                    return
                self._wanted = self._wanted or values
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_RETRY_S):
                        await self._stopping.wait()

    def _write(self, values: dict[str, Any]) -> None:
        durable.replace(self._path, json.dumps({"version": _VERSION, self._key: values}, indent=1))
