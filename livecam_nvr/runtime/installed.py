"""Which version of the software lies on the disk: another one than runs, after an upgrade without a restart."""

import asyncio
import logging
import re
from pathlib import Path
from typing import Final

_log = logging.getLogger(__name__)

_PACKAGE: Final = Path(__file__).parents[1]
_EVERY_S = 60.0
_VERSION: Final = re.compile(r'^__version__ = "([^"\n]{1,64})"$', re.MULTILINE)


def installed_version(running: str, package: Path = _PACKAGE) -> str:
    """The version that the package's files on the disk say; `running` if they cannot be read, or say none.

    From the very place that a restart would read: what an installer has written down about the package is not
    there in a checkout, and what is there of an editable installation is as old as that. Blocks; for threads.
    """
    try:
        found = _VERSION.search((package / "__init__.py").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        _log.debug("the installed version cannot be read: %r", error)
        return running
    return found[1] if found else running


class InstalledVersion:
    """Looks each minute, from `start` until `stop`.

    Args:
        running: The version that runs.
        package: Where its files are.
        every_s: How often is looked.

    Attributes:
        version: As it was found last.
    """

    def __init__(self, running: str, package: Path = _PACKAGE, every_s: float = _EVERY_S) -> None:
        self.version = running
        self._running = running
        self._package = package
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to look; what runs has just been read from there. Idempotent."""
        if self._task is None:
            self._task = asyncio.create_task(self._watch(), name="installed version")

    async def stop(self) -> None:
        """Idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            found = await asyncio.to_thread(installed_version, self._running, self._package)
            if found not in (self.version, self._running):
                _log.info("version %s is installed, and %s runs until the next restart", found, self._running)
            self.version = found
