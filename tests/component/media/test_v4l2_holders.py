"""Who has a device open: programs by their names, and our own other cameras as what they are."""

import asyncio
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from support.waiting import until

from livecam_nvr.media.v4l2.holders import holders

_HOLD = "import sys; file = open(sys.argv[1]); print(flush=True); sys.stdin.read()"


def made_device(folder: Path) -> Path:
    """A device by the name of a camera that anybody may hold: /dev/null's."""
    device = folder / "video0"
    try:
        os.mknod(device, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        device.open().close()
    except PermissionError as error:
        pytest.skip(f"only root may make a device, where the file system allows it: {error}")
    return device


async def test_a_child_of_ours_is_another_camera(tmp_path: Path) -> None:
    device = made_device(tmp_path)
    argv = [sys.executable, "-c", _HOLD, str(device)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        found = await asyncio.to_thread(holders, device)
        assert found == [f"another camera of this service (pid {child.pid})"]
        assert child.stdin is not None
        child.stdin.close()
        await until(lambda: child.poll() is not None)


async def test_somebody_elses_is_named(tmp_path: Path) -> None:
    device = made_device(tmp_path)
    # A shell in between: the holder is a grandchild, as far from us as any other program.
    argv = ["sh", "-c", '"$@"; :', "sh", sys.executable, "-c", _HOLD, str(device)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        assert shell.stdout is not None
        shell.stdout.readline()
        (found,) = await asyncio.to_thread(holders, device)
        assert found.startswith("python")
        assert str(os.getpid()) not in found
        assert shell.stdin is not None
        shell.stdin.close()
        await until(lambda: shell.poll() is not None)
