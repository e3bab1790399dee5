"""Disks that fail: a small real one that can be taken away, and a layer below a process that obeys orders."""

import shutil
import subprocess
from pathlib import Path

import pytest

_SHIM = Path(__file__).parents[1] / "fakes" / "storage_faults.c"


class Faults:
    """A layer between a process that is started with `env` and the files below `folder`."""

    def __init__(self, where: Path, folder: Path) -> None:
        compiler = shutil.which("cc")
        if compiler is None:
            pytest.skip("there is no C compiler")
        shim = where / "faults.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(shim), str(_SHIM)], check=True)
        self._order = where / "faults.order"
        self.mend()
        self.env = {
            "LD_PRELOAD": str(shim),
            "LIVECAM_FAULTS_FOLDER": str(folder),
            "LIVECAM_FAULTS_ORDER": str(self._order),
        }

    def order(self, what: str) -> None:
        """From now on: `EIO write sync`, `STALL sync`; see the shim."""
        new = self._order.with_suffix(".new")
        new.write_text(what)
        new.replace(self._order)

    def mend(self) -> None:
        """From now on the disk is good."""
        self.order("")


class LoopDisk:
    """An ext4 file system of its own in a file, mounted at `point` with `mount`; always taken away by `close`."""

    def __init__(self, where: Path, name: str = "disk", size_mb: int = 64) -> None:
        self.point = where / "mnt"
        self.point.mkdir(exist_ok=True)
        self._layers = 0
        image = where / f"{name}.img"
        with image.open("wb") as file:
            file.truncate(size_mb << 20)
        _run_or_skip("mkfs.ext4", "-q", "-F", "-m", "0", str(image))
        # One loop device for all mounts: the same image mounted through two would be two file systems in one.
        self.device = _run_or_skip("losetup", "-f", "--show", str(image))
        try:
            self.mount()
            self.unmount()
        except subprocess.CalledProcessError as error:
            self.close()
            pytest.skip(f"nothing can be mounted here: {error.stderr}")

    def mount(self, *options: str) -> None:
        """Puts it in its place."""
        _run("mount", *options, self.device, str(self.point))
        self._layers += 1

    def unmount(self, *options: str) -> None:
        """Takes it away; `-l` takes it away from under whoever uses it."""
        _run("umount", *options, str(self.point))
        self._layers -= 1

    def sync(self) -> None:
        """Everything written so far is durable."""
        _run("sync", "-f", str(self.point))

    def fail(self) -> None:
        """The kernel finds an error in it and makes it read-only, as it does with a worn-out card."""
        _run("mount", "-o", "remount,abort", str(self.point))

    def check(self) -> None:
        """What a person does after that, while it is not mounted."""
        subprocess.run(["fsck.ext4", "-p", self.device], capture_output=True, check=False)

    def close(self) -> None:
        """Ends it, however it stands."""
        while self._layers > 0:
            self.unmount("-l")
        subprocess.run(["losetup", "-d", self.device], capture_output=True, check=False)


def _run(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, check=True, text=True).stdout.strip()


def _run_or_skip(*argv: str) -> str:
    try:
        return _run(*argv)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        pytest.skip(f"{argv[0]} does not work here: {said}")
