"""The Raspberry Pi cameras that are there, and a picture of one that nobody uses."""

import asyncio
import json

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media.picam.facts import CameraFacts
from livecam_nvr.media.picam.interpreter import python_with_picamera2
from livecam_nvr.media.picam.process import CHILD, PicameraChild
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.runtime.process import spawn

_LIST_S = 20.0


async def picameras() -> tuple[list[CameraFacts], str]:
    """All cameras with their modes, in the order of their numbers; and why there are none (empty if there are).

    A camera that is in use is there, too, with `trouble` instead of its modes.
    """
    out: list[bytes] = []
    try:
        child = await spawn([await python_with_picamera2(), str(CHILD), "list"], name="list", on_stdout=out.append)
    except LivecamError as error:
        return [], f"{error.message}; {error.hint}"
    try:
        async with asyncio.timeout(_LIST_S):
            status = await child.wait()
    except TimeoutError:
        return [], f"picamera2 did not list its cameras within {_LIST_S:.0f} s"
    finally:
        await child.stop()
    if status != 0:
        return [], next(reversed(child.last_lines), f"picamera2 failed with status {status}")
    found = [CameraFacts.from_json(told) for told in json.loads(b"".join(out))]
    return found, "" if found else "no camera is connected"


async def snapshot(selector: int | str) -> bytes:
    """A JPEG from a camera that nobody uses.

    Raises:
        LivecamError: As PicameraChild's `open` and `snapshot`.
    """
    child = PicameraChild(f"camera {selector}", selector, None, SystemClock())
    try:
        await child.open()
        return await child.snapshot()
    except TimeoutError as error:
        raise LivecamError(ErrorKind.UNAVAILABLE, "the camera gave no picture in time") from error
    finally:
        await child.stop()
