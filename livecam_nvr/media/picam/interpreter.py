"""Finds the Python that has picamera2: on a Raspberry Pi that is the system's, not that of our environment."""

import asyncio
import os
import shutil

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.runtime.process import spawn

INSTALL_HINT = "on Raspberry Pi OS: sudo apt install --no-install-recommends python3-picamera2"
_SYSTEM_PYTHON = "/usr/bin/python3"
_LOOK = "import importlib.util, sys; sys.exit(importlib.util.find_spec('picamera2') is None)"
_LOOK_S = 10.0

# By PATH. Only what was found is remembered: picamera2 may be installed while the service runs.
_found: dict[str, str] = {}


async def python_with_picamera2() -> str:
    """The first `python3` that has picamera2: that on PATH, else the system's.

    Raises:
        LivecamError: UNAVAILABLE if none has it, with how to install it.
    """
    path = os.environ.get("PATH", "")
    if path in _found:
        return _found[path]
    looked_at: list[str] = []
    for candidate in (shutil.which("python3"), _SYSTEM_PYTHON):
        if candidate is not None and candidate not in looked_at and os.access(candidate, os.X_OK):
            looked_at.append(candidate)
            if await _has_picamera2(candidate):
                _found[path] = candidate
                return candidate
    where = " nor for ".join(looked_at) or "any Python"
    raise LivecamError(ErrorKind.UNAVAILABLE, f"picamera2 is not installed for {where}", INSTALL_HINT)


async def _has_picamera2(python: str) -> bool:
    child = await spawn([python, "-c", _LOOK], name="look for picamera2")
    try:
        async with asyncio.timeout(_LOOK_S):
            return await child.wait() == 0
    except TimeoutError:
        return False
    finally:
        await child.stop()
