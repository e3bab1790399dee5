"""doctor's own checks, with the real ffmpeg and real sockets."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from livecam_nvr.cli.checks import (
    CameraCheck,
    FfmpegCheck,
    PagePortCheck,
    PythonCheck,
    config_checks,
    ffmpeg_version,
)
from livecam_nvr.cli.examine import examine
from livecam_nvr.config.load import parse_config
from livecam_nvr.config.models import Camera, ListenConfig
from livecam_nvr.core.ports import Check
from livecam_nvr.domain.errors import ErrorKind, LivecamError


def camera(line: str, base: Path = Path("/srv")) -> Camera:
    return parse_config(f"cameras:\n- {{id: a, {line}}}\n", "config.yaml", base).cameras[0]


async def looked(check: CameraCheck | FfmpegCheck | PagePortCheck | PythonCheck) -> Check:
    (found,) = await check.check()
    return found


@pytest.fixture
def listen() -> ListenConfig:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return ListenConfig(http_port=server.getsockname()[1])


async def test_this_python_and_this_ffmpeg_are_good() -> None:
    assert (await looked(PythonCheck())).ok
    found = await looked(FfmpegCheck())
    assert found.ok, found
    assert "libx264" in found.found


@pytest.mark.parametrize(
    ("ffmpeg", "said"),
    [
        ("", "ffmpeg is not installed"),
        ("echo 'ffmpeg version 4.3.6-0+deb11u1 Copyright'", "ffmpeg version 4.3.6-0+deb11u1 Copyright is too old"),
        (
            "[ $2 = -version ] && echo ffmpeg version 6.1 || { echo \"Unknown encoder 'libx264'\" >&2; exit 1; }",
            "Unknown encoder 'libx264'",
        ),
    ],
)
async def test_an_ffmpeg_that_will_not_do(
    ffmpeg: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "setpriv").symlink_to("/usr/bin/setpriv")
    for name in ("ffmpeg", "ffprobe") if ffmpeg else ():
        (tmp_path / name).write_text(f"#!/bin/sh\n{ffmpeg}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = await looked(FfmpegCheck())
    assert not found.ok
    assert said in found.found
    assert found.mend


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("ffmpeg version 5.1.9-0+deb12u1+rpt1 Copyright", (5, 1)),
        ("ffmpeg version n7.1 Copyright", (7, 1)),
        ("ffmpeg version 8.0 Copyright", (8, 0)),
        ("ffmpeg version N-118000-gabc Copyright", None),
        ("", None),
    ],
)
def test_versions(said: str, version: tuple[int, int] | None) -> None:
    assert ffmpeg_version(said) == version


async def test_a_port_that_is_free_taken_or_on_no_address_of_ours(listen: ListenConfig) -> None:
    assert (await looked(PagePortCheck(listen))).ok
    with socket.create_server(("127.0.0.1", listen.http_port)):
        taken = await looked(PagePortCheck(listen))
    assert not taken.ok
    assert "in use" in taken.found
    assert "listen.http_port" in taken.mend
    elsewhere = await looked(PagePortCheck(listen.model_copy(update={"address": "192.0.2.1"})))
    assert not elsewhere.ok
    assert "listen.address" in elsewhere.mend


def status_of(**camera: object) -> dict[str, Any]:
    """A service's status with one camera."""
    shown = {"id": "a", "state": "LIVE", "codec": "avc1.42c01f", "width": 640, "height": 480, "fps": 14.98}
    return {"cameras": [{**shown, "fault": None, **camera}], "media_server": {}, "broker": {}}


async def test_cameras_that_deliver(tmp_path: Path) -> None:
    found = await looked(CameraCheck(camera("kind: test, size: 320x240, fps: 15")))
    assert (found.ok, found.found) == (True, "test picture, 320x240, 15 frames a second")
    picture = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10", "-t", "2", "-c:v", "libx264"]
    await asyncio.to_thread(
        subprocess.run, ["ffmpeg", "-v", "error", *picture, str(tmp_path / "a b.mp4")], check=True
    )
    found = await looked(CameraCheck(camera("kind: file, path: a b.mp4", tmp_path)))
    assert found.ok, found
    assert found.found.startswith("avc1.")
    assert found.found.endswith(", 160x120, 10 frames a second")


@pytest.mark.parametrize(
    "line",
    [
        "kind: file, path: gone.mp4",
        "kind: file, path: text.mp4",
        "kind: v4l2, device: gone",
        "kind: rtsp, url: 'rtsp://me:hunter2@127.0.0.1:{port}/x'",
    ],
)
async def test_cameras_that_do_not(listen: ListenConfig, tmp_path: Path, line: str) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    found = await looked(CameraCheck(camera(line.replace("{port}", str(listen.http_port)), tmp_path)))
    assert not found.ok
    assert found.mend
    assert "hunter2" not in found.found + found.mend


async def test_a_camera_without_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "setpriv").symlink_to("/usr/bin/setpriv")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = await looked(CameraCheck(camera("kind: test")))
    assert not found.ok
    assert "not installed" in found.found
    assert found.mend


async def test_a_camera_is_left_to_the_running_service_which_says_how_it_is() -> None:
    here = camera("kind: v4l2, device: /dev/null")
    found = await looked(CameraCheck(here, running=status_of()))
    assert (found.ok, found.found) == (
        True,
        "avc1.42c01f, 640x480, 15 frames a second, in the livecam-nvr that runs",
    )
    away = status_of(state="OFFLINE", fault={"message": "/dev/video0 is not there", "hint": "plug it in"})
    found = await looked(CameraCheck(here, running=away))
    assert not found.ok
    assert "/dev/video0 is not there" in found.found
    assert found.mend == "plug it in"
    # One that it does not know, because the config is newer than it, is looked at.
    found = await looked(CameraCheck(camera("kind: test, size: 320x240"), running=status_of(id="other")))
    assert found.found.startswith("test picture, 320x240")


async def test_smaller_streams_are_looked_at_where_no_service_has_them() -> None:
    text = (
        "cameras:\n- {id: a, kind: rtsp, url: 'rtsp://h/1', sub_url: 'rtsp://h/2'}\n"
        "- {id: b, kind: test, enabled: false}\n"
    )
    config = parse_config(text, "config.yaml", Path("/srv"))
    names = [getattr(check, "name", "") for check in config_checks(config, None)]
    assert names == ["port 8001 (page, API)", "camera a", "camera a_sub"]
    assert len(config_checks(config, status_of())) == 2


class _Scripted:
    """A check that waits for its turn and then finds, raises or hangs."""

    def __init__(self, name: str, outcome: Check | Exception | None, after: asyncio.Event | None = None) -> None:
        self.name = name
        self._outcome = outcome
        self._after = after
        self.done = asyncio.Event()

    async def check(self) -> Sequence[Check]:
        if self._after:
            await self._after.wait()
        if self._outcome is None:
            await asyncio.Event().wait()
        self.done.set()
        if isinstance(self._outcome, Exception):
            raise self._outcome
        assert self._outcome
        return [self._outcome]


async def test_each_is_shown_as_it_comes_and_none_hides_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    quick = _Scripted("quick", Check("quick", ok=True, found="here"))
    slow = _Scripted("slow", LivecamError(ErrorKind.DISK, "rtsp://u:hunter2@x is full", "make room"), quick.done)
    odd = _Scripted("odd", ValueError("what?"), slow.done)
    assert await examine([odd, slow, _Scripted("stuck", None), quick], 2) == 3
    said = capsys.readouterr().out
    marks = [(line[0], line.split()[1]) for line in said.splitlines() if line[0] != " "]
    assert marks == [("✔", "quick"), ("✘", "slow"), ("✘", "odd"), ("✘", "stuck")]
    assert "→ make room" in said
    assert "no answer within 2 s" in said
    assert "hunter2" not in said


async def test_a_running_service_may_have_its_ports(capsys: pytest.CaptureFixture[str]) -> None:
    taken = _Scripted("p", Check("port 8554 (RTSP)", ok=False, found="in use", mend="end it"))
    assert await examine([taken], 1, running=True) == 0
    assert await examine([taken], 1) == 1
    assert capsys.readouterr().out.splitlines()[0].startswith("✔ port 8554 (RTSP)")


def test_doctor_as_a_person_runs_it(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mqtt: {hots: x}\n")
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "livecam_nvr", "doctor"],
        env={**os.environ, "PYTHONPATH": str(root), "LIVECAM_NVR_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert 'mqtt.hots: unknown key; did you mean "host"?' in done.stdout
    assert "✔ ffmpeg" in done.stdout
    assert done.stderr == ""
