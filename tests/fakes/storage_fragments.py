"""Real fragments for the storage tests: made by ffmpeg, read by the project's own reader."""

import itertools
import subprocess
from pathlib import Path
from typing import Any

from livecam_nvr.core.ports import SegmentStart
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import NS
from livecam_nvr.media.fragments import FragmentReader
from livecam_nvr.storage.files.names import Names
from livecam_nvr.storage.files.segment_file import SegmentFile

BEGAN_UTC_NS = 1_790_000_000 * NS  # 2026-09-21 14:13:20 UTC
FRAGMENTED = ["-f", "mp4", "-movflags", "+frag_every_frame+empty_moov+default_base_moof"]
X264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "15"]
X265 = "log-level=none:keyint=15:bframes=2:open-gop=0:scenecut=0"
AUDIO = ["-f", "lavfi", "-i", "sine=sample_rate=48000"]
KINDS: dict[str, tuple[list[str], list[str]]] = {
    "h264": ([], [*X264, "-tune", "zerolatency"]),
    "bframes": ([], ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-pix_fmt", "yuv420p", "-g", "15"]),
    "hevc": ([], ["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", X265]),
    "aac": (AUDIO, [*X264, "-tune", "zerolatency", "-c:a", "aac", "-b:a", "64k"]),
}


def make_clip(path: Path, kind: str = "h264", seconds: float = 4) -> Path:
    """A test picture, 320x180 at 15 fps, a keyframe a second."""
    inputs, codec = KINDS[kind]
    source = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=15"]
    argv = ["ffmpeg", "-v", "error", "-y", *source, *inputs, "-t", str(seconds), *codec, *FRAGMENTED, str(path)]
    subprocess.run(argv, check=True, timeout=60)
    return path


def read_clip(path: Path) -> list[Fragment]:
    """Its fragments, as if its first frame had been taken at BEGAN_UTC_NS."""
    reader = FragmentReader(itertools.count(), lambda time_s, _: (time_s, BEGAN_UTC_NS + int(time_s * NS)))
    return reader.feed(path.read_bytes())


def from_keyframe(fragments: list[Fragment], number: int) -> list[Fragment]:
    """The fragments from the `number`th keyframe on (0 is the first)."""
    keys = [at for at, fragment in enumerate(fragments) if fragment.keyframe]
    return fragments[keys[number] :]


def taken_at(fragment: Fragment, utc_ns: int) -> Fragment:
    """The same fragment, taken at another time."""
    return with_changes(fragment, utc_ns=utc_ns)


def with_changes(fragment: Fragment, **changes: Any) -> Fragment:
    """The same fragment, but for `changes`."""
    return Fragment(**{name: getattr(fragment, name) for name in Fragment.__annotations__} | changes)


def start_of(fragment: Fragment, camera_id: str = "cam0", sequence: int = 0) -> SegmentStart:
    """What `begin` needs for a file that begins with `fragment`."""
    return SegmentStart(camera_id, fragment.init, fragment.utc_ns, 3600, 4711, sequence)


def frames(fragments: list[Fragment]) -> int:
    """Their pictures."""
    return sum(fragment.frames for fragment in fragments)


def write_file(root: Path, fragments: list[Fragment], cause: EndCause | None = None) -> Path:
    """A file written without threads; left as a killed service leaves it if `cause` is None."""
    file = SegmentFile(root, start_of(fragments[0]), Names())
    file.create()
    for fragment in fragments:
        file.write([fragment])
    if cause is None:
        file.close()
    else:
        file.finish(cause)
        file.seal()
    return root / file.path
