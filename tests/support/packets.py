"""What lies in a video file, packet by packet and picture by picture, as ffmpeg sees it."""

from pathlib import Path

from support import clips


def packet_hashes(path: Path, stream: str = "v:0") -> list[str]:
    """A hash of each packet's bytes, in decoding order."""
    out = clips.run("ffmpeg", "-v", "error", "-i", str(path), "-map", f"0:{stream}", "-c", "copy", *_MD5)
    return _column(out)


def picture_hashes(path: Path, stream: str = "v:0") -> list[str]:
    """A hash of each decoded picture, as they are shown."""
    decoded = ["-map", f"0:{stream}", "-fps_mode", "passthrough"]
    return _column(clips.run("ffmpeg", "-v", "error", "-xerror", "-i", str(path), *decoded, *_MD5))


def times(path: Path, stream: str = "v:0") -> list[float]:
    """When each packet is shown, seconds, in order."""
    entries = ["-select_streams", stream, "-show_entries", "packet=pts_time", "-of", "csv=p=0"]
    out = clips.run("ffprobe", "-v", "error", *entries, str(path)).decode().split()
    return sorted(float(line.strip(",")) for line in out)


def is_faststart(path: Path) -> bool:
    """Whether the description stands in front of the media."""
    data = path.read_bytes()
    return 0 < data.find(b"moov") < data.find(b"mdat")


_MD5 = ["-f", "framemd5", "-"]


def _column(out: bytes) -> list[str]:
    return [line.rsplit(b",", 1)[1].strip().decode() for line in out.splitlines() if line[:1] != b"#"]
