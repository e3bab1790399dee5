"""Real video made by ffmpeg, and the frame numbers read back from its pictures."""

import contextlib
import json
import subprocess
from pathlib import Path

from livecam_nvr.media.sources import BARCODE_BITS, BARCODE_CELL

FRAGMENTED = ["-f", "mp4", "-movflags", "+frag_every_frame+empty_moov+default_base_moof"]


def make(
    path: Path,
    *,
    seconds: float = 4,
    size: str = "320x180",
    fps: int = 15,
    gop: int = 15,
    extra: tuple[str, ...] = (),
) -> Path:
    """A test picture encoded as H.264 (or as `extra` says) into `path`; fragmented if `extra` says so."""
    source = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={fps}:duration={seconds}"]
    codec = [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-tune",
        "zerolatency",
        "-g",
        str(gop),
        "-pix_fmt",
        "yuv420p",
    ]
    run("ffmpeg", "-v", "error", "-y", *source, *codec, *extra, str(path))
    return path


def run(*argv: str) -> bytes:
    """Runs a program to its end; fails with what it said."""
    done = subprocess.run(argv, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, f"{argv[0]}: {done.stderr.decode(errors='replace')[-2000:]}"
    return done.stdout


def probe(path: Path | str) -> dict[str, object]:
    """ffprobe's format and first video stream, with the packets counted."""
    out = run(
        "ffprobe", "-v", "error", "-count_packets", "-show_format", "-show_streams", "-of", "json", str(path)
    )
    found = json.loads(out)
    video = next(s for s in found["streams"] if s["codec_type"] == "video")
    return {
        **video,
        "format_duration": float(found["format"]["duration"]),
        "packets": int(video["nb_read_packets"]),
    }


def frame_times(path: Path | str) -> list[float]:
    """When each picture is shown, in order; seconds."""
    look = ("-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "csv=p=0")
    return sorted(float(line.rstrip(",")) for line in run("ffprobe", *look, str(path)).decode().split())


def packets_so_far(path: Path | str) -> int:
    """Of a file that somebody is writing: its video packets; 0 while it cannot be read yet."""
    with contextlib.suppress(AssertionError, KeyError, StopIteration):
        return int(str(probe(path)["packets"]))
    return 0


def frame_numbers(path: Path | str) -> list[int]:
    """The number burnt into each picture of a test camera's recording, in order."""
    cell = BARCODE_CELL
    look = f"crop={cell * BARCODE_BITS}:{cell}:0:ih-{cell},scale={BARCODE_BITS}:1:flags=area,format=gray"
    raw = run(
        "ffmpeg", "-v", "error", "-i", str(path), "-vf", look, "-fps_mode", "passthrough", "-f", "rawvideo", "-"
    )
    assert len(raw) % BARCODE_BITS == 0
    rows = (raw[at : at + BARCODE_BITS] for at in range(0, len(raw), BARCODE_BITS))
    return [sum(1 << bit for bit, value in enumerate(row) if value > 127) for row in rows]
