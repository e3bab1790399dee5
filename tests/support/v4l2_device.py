"""USB cameras without hardware: the fake device of tests/fakes/v4l2_device.c, plugged in and out by tests.

Whoever is started with `UsbPorts.env` sees them below /dev; this process does not.
"""

import json
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support import clips

TESTS = Path(__file__).parents[1]
CAPTURE = 0x04200001
METADATA = 0x04A00000

H264_CONTROLS = (
    "control 009909cb 1 1 1000 1 250 0 Video GOP Size",
    "control 00990a66 1 1 1000 1 250 0 H264 I-Frame Period",
    "control 009909e2 2 0 1 1 0 0 Repeat Sequence Header",
)
CONTROLS = (
    "control 00980900 1 -64 64 1 0 0 Brightness",
    "control 00980918 3 0 2 1 1 0 Power Line Frequency",
    "menu 00980918 0 Disabled",
    "menu 00980918 1 50 Hz",
    "menu 00980918 2 60 Hz",
    "control 009a0901 3 0 3 1 3 0 Auto Exposure",
    "menu 009a0901 1 Manual Mode",
    "menu 009a0901 3 Aperture Priority Mode",
    "control 009a0902 1 3 2047 1 250 0 Exposure Time, Absolute",
    "control 009a0903 1 0 10 1 0 4 Serial Number",
    "control 009a090a 1 0 250 5 0 10 Focus, Absolute",
    "control 0098091a 1 2800 6500 1 4600 0 White Balance Temperature",
    "control 0098090c 2 0 1 1 1 0 White Balance, Automatic",
)


@dataclass(frozen=True)
class Picture:
    """One format with its sizes: `"1280x720": (10, 5)` are frames a second, best first."""

    fourcc: str
    sizes: dict[str, tuple[int, ...]]
    frames: Path | None = None
    flags: int = 0

    def lines(self) -> list[str]:
        sizes = [
            " ".join(["size", *size.split("x"), *(f"1/{rate}" for rate in rates)])
            for size, rates in self.sizes.items()
        ]
        return [f"format {self.fourcc} {self.flags:x} {self.frames or '-'}", *sizes]


@dataclass(frozen=True)
class FakeCamera:
    """What a node says of itself."""

    pictures: tuple[Picture, ...] = ()
    card: str = "Fake UVC Camera"
    driver: str = "uvcvideo"
    bus: str = "usb-0000:00:14.0-1"
    caps: int = CAPTURE
    more: tuple[str, ...] = field(default=CONTROLS)
    """Further lines, as the fake reads them."""

    def text(self) -> str:
        about = [f"card {self.card}", f"driver {self.driver}", f"bus {self.bus}", f"caps {self.caps:08x}"]
        return "\n".join([*about, *(line for p in self.pictures for line in p.lines()), *self.more, ""])


class UsbPorts:
    """A machine's /dev as those see it that run with `env`."""

    def __init__(self, folder: Path, library: Path) -> None:
        self.folder = folder
        (folder / ".state").mkdir(parents=True)
        self.env = {
            **os.environ,
            "LD_PRELOAD": str(library),
            "V4L2_FAKE_DEV": str(folder),
            "PYTHONPATH": f"{TESTS}:{TESTS.parent}",
        }

    def plug(self, camera: FakeCamera, name: str = "video0", by_id: str = "", mode: int = 0o660) -> None:
        """A camera (or a node of it) appears, all at once."""
        (self.folder / ".state" / f"{name}.controls").unlink(missing_ok=True)
        new = self.folder / ".state" / name
        new.write_text(camera.text())
        new.chmod(mode | stat.S_ISVTX)
        new.rename(self.folder / name)
        if by_id:
            link = self.folder / "v4l" / "by-id" / by_id
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(f"../../{name}")

    def unplug(self, name: str = "video0") -> None:
        """The camera is gone, its link too."""
        for link in self.folder.glob("v4l/*/*"):
            if link.readlink().name == name:
                link.unlink()
        (self.folder / name).unlink()

    def log(self, name: str = "video0") -> list[str]:
        """What was done to it, in order."""
        path = self.folder / ".state" / f"{name}.log"
        return path.read_text().splitlines() if path.exists() else []

    def child(self, *arguments: object, **more: Any) -> "subprocess.Popen[str]":
        """Product code beside these cameras: support/v4l2_child.py."""
        argv = [sys.executable, "-m", "support.v4l2_child", *(json.dumps(a) for a in arguments)]
        return subprocess.Popen(
            argv, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **more
        )

    def ask(self, *arguments: object) -> Any:
        """Its answer."""
        with self.child(*arguments) as child:
            out, _ = child.communicate(timeout=60)
        assert child.returncode == 0
        return json.loads(out.splitlines()[-1])


def compiler() -> str:
    """The C compiler; skips where there is none."""
    found = shutil.which("cc") or shutil.which("gcc")
    if found is None:
        pytest.skip("there is no C compiler to make the fake USB camera (gcc, libc6-dev)")
    return found


def compiled(folder: Path) -> Path:
    """The fake as a library, made once below `folder`; skips where there is no compiler."""
    library = folder / "v4l2_device.so"
    if not library.exists():
        source = TESTS / "fakes" / "v4l2_device.c"
        words = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(library), str(source)]
        clips.run(compiler(), *words, "-ldl", "-lpthread")
    return library


def mjpeg_frames(folder: Path, size: str, number: int = 60) -> Path:
    """JPEG pictures with their numbers burnt in, as the fake reads them."""
    path = folder / f"mjpeg_{size}.frames"
    if not path.exists():
        make = [*_numbered(size, number), "-c:v", "mjpeg", "-q:v", "5", "-pix_fmt", "yuvj422p", "-f", "image2pipe"]
        _write(path, _split(clips.run(*make, "-"), b"\xff\xd8\xff"))
    return path


def h264_frames(folder: Path, size: str, number: int = 60, gop: int = 15) -> Path:
    """Access units of H.264 (Annex B), each keyframe with its parameter sets, as the fake reads them.

    They are split at their delimiters, which cameras seldom send: those are taken out.
    """
    path = folder / f"h264_{size}.frames"
    if not path.exists():
        encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", str(gop)]
        stream = ["-pix_fmt", "yuv420p", "-x264-params", "aud=1:repeat-headers=1:slices=1", "-f", "h264"]
        delimiter = b"\x00\x00\x00\x01\x09"
        units = _split(clips.run(*_numbered(size, number), *encoder, *stream, "-"), delimiter)
        _write(path, [unit[len(delimiter) + 1 :] for unit in units])
    return path


def frames_in(path: Path) -> list[bytes]:
    """The frames of a file for the fake."""
    data, frames, at = path.read_bytes(), [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        frames.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return frames


def _numbered(size: str, number: int) -> list[str]:
    width, height = size.split("x")
    cells = f"drawbox=x=0:y=ih-16:w=384:h=16:color=black:t=fill,{_bits()}"
    source = f"testsrc2=size={width}x{height}:rate=30"
    return ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-vf", cells, "-frames:v", str(number)]


def _bits() -> str:
    return ",".join(
        f"drawbox=x={bit * 16}:y=ih-16:w=16:h=16:color=white:t=fill:enable='bitand(n,{1 << bit})'"
        for bit in range(8)
    )


def _split(data: bytes, mark: bytes) -> list[bytes]:
    return [mark + rest for rest in data.split(mark)[1:]]


def _write(path: Path, frames: list[bytes]) -> None:
    path.write_bytes(b"".join(len(frame).to_bytes(4, "little") + frame for frame in frames))
