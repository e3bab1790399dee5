"""How far sound and picture are apart: the beeps of a test camera against the flashes in its picture."""

import functools
import re
import subprocess
from array import array
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from support import clips, rtsp_sounds
from support.rtsp_films import Film, film
from support.rtsp_sounds import Sound

_QUIET_S = 0.4  # between the end of one beep or flash and the beginning of the next
FLASH = "drawbox=x=iw*7/8:y=0:w=iw/8:h=ih/8:color=white:t=fill:enable='lt(mod(t,1),0.1)'"
_LOOP_S = 8  # so many seconds are a whole number of packets in all codecs


@functools.cache
def flashing() -> Film:
    """For an RTSP camera: a flash each second."""
    return film(seconds=2, extra=("-vf", FLASH))


@functools.cache
def beeping(codec: str) -> Sound:
    """For an RTSP camera: a beep each second, in `pcmu`, `aac` or `opus`."""
    rate, *encoder = {
        "pcmu": (8000, "pcm_mulaw", "-f", "mulaw"),
        "aac": (16000, "aac", "-f", "adts"),
        "opus": (48000, "libopus", "-frame_duration", "20", "-f", "ogg"),
    }[codec]
    wave = rf"aevalsrc=exprs=0.4*sin(2*PI*1000*t)*lt(mod(t\,1)\,0.1):s={rate}:d={_LOOP_S + 1}"
    raw = clips.run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", wave, "-c:a", *map(str, encoder), "-")
    if codec == "pcmu":
        payloads = rtsp_sounds._cut(raw, 160)
    elif codec == "aac":
        payloads = rtsp_sounds._aac(raw).payloads[1:]  # the first one holds what comes before the beginning
    else:
        payloads = rtsp_sounds._ogg_packets(raw)[2:]
    like = rtsp_sounds.sound(codec)
    return replace(like, payloads=payloads[: round(_LOOP_S * like.clock / like.ticks)])


def offsets(path: Path | str, *arguments: str) -> list[float]:
    """For each flash, how many seconds later than it its beep begins; `arguments` stand before `-i`."""
    flashes, beeps = flash_times(path, *arguments), beep_times(path, *arguments)
    assert flashes, f"{path}: no flash"
    assert beeps, f"{path}: no beep"
    found = []
    for flash in flashes:
        nearest = min(beeps, key=lambda beep: abs(beep - flash))
        if abs(nearest - flash) < 0.5:
            found.append(nearest - flash)
    assert found, f"flashes at {flashes}, beeps at {beeps}"
    return found


def flash_times(path: Path | str, *arguments: str) -> list[float]:
    """When the upper right corner turns white; a flash that was there from the beginning does not count."""
    look = "crop=iw/8:ih/8:iw*7/8:0,scale=1:1:flags=area,format=gray,showinfo"
    said = _decode(path, arguments, "-map", "0:v:0", "-vf", look, "-fps_mode", "passthrough", "-f", "null", "-")[1]
    frames = [
        (float(found[1]), int(found[2]) > 200)
        for found in re.finditer(r" pts_time:\s*([-\d.]+).*? mean:\[(\d+)", said)
    ]
    return _onsets(frames)


def beep_times(path: Path | str, *arguments: str) -> list[float]:
    """When silence turns into sound; a beep that was there from the beginning does not count."""
    pcm = ("-map", "0:a:0", "-af", "aformat=sample_fmts=s16:channel_layouts=mono,ashowinfo", "-f", "s16le", "-")
    raw, said = _decode(path, arguments, *pcm)
    samples = array("h", raw)
    rate = 0
    frames: list[tuple[float, int]] = []
    for found in re.finditer(r" pts_time:([-\d.]+).*? rate:(\d+) nb_samples:(\d+)", said):
        rate = int(found[2])
        frames.append((float(found[1]), int(found[3])))
    starts = [0, *accumulate(count for _, count in frames)]
    assert starts[-1] == len(samples)
    loud = [
        (begins + n / rate, max(map(abs, samples[start + n : start + n + 8])) > 4000)
        for (begins, count), start in zip(frames, starts, strict=False)
        for n in range(0, count - 7, 8)
    ]
    return _onsets(loud)


def _onsets(seen: list[tuple[float, bool]]) -> list[float]:
    onsets, last = [], seen[0][0] if seen else 0.0
    for time, on in seen:
        if on:
            if time - last > _QUIET_S:
                onsets.append(time)
            last = time
    return onsets


def _decode(path: Path | str, before: tuple[str, ...], *after: str) -> tuple[bytes, str]:
    argv = ("ffmpeg", "-hide_banner", "-nostdin", *before, "-i", str(path), *after)
    done = subprocess.run(argv, capture_output=True, timeout=60, check=False)
    said = done.stderr.decode(errors="replace")
    assert done.returncode == 0, said[-2000:]
    return done.stdout, said
