"""A microphone without hardware: ALSA's own `file` device, which hears what is written into a named pipe."""

import math
import os
import shutil
import subprocess
import threading
import time
from array import array
from pathlib import Path

import pytest

NAME = "beeps"
_RATE = 48_000
_BLOCK = 480
_SHIM = Path(__file__).parents[1] / "fakes" / "media_alsa_period.c"


def is_on(wall_s: float) -> bool:
    """Whether there is a beep, and a flash, at that moment."""
    return wall_s % 1 < 0.1


class AlsaMicrophone:
    """Hears a beep at each full second of the wall clock, as long as it is plugged in.

    Children that are started while it exists see it as the ALSA device `beeps`.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        compiler = shutil.which("cc")
        if compiler is None or not Path("/usr/share/alsa/alsa.conf").exists():
            pytest.skip("there is no C compiler, or no ALSA")
        shim = folder / "period.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-o", str(shim), str(_SHIM)], check=True)
        self._config = folder / "alsa.conf"
        self._pipe = folder / "heard"
        os.mkfifo(self._pipe)
        self.unplug()
        monkeypatch.setenv("ALSA_CONFIG_PATH", str(self._config))
        monkeypatch.setenv("LD_PRELOAD", str(shim))
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sound, name="microphone")
        self._thread.start()

    def plug_in(self) -> None:
        """From now on it can be opened."""
        device = f'type file slave.pcm null file /dev/null infile "{self._pipe}" format raw'
        self._config.write_text(f"</usr/share/alsa/alsa.conf>\npcm.{NAME} {{ {device} }}\n")

    def unplug(self) -> None:
        """From now on it cannot be opened."""
        self._config.write_text("</usr/share/alsa/alsa.conf>\n")

    def close(self) -> None:
        """Ends it."""
        self._stopped.set()
        self._thread.join()

    def _sound(self) -> None:
        while not self._stopped.is_set():
            try:
                heard = os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody listens
                self._stopped.wait(0.002)
                continue
            try:
                self._play(heard)
            except BrokenPipeError:
                pass
            finally:
                os.close(heard)

    def _play(self, heard: int) -> None:
        began_s, done = time.time(), 0
        while not self._stopped.is_set():
            times = ((done + n) / _RATE for n in range(_BLOCK))
            block = array("h", (round(13_000 * math.sin(6283 * t)) if is_on(began_s + t) else 0 for t in times))
            done += _BLOCK
            self._stopped.wait(max(0.0, began_s + done / _RATE - time.time()))
            os.write(heard, block.tobytes())
