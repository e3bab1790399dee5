"""Lists the USB cameras of this machine: what they are called, where they are found again, what they can do."""

import asyncio
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from livecam_nvr.media.v4l2 import abi
from livecam_nvr.media.v4l2.formats import Mode
from livecam_nvr.media.v4l2.holders import holders
from livecam_nvr.media.v4l2.node import Node

_DEV = Path("/dev")
_BY = (Path("/dev/v4l/by-id"), Path("/dev/v4l/by-path"))
# Parts of the Raspberry Pi's own camera and codec hardware that look like cameras.
_NOT_USB = {"bcm2835-codec", "bcm2835-isp", "unicam", "rp1-cfe", "pispbe", "rpivid", "rpi-hevc-dec"}


@dataclass(frozen=True, slots=True)
class V4l2Device:
    """A camera that can be recorded."""

    path: str
    """The kernel's name, e.g. `/dev/video0`; may be another camera's after the next boot."""
    stable_path: str
    """What to write into the config: the link below `/dev/v4l` that always means this camera; else `path`."""
    card: str = ""
    """Its name for people."""
    driver: str = ""
    bus: str = ""
    """Where it is plugged in."""
    modes: tuple[Mode, ...] = ()
    held_by: tuple[str, ...] = ()
    """Other programs that have it open, e.g. `motion (pid 812)`."""
    problem: str = ""
    """Why nothing is known of it; empty: all is well."""


async def list_devices() -> list[V4l2Device]:
    """The cameras that are plugged in, in the order of their numbers. Never raises for a device that fails."""
    return await asyncio.to_thread(lambda: list(_devices()))


def is_camera(node: Node) -> bool:
    """Whether pictures can be captured from it, and not from the node beside it, by ffmpeg.

    A UVC camera has a second node for metadata; codecs, scalers and raw sensors are nodes, too. Blocks.
    """
    needed = abi.CAP_VIDEO_CAPTURE | abi.CAP_STREAMING
    refused = abi.CAP_VIDEO_M2M | abi.CAP_VIDEO_M2M_MPLANE | abi.CAP_IO_MC
    caps = node.capabilities
    return caps & needed == needed and not caps & refused and node.driver not in _NOT_USB


def plugged_in() -> list[V4l2Device]:
    """The same as `list_devices`, without the modes and without who holds them; blocks."""
    return list(_devices(thorough=False))


def _devices(*, thorough: bool = True) -> Iterator[V4l2Device]:
    stable = _stable_paths()
    for path in _nodes():
        name = stable.get(path, path)
        try:
            with Node(path) as node:
                if not is_camera(node):
                    continue
                modes = tuple(node.modes()) if thorough else ()
                held_by = tuple(holders(Path(path))) if thorough else ()
                yield V4l2Device(path, name, node.card, node.driver, node.bus, modes, held_by)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTTY, errno.EINVAL}:
                continue  # unplugged just now, or no video device at all
            yield V4l2Device(path, name, problem=problem_of(error))


def problem_of(error: OSError) -> str:
    """Why a device cannot be used, in words."""
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "this user may not open it"
    return (os.strerror(error.errno) if error.errno else str(error)).lower()


def _nodes() -> list[str]:
    names = [path.name for path in _DEV.iterdir()]
    numbers = sorted(int(name[5:]) for name in names if name.startswith("video") and name[5:].isdecimal())
    return [f"{_DEV}/video{number}" for number in numbers]


def _stable_paths() -> dict[str, str]:
    """The links that udev made, by the nodes that they lead to; by-id before by-path (60-persistent-v4l.rules)."""
    found: dict[str, str] = {}
    for folder in _BY:
        try:
            links = sorted(folder.iterdir())
        except OSError:
            continue
        for link in links:
            found.setdefault(os.path.realpath(link), str(link))
    return found
