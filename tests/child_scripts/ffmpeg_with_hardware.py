"""An ffmpeg on a machine that has hardware encoders: what is asked of them is done by libx264.

ENCODERS holds the codecs that work; HANG those that never answer, nor end when asked to.
"""

import os
import signal
import sys
import time

_OWN = ("-rc", "-zerolatency", "-delay", "-forced-idr", "-forced_idr", "-async_depth", "-look_ahead", "-low_power")
_DEVICES = ("-init_hw_device", "-filter_hw_device")


def main() -> None:
    """Becomes the real ffmpeg."""
    argv = sys.argv[1:]
    codec = argv[argv.index("-c:v") + 1] if "-c:v" in argv else ""
    if codec in os.environ.get("HANG", "").split():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)
    if codec in os.environ.get("ENCODERS", "").split():
        argv = translated(argv, in_band=codec == "h264_v4l2m2m")
    os.execv(os.environ["REAL_FFMPEG"], ["ffmpeg", *argv])  # noqa: S606 - it becomes the program


def translated(argv: list[str], *, in_band: bool) -> list[str]:
    """The same for libx264; `in_band`: its parameter sets come with the keyframes only."""
    result: list[str] = []
    words = iter(argv)
    for word in words:
        if word in _OWN or word in _DEVICES:
            next(words)
        elif word == "-c:v":
            next(words)
            result += ["-c:v", "libx264"]
        elif word in {"-preset", "-tune"}:
            result += [word, {"-preset": "ultrafast", "-tune": "zerolatency"}[word]]
            next(words)
        elif word == "-filter_complex":
            result += [word, next(words).replace("hwupload", "null")]
        else:
            result.append(word)
    if in_band:
        result[-1:-1] = ["-x264-params", "repeat-headers=1", "-flags", "-global_header", "-bf", "0"]
    return result


main()
