import itertools
import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import clips
from support.live_camera import LiveCamera, MakeCamera
from support.own_time import within_own_time
from support.ports import free_port
from support.service import alive, command_line
from support.waiting import until

from livecam_nvr.config import models
from livecam_nvr.core.ports import PublishTarget
from livecam_nvr.domain.media import EndCause, Fragment, base_times, rebased
from livecam_nvr.domain.status import CameraState

LIVE, DELAY, ERROR, OFFLINE = CameraState.LIVE, CameraState.DELAY, CameraState.ERROR, CameraState.OFFLINE


def file_camera(path: Path, **more: object) -> models.FileCamera:
    return models.FileCamera.model_validate({"id": "cam0", "kind": "file", "path": path, **more})


def save(fragments: list[Fragment], path: Path) -> Path:
    """A file that holds the fragments, as a recording does."""
    bases = base_times(fragments[0])
    path.write_bytes(fragments[0].init.data + b"".join(p for f in fragments for p in rebased(f, bases)))
    return path


def arrived(fragments: list[Fragment]) -> float:
    """Seconds from the first to the last, as they came."""
    return fragments[-1].arrived_s - fragments[0].arrived_s


async def test_a_camera_delivers_every_frame_in_order(run_camera: MakeCamera, tmp_path: Path) -> None:
    camera = run_camera()
    assert camera.pipeline.state is OFFLINE
    fragments = await camera.until_fragments(75)
    assert camera.course == [LIVE]
    assert [(e.codec[:5], e.width, e.height) for e in camera.started] == [("avc1.", 640, 360)]
    assert clips.frame_numbers(save(fragments, tmp_path / "seen.mp4")) == list(range(75))
    assert [f.number for f in fragments] == list(range(75))
    took_s, came_s = (fragments[-1].utc_ns - fragments[0].utc_ns) / 1e9, arrived(fragments)
    assert min(74 / 30, came_s) - 0.15 < took_s < max(74 / 30, came_s) + 0.15
    wall_s = time.time() - time.monotonic()
    assert min(f.arrived_s + wall_s - f.utc_ns / 1e9 for f in fragments) == pytest.approx(1 / 30, abs=0.1)
    await until(lambda: camera.pipeline.camera_status().fps > 0, "a rate, which takes half a second")
    status, now_s = camera.pipeline.camera_status(), time.monotonic()
    assert status.state in {LIVE, DELAY}
    assert (status.width, status.height, status.restarts) == (640, 360, 0)
    assert status.frames >= 75
    assert status.bitrate_bps > 10_000
    assert status.last_frame_age_s is not None
    assert 0 <= status.last_frame_age_s <= now_s - camera.fragments[-1].arrived_s + 0.01  # it is rounded
    assert (status.fault, status.dropped_frames) == (None, 0)


async def test_stopping_leaves_no_process_and_no_open_end(run_camera: MakeCamera) -> None:
    camera = run_camera()
    await camera.until_fragments(1)
    pid = camera.pipeline.pid
    assert pid is not None
    assert "ffmpeg" in command_line(pid)
    async with within_own_time(2.5, "the stop"):
        await camera.pipeline.stop()
    assert not alive(pid)
    assert camera.pipeline.pid is None
    assert camera.ends == [EndCause.SERVICE]
    assert camera.hub.init is None
    await camera.pipeline.stop()


async def test_a_killed_ffmpeg_is_back_within_three_seconds(
    run_camera: MakeCamera, caplog: pytest.LogCaptureFixture
) -> None:
    # Nothing listens at its target: the camera's reason must not be taken from there.
    target = PublishTarget(
        "rtsp", f"rtsp://live:secret@127.0.0.1:{free_port()}/cam0", (("rtsp_transport", "tcp"),)
    )
    began_s = time.monotonic()
    camera = run_camera(target=target)
    before = await camera.until_fragments(10)
    begins_s = camera.fragments[0].arrived_s - began_s  # what an ffmpeg needs on this machine, now
    async with within_own_time(3 + 2 * begins_s, "the restart"):
        await camera.kill(signal.SIGKILL)
        await until(lambda: ERROR in camera.states)
        await camera.until_state(LIVE)
    assert camera.course == [LIVE, ERROR, LIVE]
    assert camera.fault == "ffmpeg was ended by signal 9"
    assert camera.pipeline.restarts == 1
    assert camera.ends == [EndCause.ENCODER]
    assert len(camera.started) == 2
    after = [f for f in camera.fragments if f.init is not before[0].init]
    assert after[0].keyframe
    assert [f.number for f in camera.fragments] == list(range(len(camera.fragments)))
    assert "secret" not in caplog.text


async def test_a_stalled_camera_is_late_then_restarted(run_camera: MakeCamera) -> None:
    camera = run_camera(stall_seconds=2)
    await camera.until_fragments(10)
    await camera.kill(signal.SIGSTOP)
    await camera.until_state(DELAY)
    await until(lambda: camera.pipeline.restarts == 1)
    assert "the camera stalled: no frame for" in camera.fault
    assert camera.ends == [EndCause.CAMERA]
    await camera.until_state(LIVE)
    assert DELAY in camera.states
    assert camera.course == [LIVE, ERROR, LIVE]


async def test_a_camera_that_pauses_is_late_and_no_more(run_camera: MakeCamera) -> None:
    camera = run_camera(stall_seconds=20)
    await camera.until_fragments(10)
    await camera.kill(signal.SIGSTOP)
    await camera.until_state(DELAY)
    await camera.kill(signal.SIGCONT)
    await camera.until_state(LIVE)
    assert camera.course == [LIVE]
    assert camera.pipeline.restarts == 0


async def test_a_pause_of_the_whole_machine_is_no_stall_of_the_camera(run_camera: MakeCamera) -> None:
    camera = run_camera(stall_seconds=3)
    await camera.until_fragments(10)
    await camera.kill(signal.SIGSTOP)
    await until(lambda: (camera.pipeline.camera_status().last_frame_age_s or 0) > 0.3, "all that was on its way")
    time.sleep(3)  # the service does not run either
    await camera.until_state(DELAY)
    await camera.kill(signal.SIGCONT)
    await camera.until_state(LIVE)
    assert camera.course == [LIVE]
    assert camera.pipeline.restarts == 0


async def test_one_frame_a_second_is_not_late(run_camera: MakeCamera) -> None:
    camera = run_camera(fps=1)
    fragments = await camera.until_fragments(4)
    was_late = max(b.arrived_s - a.arrived_s for a, b in itertools.pairwise(fragments)) > 1.5
    assert was_late or camera.states == [LIVE]


async def test_a_camera_whose_name_has_every_sign(run_camera: MakeCamera) -> None:
    camera = run_camera(name="Küche [2], \"a;b=c\" 100% \\ 'x': y {z} %{n} $")
    await camera.until_fragments(1)
    assert camera.course == [LIVE]


async def test_without_a_media_server_not_one_frame_is_missing(run_camera: MakeCamera, tmp_path: Path) -> None:
    targets = [
        PublishTarget("rtsp", f"rtsp://127.0.0.1:{free_port()}/cam0", (("rtsp_transport", "tcp"),)),
        PublishTarget("mpegts", f"udp://127.0.0.1:{free_port()}?pkt_size=1316"),
    ]
    for number, camera in enumerate([run_camera(target=target, fps=15) for target in targets]):
        fragments = await camera.until_fragments(40)
        assert clips.frame_numbers(save(fragments, tmp_path / f"{number}.mp4")) == list(range(40))
        assert camera.course == [LIVE]


async def test_a_missing_file_is_offline_and_heals(run_camera: MakeCamera, tmp_path: Path) -> None:
    path = tmp_path / "later.mp4"
    camera = run_camera(file_camera(path))
    await until(lambda: camera.fault)
    assert camera.fault == f"there is no file {path}"
    assert camera.pipeline.state is OFFLINE
    assert camera.states == [OFFLINE]
    clips.make(tmp_path / "made.mp4", seconds=1).rename(path)
    await camera.until_state(LIVE)
    assert camera.fault, "the last fault is kept for the record"


def garbage(path: Path) -> None:
    path.write_bytes(b"not a video" * 1000)


def sound(path: Path) -> None:
    clips.run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", "-f", "mp4", str(path))


def cut_off(path: Path) -> None:
    clips.make(path, seconds=2)
    path.write_bytes(path.read_bytes()[:20_000])


@pytest.mark.parametrize(
    ("make", "state", "reason"),
    [
        (garbage, ERROR, "sends data that is no video"),
        (sound, ERROR, "holds no video"),
        (cut_off, ERROR, "sends data that is no video"),
        (Path.touch, ERROR, "sends data that is no video"),
        (Path.mkdir, OFFLINE, "there is no file"),
    ],
)
async def test_what_is_no_video_says_so(
    run_camera: MakeCamera, tmp_path: Path, make: Callable[[Path], None], state: CameraState, reason: str
) -> None:
    path = tmp_path / "file.mp4"
    make(path)
    camera = run_camera(file_camera(path))
    await until(lambda: camera.pipeline.restarts >= 1)
    assert reason in camera.fault
    assert str(path) in camera.fault
    assert camera.pipeline.state is state
    assert camera.fragments == []


async def test_a_path_that_cannot_be_looked_at_says_so(run_camera: MakeCamera, tmp_path: Path) -> None:
    camera = run_camera(file_camera(tmp_path / ("x" * 300)))
    await until(lambda: camera.fault)
    assert "cannot be read: File name too long" in camera.fault
    assert camera.pipeline.state is OFFLINE


@pytest.mark.parametrize("encoder", ["mpeg4", "mpeg2video", "libvpx"])
async def test_a_file_in_another_codec_is_encoded(run_camera: MakeCamera, tmp_path: Path, encoder: str) -> None:
    path = tmp_path / "file.mkv"
    clips.run(
        *("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=15:duration=2"),
        *("-c:v", encoder, "-pix_fmt", "yuv420p", str(path)),
    )
    camera = run_camera(file_camera(path))
    await camera.until_fragments(5)
    assert camera.started[0].codec.startswith("avc1.")
    assert camera.course == [LIVE]


@pytest.mark.parametrize("tag", ["hvc1", "hev1"])
async def test_h265_is_copied_and_named_so_that_everyone_plays_it(
    run_camera: MakeCamera, tmp_path: Path, tag: str
) -> None:
    x265 = ("-c:v", "libx265", "-tag:v", tag, "-x265-params", "log-level=none:bframes=0", "-tune", "zerolatency")
    path = clips.make(tmp_path / "file.mp4", seconds=1, extra=x265)
    camera = run_camera(file_camera(path))
    fragments = await camera.until_fragments(15)
    assert camera.started[0].codec.startswith("hvc1.1.6.L")
    source = clips.run("ffmpeg", "-v", "error", "-i", str(path), "-f", "framemd5", "-").splitlines()
    seen = clips.run(
        "ffmpeg", "-v", "error", "-i", str(save(fragments, tmp_path / "seen.mp4")), "-f", "framemd5", "-"
    ).splitlines()
    sums = [[line.split(b",")[-1] for line in lines if line[:1] != b"#"] for lines in (source, seen)]
    assert sums[0] == sums[1]


async def test_a_file_loops_without_a_break(run_camera: MakeCamera, tmp_path: Path) -> None:
    path = clips.make(tmp_path / "file.mp4", seconds=0.5, fps=30, gop=15)
    camera = run_camera(file_camera(path))
    fragments = await camera.until_fragments(75)
    steps = {b.time - a.time for a, b in itertools.pairwise(fragments)}
    assert steps == {fragments[0].duration}
    assert camera.pipeline.restarts == 0
    assert camera.pipeline.dropped_frames == 0
    assert camera.course == [LIVE]


async def test_an_avi_keeps_its_pace_when_it_loops(run_camera: MakeCamera, tmp_path: Path) -> None:
    path = clips.make(tmp_path / "file.avi", seconds=0.5, fps=30, gop=15)
    began_s = time.monotonic()
    camera = run_camera(file_camera(path))
    fragments = await camera.until_fragments(75)
    # ffmpeg may send the first round in a burst; from then on it may not be faster than the clock.
    assert fragments[-1].arrived_s - began_s > 59 / 30
    assert fragments[-1].time_s - fragments[0].time_s == pytest.approx(74 / 30, abs=0.2)


async def test_a_size_that_changes_begins_a_new_stream(run_camera: MakeCamera, tmp_path: Path) -> None:
    path = tmp_path / "both.ts"
    headers = ("-x264-params", "repeat-headers=1", "-f", "mpegts")
    parts = [
        clips.make(tmp_path / f"{size}.ts", seconds=1, size=size, extra=headers) for size in ("320x180", "640x360")
    ]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    camera = run_camera(file_camera(path))
    await until(lambda: camera.ends)
    assert camera.ends[0] is EndCause.FORMAT
    assert camera.fault == ""
    first = [f for f in camera.fragments if f.init is camera.fragments[0].init]
    seen = clips.probe(save(first, tmp_path / "seen.mp4"))
    assert (seen["width"], seen["packets"]) == (320, len(first))
    clips.run("ffmpeg", "-v", "error", "-xerror", "-i", str(tmp_path / "seen.mp4"), "-f", "null", "-")
    await camera.until_state(LIVE)


async def test_ffmpeg_that_is_not_installed_says_so(
    run_camera: MakeCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    camera = run_camera()
    await until(lambda: camera.fault)
    assert camera.fault == "ffmpeg is not installed"
    assert camera.pipeline.state is OFFLINE
    assert camera.ends[0] is EndCause.CAMERA
    monkeypatch.undo()
    await camera.until_state(LIVE)


async def test_the_same_fault_again_and_again_is_logged_once(
    run_camera: MakeCamera, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    camera: LiveCamera = run_camera(file_camera(tmp_path / "missing.mp4"))
    await until(lambda: camera.pipeline.restarts >= 3)
    assert len([m for m in caplog.messages if "there is no file" in m]) == 1
