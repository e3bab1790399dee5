"""Makes a USB camera ready for its ffmpeg: is it there, may we have it, what does it send; awaits its return."""

import asyncio
import contextlib
import errno
import grp
import os
import pwd
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media.v4l2.controls import apply_controls, read_controls
from livecam_nvr.media.v4l2.devices import is_camera, plugged_in, problem_of
from livecam_nvr.media.v4l2.formats import FOURCCS, NAMES, V4l2Plan, Wanted, choose, remark
from livecam_nvr.media.v4l2.holders import OURS, holders
from livecam_nvr.media.v4l2.node import Node

_LOOK_EVERY_S = 0.5
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ENODEV, errno.ENXIO}
_NO_DEVICE = {errno.ENOTTY, errno.EINVAL, errno.EISDIR, errno.ELOOP}
# What a camera's own encoder is asked for, where it can be told: what our own does (media/encoding.py).
_KEYFRAME_CONTROLS = ("h264_i_frame_period", "video_gop_size")
_PARAMETER_SETS = "repeat_sequence_header"


async def prepare(
    path: Path,
    size: tuple[int, int],
    fps: float,
    wanted: Wanted = "auto",
    controls: Mapping[str, int] | None = None,
    *,
    copy: bool = True,
) -> V4l2Plan:
    """Checks the camera at `path`, sets its controls, and says what it is going to send. Call before each ffmpeg.

    Args:
        path: Its node, or the link to it below `/dev/v4l`.
        size: Width and height wanted.
        fps: Frames a second wanted.
        wanted: The format that the config asks for.
        controls: Values by the names that `list_controls` gives.
        copy: False: its H.264 cannot be copied, because something is drawn into the pictures.

    Raises:
        LivecamError: UNAVAILABLE if it is not there, may not be opened, or is used by another program (named where
            that can be seen); CONFIG if it is no camera, or cannot do what is asked of it; MEDIA if it fails.
    """
    make = partial(_set_up, size=size, fps=fps, wanted=wanted, controls=dict(controls or {}), copy=copy)
    return await asyncio.to_thread(_with_node, path, make)


async def appears(path: Path) -> None:
    """Ends when a camera is plugged in at `path` and may be opened: one that was not there when this was called.

    For a camera that is there all the time it never ends: another try would bring nothing new.
    """
    before = await asyncio.to_thread(_identity, path)
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        now = await asyncio.to_thread(_identity, path)
        if now is not None and now != before:
            return
        before = now


def _identity(path: Path) -> tuple[int, int, int] | None:
    """What tells a node from the one that was there before; None while there is none that may be opened."""
    # udev gives it to its group a moment after the kernel made it.
    if not os.access(path, os.R_OK | os.W_OK):
        return None
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_rdev


def _with_node(path: Path, make: partial[V4l2Plan]) -> V4l2Plan:
    try:
        node = Node(str(path))
    except OSError as error:
        if error.errno in _NO_DEVICE:
            raise LivecamError(ErrorKind.CONFIG, f"{path} is no video device", _others(path)) from error
        raise _explained(path, error) from error
    try:
        with node:
            if not is_camera(node):
                raise _no_camera(path, node)
            return make(node)
    except OSError as error:
        raise _explained(path, error) from error


def _set_up(
    node: Node, *, size: tuple[int, int], fps: float, wanted: Wanted, controls: Mapping[str, int], copy: bool
) -> V4l2Plan:
    plan = choose(tuple(node.modes(size)), size, fps, wanted, copy=copy)
    # ffmpeg will set the same: what the driver makes of it, and whether the camera is free, is seen here first.
    name, width, height = node.set_format(FOURCCS[plan.input_format], plan.width, plan.height)
    if NAMES.get(name) != plan.input_format:
        raise LivecamError(
            ErrorKind.MEDIA,
            f"the camera offers {plan.input_format}, but does not switch to it",
            "set another format for it",
        )
    rate = node.set_rate(plan.rate)
    node.claim()
    if (width, height, rate) != (plan.width, plan.height, plan.rate):
        said = remark(width, height, rate, size, fps)
        plan = replace(plan, width=width, height=height, rate=rate, remark=said)
    apply_controls(node, controls)
    if plan.copy:
        _frequent_keyframes(node, plan, controls)
    return plan


def _frequent_keyframes(node: Node, plan: V4l2Plan, given: Mapping[str, int]) -> None:
    """A keyframe a second with its parameter sets, if the camera's encoder can be told so.

    What the config sets is left alone; so is a camera that refuses: its stream is judged when it comes.
    """
    wishes = dict.fromkeys(_KEYFRAME_CONTROLS, round(plan.fps)) | {_PARAMETER_SETS: 1}
    for control in read_controls(node):
        value = wishes.get(control.name)
        if value is not None and control.name not in given and control.takes(value) and not control.read_only:
            with contextlib.suppress(OSError):
                node.set_control(control.number, value)


def _no_camera(path: Path, node: Node) -> LivecamError:
    if node.bus.startswith("usb"):
        beside = [device.stable_path for device in plugged_in() if device.bus == node.bus]
        return LivecamError(
            ErrorKind.CONFIG,
            f"{path} is a node of {node.card} that gives no pictures",
            f"set device to {beside[0]}" if beside else _others(path),
        )
    return LivecamError(
        ErrorKind.CONFIG,
        f"{path} is no USB camera but {node.card} ({node.driver})",
        f"for a camera at the Raspberry Pi's own connector set kind to picamera2; of USB cameras {_others(path)}",
    )


def _explained(path: Path, error: OSError) -> LivecamError:
    if error.errno in _GONE:
        return LivecamError(
            ErrorKind.UNAVAILABLE, f"{path} is not there", f"is the camera plugged in? {_others(path)}"
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        user = _user()
        return LivecamError(
            ErrorKind.UNAVAILABLE,
            f"{path} may not be opened by the user {user}",
            f"sudo usermod -aG {_group(path)} {user}, then restart the service",
        )
    if error.errno == errno.EBUSY:
        by = ", ".join(holders(path)) or "another program, which this user may not see"
        hint = "end that program, or give it this service's RTSP address instead"
        if OURS in by:
            hint = "two entries of `cameras` name it: take one out"
        return LivecamError(ErrorKind.UNAVAILABLE, f"{path} is used by {by}", hint)
    return LivecamError(
        ErrorKind.MEDIA,
        f"{path} fails: {problem_of(error)}",
        "unplug the camera and plug it in again; if this comes often, try another cable or USB port",
    )


def _others(path: Path) -> str:
    """Which cameras there are."""
    real = os.path.realpath(path)
    there = [f"{d.stable_path} ({d.card or d.problem})" for d in plugged_in() if d.path != real]
    return f"there are: {', '.join(there)}" if there else "there are none now"


def _user() -> str:
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # as in containers
        return str(number)


def _group(path: Path) -> str:
    """Which group may open it."""
    try:
        name = grp.getgrgid(path.stat().st_gid).gr_name
    except (KeyError, OSError):
        return "video"
    return "video" if name == "root" else name
