"""Encoders tried with a real ffmpeg: as this machine is, and as if it had others."""

import logging
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import clips
from support.live_camera import small_test_camera
from support.own_time import within_own_time
from support.service import ROOT, command_line, descendants
from support.waiting import until

from livecam_nvr.core.bus import EventBus
from livecam_nvr.domain.media import base_times, rebased
from livecam_nvr.domain.status import CameraState
from livecam_nvr.media.checks import EncoderCheck
from livecam_nvr.media.encoding import NVENC, V4L2M2M, X264, vaapi
from livecam_nvr.media.feeds import feed_for
from livecam_nvr.media.hardware import HARDWARE, available_encoders, choose
from livecam_nvr.media.hub import MemoryHub
from livecam_nvr.media.pipeline import CameraPipeline
from livecam_nvr.runtime.clock import SystemClock

Machine = Callable[..., Path]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Makes a machine with these encoders and device nodes; returns where the nodes are."""

    def make(*works: str, nodes: tuple[str, ...] = (), hang: str = "") -> Path:
        real = shutil.which("ffmpeg")
        assert real is not None
        folder, dev = tmp_path / "bin", tmp_path / "dev"
        folder.mkdir()
        (dev / "dri").mkdir(parents=True)
        for node in nodes:
            (dev / node).touch()
        script = folder / "ffmpeg"
        fake = ROOT / "tests" / "child_scripts" / "ffmpeg_with_hardware.py"
        script.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E {fake} "$@"\n')
        script.chmod(0o755)
        monkeypatch.setenv("REAL_FFMPEG", real)
        monkeypatch.setenv("ENCODERS", " ".join(works))
        monkeypatch.setenv("HANG", hang)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        return dev

    return make


async def test_a_machine_without_any_says_why_of_each(tmp_path: Path) -> None:
    (tmp_path / "dri").mkdir()
    for node in ("dri/renderD128", "video0"):
        (tmp_path / node).touch()
    trials = {trial.name: trial for trial in await available_encoders(tmp_path)}
    assert list(trials) == ["x264", *HARDWARE]
    assert trials["x264"].encoder == X264
    for name in HARDWARE:
        assert trials[name].encoder is None
        assert trials[name].why_not
        assert "ffmpeg says" not in trials[name].why_not, "each reason is in words of ours"


async def test_a_machine_without_devices_says_so(tmp_path: Path) -> None:
    trials = {trial.name: trial for trial in await available_encoders(tmp_path)}
    assert trials["vaapi"].why_not == trials["qsv"].why_not == "there is no graphics chip (/dev/dri/renderD*)"
    assert trials["v4l2m2m"].why_not == "there is no /dev/video* at all"


async def test_x264_is_taken_without_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert await choose("x264") == X264


async def test_one_that_is_wanted_and_does_not_work_is_replaced_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert await choose("vaapi", tmp_path) == X264
    (message,) = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert "does not work, so x264 encodes (vaapi: there is no graphics chip" in message


async def test_auto_takes_x264_without_a_warning_where_nothing_works(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert await choose("auto", tmp_path) == X264
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_auto_takes_the_first_that_works(machine: Machine) -> None:
    dev = machine("h264_v4l2m2m", "h264_nvenc", nodes=("video11",))
    assert await choose("auto", dev) == NVENC
    assert await choose("v4l2m2m", dev) == V4L2M2M


async def test_vaapi_is_found_on_its_node(machine: Machine) -> None:
    dev = machine("h264_vaapi", nodes=("dri/renderD130",))
    assert await choose("auto", dev) == vaapi(f"{dev}/dri/renderD130")


async def test_no_ffmpeg_means_no_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    trials = await available_encoders(tmp_path)
    assert trials[0].why_not == "ffmpeg is not installed"
    assert await choose("nvenc", tmp_path) == X264


async def test_a_driver_that_hangs_costs_five_seconds_at_most_and_is_killed(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    dev = machine(
        "h264_v4l2m2m", nodes=("video11", "dri/renderD128", "dri/renderD129"), hang="h264_nvenc h264_vaapi"
    )
    async with within_own_time(5, "the choice"):
        assert await choose("auto", dev) == V4L2M2M, "those that hang cost the others no time"
    await until(lambda: not [p for p in descendants(os.getpid()) if "h264_" in command_line(p)])


@pytest.mark.parametrize("name", ["nvenc", "v4l2m2m", "vaapi"])
async def test_a_camera_is_encoded_by_what_was_chosen(machine: Machine, name: str, tmp_path: Path) -> None:
    dev = machine("h264_nvenc", "h264_v4l2m2m", "h264_vaapi", nodes=("video11", "dri/renderD128"))
    encoder = await choose(name, dev)
    assert encoder.name == name
    camera = small_test_camera()
    hub = MemoryHub(camera.id, keep_s=10)
    pipeline = CameraPipeline(
        camera, feed_for(camera), hub, target=None, bus=EventBus(), clock=SystemClock(), encoder=encoder
    )
    pipeline.start()
    try:
        await until(lambda: len(hub.ring) > 18 and pipeline.state is CameraState.LIVE)
        assert hub.init is not None
        assert re.match(r"avc1\.(42|4d|64)", hub.init.video.codec)
        ring = list(hub.ring)
        bases = base_times(ring[0])
        path = tmp_path / "seen.mp4"
        path.write_bytes(ring[0].init.data + b"".join(piece for f in ring for piece in rebased(f, bases)))
        assert clips.frame_numbers(path) == list(range(len(ring)))
        keys = [fragment.time_s for fragment in ring if fragment.keyframe]
        assert keys == [0, pytest.approx(0.25, abs=0.04), pytest.approx(0.5, abs=0.04)]
    finally:
        hub.close()
        await pipeline.stop()


@pytest.mark.parametrize(
    ("wanted", "ok", "words"),
    [
        ("x264", True, "x264 ("),
        ("auto", True, "nvenc ("),
        ("nvenc", True, "nvenc (x264 works, too; qsv: "),
        ("vaapi", False, "asks for vaapi, which does not work; in its place x264 ("),
    ],
)
async def test_doctor_tells_what_works(machine: Machine, wanted: str, ok: bool, words: str) -> None:
    machine("h264_nvenc")
    (check,) = await EncoderCheck(wanted).check()
    assert check.ok is ok
    assert words in check.found
    assert bool(check.mend) is not ok


async def test_doctor_says_if_not_even_x264_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    (check,) = await EncoderCheck("x264").check()
    assert check.ok is False
    assert "x264: ffmpeg is not installed" in check.found
