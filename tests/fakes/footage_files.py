"""Recordings for the footage tests: a clip as the recorder would have written it, file after file."""

import json
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from fakes.storage_fragments import AUDIO, BEGAN_UTC_NS, X264, read_clip, start_of, taken_at
from support.clips import run

from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import Segment
from livecam_nvr.storage.files.names import Names
from livecam_nvr.storage.files.segment_file import SegmentFile

# As media/ffmpeg.py has it: some pictures and sounds in each fragment, with their own times.
WITH_SOUND = "+empty_moov+default_base_moof+frag_discont"
NAMES = Names()


def sounding_clip(path: Path, seconds: float = 6) -> list[Fragment]:
    """Pictures with a keyframe a second, and sound, in fragments as the pipeline makes them; from BEGAN_UTC_NS."""
    source = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=15", *AUDIO, "-t", str(seconds)]
    codec = [*X264, "-tune", "zerolatency", "-c:a", "aac", "-b:a", "64k", "-output_ts_offset", "1"]
    form = ["-f", "mp4", "-movflags", WITH_SOUND, "-frag_duration", "1", "-use_editlist", "0"]
    more = ["-avoid_negative_ts", "disabled", "-flush_packets", "1"]
    argv = ["ffmpeg", "-v", "error", "-y", *source, *codec, *form, *more, str(path)]
    subprocess.run(argv, check=True, timeout=60)
    found = read_clip(path)
    move = BEGAN_UTC_NS - next(fragment.utc_ns for fragment in found if fragment.keyframe)
    return [taken_at(fragment, fragment.utc_ns + move) for fragment in found]


def split(fragments: list[Fragment], gops: int) -> list[list[Fragment]]:
    """The fragments in files of so many GOPs."""
    files: list[list[Fragment]] = []
    seen = 0
    for fragment in fragments:
        if fragment.keyframe:
            if seen % gops == 0:
                files.append([])
            seen += 1
        if files:
            files[-1].append(fragment)
    return files


def write_run(
    root: Path,
    fragments: list[Fragment],
    gops: int = 2,
    *,
    camera_id: str = "cam0",
    run_id: int = 4711,
    shift_ns: int = 0,
    leave_open: bool = False,
    cause: EndCause = EndCause.CLOCK,
) -> list[Segment]:
    """Writes files of `gops` GOPs each; the last one stays as a killed service leaves it if `leave_open`."""
    found: list[Segment] = []
    files = split(fragments, gops)
    for sequence, part in enumerate(files):
        first = taken_at(part[0], part[0].utc_ns + shift_ns)
        file = SegmentFile(root, replace(start_of(first, camera_id, sequence), run_id=run_id), NAMES)
        file.create()
        file.write(part)
        if leave_open and sequence == len(files) - 1:
            file.close()
            continue
        file.finish(cause)
        found.append(file.seal())
    return found


def newest_file(root: Path, camera_id: str = "cam0") -> str:
    """The path of the camera's last file."""
    return str(max((root / camera_id).rglob("*.mp4")).relative_to(root))


def packets(path: Path, kind: str = "v") -> list[dict[str, Any]]:
    """ffprobe's packets of one stream, with whole numbers."""
    show = ["-select_streams", f"{kind}:0", "-show_entries", "packet=pts,dts,duration,size,flags"]
    found = json.loads(run("ffprobe", "-v", "error", *show, "-of", "json", str(path)))["packets"]
    return [
        {k: v if k == "flags" else int(v) for k, v in packet.items() if k != "side_data_list"} for packet in found
    ]


def steps(found: list[dict[str, Any]]) -> set[int]:
    """By how much each packet lies away from where the one before it ended."""
    return {b["dts"] - a["dts"] - a["duration"] for a, b in pairwise(found)}


def open_files(root: Path) -> list[Path]:
    """The files in a folder that this process has open."""
    links = [link.resolve() for link in Path("/proc/self/fd").iterdir()]
    return [link for link in links if link.is_relative_to(root)]
