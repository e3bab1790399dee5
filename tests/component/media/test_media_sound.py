"""Sound and picture in step, whatever the camera sends: each beep against the flash that belongs to it."""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support import clips
from support.flash_beep import FLASH, beeping, flashing, offsets
from support.live_camera import LiveCamera, MakeCamera
from support.rtsp_camera import Habits, rtsp_camera
from support.rtsp_films import play
from support.waiting import PATIENCE_S, until

from livecam_nvr.config import models
from livecam_nvr.domain.media import Fragment, base_times, rebased
from livecam_nvr.domain.status import CameraState
from livecam_nvr.media.hub import CameraStreams
from livecam_nvr.media.own_sound import OwnSound
from livecam_nvr.media.pictures import StreamPictures
from livecam_nvr.media.sound import Audio
from livecam_nvr.media.sources import rtsp_source

MOST_S = 0.04


def save(fragments: list[Fragment], path: Path) -> Path:
    """A file that holds the fragments, as a recording does."""
    bases = base_times(fragments[0])
    path.write_bytes(fragments[0].init.data + b"".join(p for f in fragments for p in rebased(f, bases)))
    return path


async def seconds(camera: LiveCamera, length_s: float) -> list[Fragment]:
    """So much of its stream."""

    def long_enough() -> bool:
        seen = camera.fragments
        return bool(seen) and seen[-1].time_s - seen[0].time_s > length_s

    await until(long_enough, f"{length_s} s of stream; {camera.fault}")
    return list(camera.fragments)


def ip_camera(url: str, **more: object) -> models.RtspCamera:
    return models.RtspCamera.model_validate({"id": "cam0", "kind": "rtsp", "url": url, "sound": True, **more})


async def test_a_test_camera_beeps_with_each_flash(run_camera: MakeCamera, tmp_path: Path) -> None:
    camera = run_camera(sound=True, fps=15)
    fragments = await seconds(camera, 3.5)
    assert fragments[0].init.mime.startswith('video/mp4; codecs="avc1.')
    assert fragments[0].init.mime.endswith(',mp4a.40.2"')
    apart = offsets(save(fragments, tmp_path / "seen.mp4"))
    assert len(apart) >= 2
    assert max(map(abs, apart)) < MOST_S
    assert camera.course == [CameraState.LIVE]
    assert camera.pipeline.dropped_frames == 0
    assert not all(fragment.frames for fragment in camera.fragments)
    assert camera.pipeline.camera_status().frames == sum(fragment.frames for fragment in camera.fragments)


@pytest.mark.parametrize("codec", ["pcmu", "aac", "opus"])
async def test_an_ip_cameras_sound_is_in_step(run_camera: MakeCamera, tmp_path: Path, codec: str) -> None:
    async with rtsp_camera(Habits(flashing(), sounds=[beeping(codec)])) as device:
        camera = run_camera(ip_camera(device.url))
        fragments = await seconds(camera, 4.5)
        apart = offsets(save(fragments, tmp_path / "seen.mp4"))
    assert len(apart) >= 3
    assert max(map(abs, apart)) < MOST_S
    assert camera.started[0].codec.startswith("avc1")
    assert camera.pipeline.camera_status().audio_codec == "mp4a.40.2"


async def test_a_file_loops_with_its_own_sound(run_camera: MakeCamera, tmp_path: Path) -> None:
    beep = r"aevalsrc=exprs=0.4*sin(2*PI*1000*t)*lt(mod(t\,1)\,0.1):s=48000:d=2"
    film, path = clips.make(tmp_path / "film.mp4", seconds=2, extra=("-vf", FLASH)), tmp_path / "file.mp4"
    clips.run(
        *("ffmpeg", "-v", "error", "-i", str(film), "-f", "lavfi", "-i", beep),
        *("-c:v", "copy", "-c:a", "aac", str(path)),
    )
    camera = run_camera(models.FileCamera(id="cam0", kind="file", path=path, sound=True))
    fragments = await seconds(camera, 5.5)
    apart = offsets(save(fragments, tmp_path / "seen.mp4"))
    assert len(apart) >= 4
    assert max(map(abs, apart)) < MOST_S
    assert camera.pipeline.dropped_frames == 0


async def test_a_camera_without_sound_is_told_of_once(
    run_camera: MakeCamera, caplog: pytest.LogCaptureFixture
) -> None:
    async with rtsp_camera(Habits(flashing())) as device:
        camera = run_camera(ip_camera(device.url))
        await camera.until_fragments(5)
        await camera.kill(signal.SIGKILL)
        await until(lambda: len(camera.started) == 2)
    assert [m for m in caplog.messages if "sound" in m] == ["cam0: it has no sound; its pictures go on without"]


class _Nothing(tuple[bytes, ...]):
    """Ends the camera's sender before its first packet."""

    __slots__ = ()

    def __getitem__(self, _: object) -> Any:
        raise asyncio.CancelledError


async def test_sound_that_is_announced_and_never_comes_is_done_without(caplog: pytest.LogCaptureFixture) -> None:
    silent = replace(beeping("pcmu"), payloads=_Nothing((b"",)))
    async with rtsp_camera(Habits(flashing(), sounds=[silent])) as device:
        source = rtsp_source(ip_camera(device.url))
        sound = OwnSound("cam0", "the camera")
        assert (await sound.join(source)).audio == Audio("pcm_mulaw")
        # The pictures did not come: that is why it is asked again so soon.
        assert (await sound.join(source)).audio is None
    assert "it sends no sound although it announces some" in caplog.text


async def test_a_picture_that_freezes_is_a_stall_although_the_sound_goes_on(run_camera: MakeCamera) -> None:
    habits = Habits(
        flashing(), sounds=[beeping("pcmu")], script=lambda: play(flashing(), frames=30), at_end="stall"
    )
    async with rtsp_camera(habits) as device:
        camera = run_camera(ip_camera(device.url, stall_seconds=2))
        await until(lambda: camera.pipeline.restarts, f"a restart; {camera.fault}")
    assert "the camera stalled: no frame for" in camera.fault
    sounds = [f for f in camera.fragments if not f.frames]
    assert sounds[-1].arrived_s - camera.pipeline.figures.last_arrived_s > 1.5  # type: ignore[operator]


async def test_pictures_of_a_camera_with_sound_come_as_soon_as_ever(run_camera: MakeCamera) -> None:
    camera = run_camera(sound=True, fps=15)
    await camera.until_fragments(20)
    pictures = StreamPictures(CameraStreams([camera.hub]))
    try:
        assert (await pictures.snapshot("cam0")).startswith(b"\xff\xd8")
        async with asyncio.timeout(PATIENCE_S):
            assert (await anext(pictures.mjpeg("cam0"))).startswith(b"\xff\xd8")
    finally:
        await pictures.stop()


async def test_a_microphone_that_is_pulled_out_begins_a_new_run(run_camera: MakeCamera) -> None:
    camera = run_camera()
    await camera.until_fragments(5)
    run = camera.pipeline._run
    assert run is not None
    run._heard("[alsa @ 0x55] ALSA read error: No such device")
    await until(lambda: camera.pipeline.restarts == 1)
    assert camera.fault == "its microphone stopped: No such device"
    await until(lambda: len(camera.started) == 2)
