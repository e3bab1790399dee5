"""Looks for the cameras of this machine, and takes a picture of each that nobody uses."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from livecam_nvr.config.models import V4l2Camera
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media.picam import listing
from livecam_nvr.media.picam.facts import CameraFacts
from livecam_nvr.media.tryout import try_camera
from livecam_nvr.media.v4l2.controls import Control, list_controls
from livecam_nvr.media.v4l2.devices import V4l2Device, list_devices

_SIZE = (1280, 720)
_FPS = 30.0
_LONGEST_ID = 28


@dataclass(frozen=True, slots=True)
class LocalCamera:
    """A camera of this machine."""

    about: CameraFacts | V4l2Device
    entry: dict[str, Any]
    """What to write into the config."""
    controls: tuple[Control, ...] = ()
    """Of a USB camera."""
    snapshot: str = ""
    """The picture's file; empty if there is none."""
    no_snapshot: str = ""
    """Why there is none, in words; empty if none was asked for."""

    @property
    def in_the_way(self) -> str:
        """Why it cannot be opened now; empty if it can."""
        if isinstance(self.about, CameraFacts):
            return self.about.trouble
        if self.about.held_by:
            return f"in use by {', '.join(self.about.held_by)}"
        return self.about.problem


@dataclass(slots=True)
class Found:
    """What there is."""

    cameras: list[LocalCamera] = field(default_factory=list)
    no_picameras: str = ""
    """Why there is no camera at the Raspberry Pi's own connector; empty if there is one."""


async def look(say: Callable[[str], None], folder: Path | None) -> Found:
    """Everything that is there; `say` is told what is being done.

    Args:
        say: Progress, in words.
        folder: Where a picture of each camera is written; None: none is taken.

    Raises:
        LivecamError: DISK if the folder cannot be written to.
    """
    if folder is not None:
        await asyncio.to_thread(_make, folder)
    say("Looking for cameras at the Raspberry Pi's own connectors …")
    facts, reason = await listing.picameras()
    say("Looking for USB cameras …")
    devices = await list_devices()
    found = Found(no_picameras=reason)
    taken: set[str] = set()
    for camera in facts:
        found.cameras.append(LocalCamera(camera, picamera_entry(camera, taken)))
    for device in devices:
        found.cameras.append(LocalCamera(device, v4l2_entry(device, taken), tuple(await _controls(device))))
    if folder is not None:
        for at, local in enumerate(found.cameras):
            say(f"A picture of {local.entry['name']} …")
            # One after the other: cameras at one USB hub may not have the bandwidth for all at once.
            found.cameras[at] = await _with_snapshot(local, folder)
    return found


def picamera_entry(camera: CameraFacts, taken: set[str]) -> dict[str, Any]:
    """The config of a camera at the Raspberry Pi's connector; `taken` are the ids given before."""
    fps = max((mode.fps for mode in camera.modes if mode.width >= _SIZE[0]), default=_FPS)
    return {
        "id": _new_id(camera.model, taken),
        "name": f"{camera.model} {camera.connector}".strip(),
        "kind": "picamera2",
        # Its number changes with what else is plugged in.
        "camera": camera.id,
        "size": f"{_SIZE[0]}x{_SIZE[1]}",
        "fps": int(min(_FPS, fps)) or 1,
    }


def v4l2_entry(device: V4l2Device, taken: set[str]) -> dict[str, Any]:
    """The config of a USB camera: 1280x720, or what it has that is nearest; `taken` are the ids given before."""
    entry: dict[str, Any] = {
        "id": _new_id(device.card, taken),
        "name": (device.card or Path(device.path).name)[:64],
        "kind": "v4l2",
        "device": device.stable_path,
    }
    # What we encode has even sides: H.264's usual pictures have half as many samples of colour.
    sizes = {(mode.width, mode.height) for mode in device.modes if mode.width % 2 == mode.height % 2 == 0}
    if sizes:
        size = min(sizes, key=lambda s: (abs(s[1] - _SIZE[1]), abs(s[0] - _SIZE[0])))
        rates = [float(max(m.rates)) for m in device.modes if (m.width, m.height) == size and m.rates]
        fps = min(_FPS, max(rates, default=_FPS))
        entry |= {"size": f"{size[0]}x{size[1]}", "fps": round(fps, 2) if fps % 1 else int(fps)}
    return entry


def _new_id(name: str, taken: set[str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:_LONGEST_ID].strip("_") or "camera"
    number = 1
    found = slug
    while found in taken:
        number += 1
        found = f"{slug}_{number}"
    taken.add(found)
    return found


async def _controls(device: V4l2Device) -> Sequence[Control]:
    try:
        return [] if device.problem else await list_controls(Path(device.path))
    except OSError:  # unplugged just now
        return []


async def _with_snapshot(camera: LocalCamera, folder: Path) -> LocalCamera:
    if camera.in_the_way:
        return replace(camera, no_snapshot=camera.in_the_way)
    try:
        picture = await _snapshot(camera)
    except LivecamError as error:
        return replace(camera, no_snapshot=f"{error.message}; {error.hint}" if error.hint else error.message)
    file = folder / f"{camera.entry['id']}.jpg"
    try:
        await asyncio.to_thread(file.write_bytes, picture)
    except OSError as error:
        raise _not_written(folder, error) from error
    return replace(camera, snapshot=str(file))


async def _snapshot(camera: LocalCamera) -> bytes:
    if isinstance(camera.about, CameraFacts):
        return await listing.snapshot(camera.about.number)
    return (await try_camera(V4l2Camera.model_validate(camera.entry), picture=True)).picture


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_written(folder, error) from error


def _not_written(folder: Path, error: OSError) -> LivecamError:
    reason = (error.strerror or str(error)).lower()
    return LivecamError(
        ErrorKind.DISK, f"{folder} cannot be written to: {reason}", "name a folder that this user may write to"
    )
