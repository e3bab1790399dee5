"""What our way from a Raspberry Pi camera costs over picamera2's own: CPU, for the same camera and settings.

(a) Ours: picamera2 in its child, the stream in a pipe to an ffmpeg that writes fragmented MP4, a fragment a frame,
    into a pipe that is read.
(b) picamera2's FfmpegOutput writing an MP4 file.

Both run at the same time, each with one of the virtual cameras that `scripts/virtual-cameras` builds, and change
cameras in every round. The same picamera2 and libx264 are in both.

Usage: python -m benchmarks.picamera2_path [--seconds 20] [--rounds 4] [--json]
"""

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.measure import running
from benchmarks.processes import tree, usage
from livecam_nvr.media.picam.facts import CaptureSettings
from livecam_nvr.media.picam.process import PicameraChild
from livecam_nvr.runtime.clock import SystemClock
from tests.support.virtual_cameras import FIXED, FOCUSING, PIPE_INPUT, cache, make_python

SIZE, FPS, KBPS = (1280, 720), 30, 2000
SETTLE_S = 4.0
MODELS = (FIXED, FOCUSING)
FRAGMENTS = ["-f", "mp4", "-movflags", "+frag_every_frame+empty_moov+default_base_moof", "-flush_packets", "1"]

# picamera2 as its manual records a file; the camera's number and the file are its arguments.
OWN = f"""
import sys, time
from picamera2 import Picamera2
from picamera2.encoders import H264Encoder
from picamera2.outputs import FfmpegOutput
camera = Picamera2(int(sys.argv[1]))
camera.configure(camera.create_video_configuration(
    main={{"format": "YUV420", "size": {SIZE}}}, controls={{"FrameRate": {FPS}}}))
encoder = H264Encoder(bitrate={KBPS * 1000}, repeat=True, iperiod={FPS}, framerate={FPS})
camera.start_recording(encoder, FfmpegOutput(sys.argv[2]))
time.sleep(3600)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long a round is measured (default 20)")
    parser.add_argument("--rounds", type=int, default=4, help="an even number (default 4)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--ours", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ours:
        asyncio.run(_ours(options.ours))
        return
    if not (cache() / "ready").exists():
        raise SystemExit("there are no virtual cameras; run scripts/virtual-cameras first")
    with tempfile.TemporaryDirectory(prefix="livecam-picamera2-") as name:
        result = _measure(Path(name), options.rounds, options.seconds, quiet=options.json)
    if options.json:
        print(json.dumps(result))
    else:
        print(f"ratio: {result['picamera2_cpu_ratio']}")


def _measure(folder: Path, rounds: int, seconds: float, *, quiet: bool) -> dict[str, float]:
    make_python(folder)
    os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"
    ours, own = [], []
    for number in range(rounds):
        mine, theirs = number % 2, 1 - number % 2
        file = folder / f"{number}.mp4"
        with (
            running([sys.executable, "-m", "benchmarks.picamera2_path", "--ours", MODELS[mine]]) as a,
            running([str(folder / "python3"), "-c", OWN, str(theirs), str(file)]) as b,
        ):
            time.sleep(SETTLE_S)
            # Of ours only what stands in for theirs: the child and its ffmpeg, not the reader.
            begin = [_cpu_s(a.pid, with_root=False), _cpu_s(b.pid, with_root=True)]
            time.sleep(seconds)
            end = [_cpu_s(a.pid, with_root=False), _cpu_s(b.pid, with_root=True)]
        for used, before, after in zip((ours, own), begin, end, strict=True):
            used.append((after - before) / seconds * 100)
        file.unlink(missing_ok=True)
        if not quiet:
            print(f"round {number + 1}: ours {ours[-1]:.1f} %, picamera2's own {own[-1]:.1f} % of a core")
    return {
        "picamera2_cpu_ratio": round(sum(ours) / sum(own), 3),
        "ours_core_percent": round(median(ours), 1),
        "ffmpegoutput_core_percent": round(median(own), 1),
    }


def _cpu_s(pid: int, *, with_root: bool) -> float:
    return usage(tree(pid)[0 if with_root else 1 :]).cpu_s


async def _ours(selector: str) -> None:
    camera = PicameraChild(selector, selector, None, SystemClock())
    try:
        await camera.open()
        recording = await camera.record(CaptureSettings(size=SIZE, fps=FPS, bitrate_kbps=KBPS))
        with _ffmpeg(recording.read_fd) as ffmpeg:
            assert ffmpeg.stdout is not None
            threading.Thread(target=_drain, args=(ffmpeg.stdout.fileno(),), daemon=True).start()
            error = await camera.failed
            raise SystemExit(error.message)
    finally:
        await camera.stop()


@contextlib.contextmanager
def _ffmpeg(read_fd: int) -> Iterator[subprocess.Popen[bytes]]:
    argv = [
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        *PIPE_INPUT,
        f"pipe:{read_fd}",
        "-c",
        "copy",
        *FRAGMENTS,
        "pipe:1",
    ]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, pass_fds=[read_fd]) as ffmpeg:
        os.close(read_fd)
        yield ffmpeg
        ffmpeg.kill()


def _drain(fd: int) -> None:
    while os.read(fd, 1 << 20):
        pass


if __name__ == "__main__":
    main()
