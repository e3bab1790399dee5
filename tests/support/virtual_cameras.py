"""A machine with two Raspberry Pi cameras made of software: the PATH on which `python3` has picamera2."""

import asyncio
import os
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

_SHIM = Path(__file__).resolve().parents[1] / "child_scripts" / "virtual_picamera2.py"
FOCUSING = "imx708"
"""The model of the camera whose lens moves."""
FIXED = "ov5647"
"""The model of the other one."""
PIPE_INPUT = ("-f", "matroska", "-probesize", "32", "-analyzeduration", "0", "-i")
"""How ffmpeg opens a camera's stream, in front of `pipe:N`."""


class Packet(NamedTuple):
    """One frame of a stream."""

    pts_us: int
    dts_us: int
    keyframe: bool


def cache() -> Path:
    """Where `scripts/virtual-cameras` keeps what it builds."""
    base = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    return Path(base) / "livecam-nvr" / "virtual-cameras"


def virtual_path(folder: Path, log: Path | None = None) -> str:
    """A PATH whose first `python3`, made in `folder`, finds the virtual cameras; skips if there are none.

    Args:
        folder: Empty, and the test's own.
        log: Gets a line of JSON for each frame and each control (see the shim).
    """
    built = cache()
    if not (built / "ready").exists():
        unavailable = built / "unavailable"
        told = unavailable.read_text().strip() if unavailable.exists() else "run scripts/virtual-cameras first"
        pytest.skip(f"no virtual Raspberry Pi cameras: {told}")
    make_python(folder, log)
    return f"{folder}:{os.environ['PATH']}"


def make_python(folder: Path, log: Path | None = None) -> Path:
    """Writes the `python3` that finds the virtual cameras, which have to be there."""
    built = cache()
    environment = {
        "LD_LIBRARY_PATH": str(built / "libcamera" / "lib"),
        "LIBCAMERA_LOG_LEVELS": "*:ERROR",
        "VIRTUAL_PICAMERA2_LOCKS": str(folder),
        **({"VIRTUAL_PICAMERA2_LOG": str(log)} if log else {}),
    }
    exports = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment.items())
    command = " ".join(shlex.quote(str(word)) for word in (built / "python" / "bin" / "python", _SHIM))
    python = folder / "python3"
    python.write_text(f'#!/bin/sh\n{exports}\nexec {command} "$@"\n')
    python.chmod(0o755)
    return python


async def copied(read_fd: int, into: Path) -> asyncio.subprocess.Process:
    """An ffmpeg that copies a camera's stream into a file, with its times; it takes the descriptor over."""
    given = [*PIPE_INPUT, f"pipe:{read_fd}"]
    try:
        return await asyncio.create_subprocess_exec(
            *(
                "ffmpeg",
                "-v",
                "error",
                "-nostdin",
                "-y",
                "-copyts",
                *given,
                "-c",
                "copy",
                *(["-f", "null"] if into == Path(os.devnull) else []),
                str(into),
            ),
            pass_fds=[read_fd],
        )
    finally:
        os.close(read_fd)


def numbered(got_us: Sequence[int], sent_us: Sequence[int]) -> list[int]:
    """Which of the frames that a sensor sent each one is, the first one being the first; to the millisecond."""
    shift = sent_us[0] - got_us[0]
    numbers = [min(range(len(sent_us)), key=lambda at: abs(sent_us[at] - us - shift)) for us in got_us]
    assert max(abs(sent_us[at] - us - shift) for at, us in zip(numbers, got_us, strict=True)) <= 1000
    return numbers


def missing(got_us: Sequence[int], sent_us: Sequence[int]) -> int:
    """How many of a sensor's frames are not among those that have come, from the first to the last of these."""
    numbers = numbered(got_us, sent_us)
    assert numbers == sorted(set(numbers))
    return numbers[-1] + 1 - len(numbers)


def packets(path: Path) -> list[Packet]:
    """The video packets of a file."""
    show = ["-show_entries", "packet=pts_time,dts_time,flags", "-of", "csv=p=0"]
    rows = subprocess.check_output(
        [*["ffprobe", "-v", "error", "-select_streams", "v"], *show, str(path)], text=True
    ).split()
    cells = [row.split(",") for row in rows]
    return [
        Packet(round(float(pts) * 1e6), round(float(dts) * 1e6), "K" in flags) for pts, dts, flags, *_ in cells
    ]
