"""A microphone beside a camera: in step with its pictures, and no loss to them where it is away."""

import asyncio
import fcntl
import logging
import os
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.runtime_clock import FakeClock
from support.alsa_microphone import NAME, AlsaMicrophone, is_on
from support.flash_beep import offsets
from support.waiting import PATIENCE_S, until

from livecam_nvr.media.encoding import Encoding
from livecam_nvr.media.ffmpeg import command
from livecam_nvr.media.microphone import Microphone
from livecam_nvr.media.sources import Source

_FPS = 15
_FRAME = 64 * 64


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AlsaMicrophone]:
    made = AlsaMicrophone(tmp_path, monkeypatch)
    yield made
    made.close()


class FlashingCamera:
    """Raw pictures through a pipe, stamped by the wall clock as they come: white when the microphone beeps."""

    def __init__(self) -> None:
        self._out, self._in = os.pipe()
        self.flashes = 0
        """So many have begun."""
        self._thread = threading.Thread(target=self._film, name="camera")
        self.source = Source(
            url=f"pipe:{self._out}",
            options={
                "f": "rawvideo",
                "video_size": "64x64",
                "pixel_format": "yuv420p",
                "framerate": str(_FPS),
                "use_wallclock_as_timestamps": "1",
            },
            encoding=Encoding(_FPS, 300),
        )

    def record(self, source: Source, path: Path, flashes: int) -> None:
        argv = [a for a in command(source, None) if a not in {"-progress", "pipe:3"}]
        with path.open("wb") as file:
            child = subprocess.Popen(argv, stdout=file, pass_fds=(self._out,))
        os.close(self._out)
        self._thread.start()
        end_s = time.monotonic() + PATIENCE_S
        while self.flashes <= flashes and time.monotonic() < end_s:
            time.sleep(0.1)
        child.terminate()
        child.wait(PATIENCE_S)
        self._thread.join()

    def _unread(self) -> int:
        return int.from_bytes(fcntl.ioctl(self._in, termios.FIONREAD, bytes(4)), sys.byteorder)

    def _film(self) -> None:
        number, in_time, flashes = int(time.time() * _FPS), 0, False
        try:
            while True:
                number += 1  # frames lie on full seconds, and so do the beeps
                time.sleep(max(0.0, number / _FPS - time.time()))
                # A frame gets its time when ffmpeg reads it, and that reads none while it opens the microphone.
                in_time = 0 if self._unread() else in_time + 1
                if number % _FPS == 0:
                    flashes = in_time > _FPS / 2
                    self.flashes += flashes
                luma = bytes([235 if flashes and is_on(number / _FPS + 0.001) else 16]) * _FRAME
                os.write(self._in, luma + b"\x80" * (_FRAME // 2))
        except BrokenPipeError:
            os.close(self._in)


async def test_sound_and_picture_are_in_step(device: AlsaMicrophone, tmp_path: Path) -> None:
    device.plug_in()
    camera, microphone = FlashingCamera(), Microphone("cam0", NAME)
    source = await microphone.join(camera.source, "wall")
    assert source.audio
    await asyncio.to_thread(camera.record, source, tmp_path / "seen.mp4", 4)
    await microphone.close()
    apart = offsets(tmp_path / "seen.mp4")
    # A machine that is busy stamps some of them late, and never one of them early.
    assert min(map(abs, apart)) < 0.04, apart


async def test_one_that_is_away_is_told_once_and_heard_when_it_is_back(
    device: AlsaMicrophone, caplog: pytest.LogCaptureFixture
) -> None:
    pictures = Source(url="pictures")
    microphone = Microphone("cam0", NAME, try_again_s=0.1)
    try:
        for _ in range(2):
            assert await microphone.join(pictures, "monotonic") is pictures
        assert [
            m for m in caplog.messages if "no sound: the microphone beeps is not there" in m
        ] == caplog.messages
        broken = microphone.broken
        assert broken is not None
        assert not broken.done()
        device.plug_in()
        await until(broken.done, "the microphone is heard again")
        assert "can be heard again" in broken.result().message
        with caplog.at_level(logging.INFO):
            source = await microphone.join(pictures, "monotonic")
        assert source.audio
        assert "works again" in caplog.text
    finally:
        await microphone.close()


async def test_hw_devices_are_opened_so_that_they_convert(
    device: AlsaMicrophone, caplog: pytest.LogCaptureFixture
) -> None:
    microphone = Microphone("cam0", "hw:7,0")
    await microphone.join(Source(url="pictures"), "monotonic")
    await microphone.close()
    assert "the microphone plughw:7,0 is not there" in caplog.text


async def test_a_clock_that_is_set_opens_the_stream_anew(device: AlsaMicrophone) -> None:
    device.plug_in()
    clock = FakeClock()
    microphone = Microphone("cam0", NAME, clock)
    try:
        source = await microphone.join(Source(url="pictures"), "monotonic")
        assert source.audio
        assert float(source.options["itsoffset"] or 0) == pytest.approx(-clock.monotonic())
        assert float(source.audio.options["itsoffset"] or 0) == pytest.approx(-clock.utc_ns() / 1e9)
        broken = microphone.broken
        assert broken is not None
        clock.step(0.05)
        await until(broken.done, "it was seen")
        assert "clock was set by +0.05 s" in broken.result().message
    finally:
        await microphone.close()
