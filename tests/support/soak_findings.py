"""Compares what a service claims of its recordings with the numbers in the pictures of its files."""

import itertools
import json
import re
import sqlite3
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from support import clips
from support.service import ROOT, Service
from support.soak_deeds import FPS, Deed

from livecam_nvr.domain.segment import Segment
from livecam_nvr.storage.evidence.audit import audit_chain, audit_files
from livecam_nvr.storage.evidence.manifests import known_hashes
from livecam_nvr.storage.index.rows import LATEST, segments
from livecam_nvr.storage.ledger.ledger_files import read_all

_FRAME_S = 1 / FPS
# Two files belong together if what seems to lie between them is less (domain.gaps.NO_GAP_NS), by its times alone.
_NO_GAP_S = 0.25
# A shorter silence of a camera inside a file is none that is written down (core.chronicle_line).
_PAUSE_S = 1.0
# Frames are dated when they arrive, and a busy machine hands them over late.
_LATE_S = 1.0
# After whatever was done, all is well again: the service's start, ffmpeg's, the longest pause before a retry.
_RECOVERY_S = 25.0
_CAUSES = {
    "kill_service": {"service_crashed"},
    "stop_service": {"service_stopped"},
    "kill_ffmpeg": {"encoder", "camera"},
    "freeze_ffmpeg": {"encoder", "camera"},
    "kill_media_server": {"encoder", "camera"},
    "kill_cameras": {"encoder", "camera"},
    "switch": {"switched_off"},
}


@dataclass(frozen=True)
class Film:
    """A file, and what is in it."""

    segment: Segment
    numbers: list[int]
    times_s: list[float]
    """UTC of each frame."""


@dataclass(frozen=True)
class Gap:
    """What the service says is missing."""

    begin_s: float
    end_s: float
    cause: str

    def __str__(self) -> str:
        return f"{_clock(self.begin_s)} to {_clock(self.end_s)} ({self.cause})"


def everything(service: Service, deeds: Sequence[Deed], began_s: float, ended_s: float) -> list[str]:
    """All that is wrong with what a stopped service has left."""
    checked = command(service, "verify", "--full", "--json")
    found = [] if checked.returncode == 0 else [f"verify: {checked.stdout}{checked.stderr}"]
    found += _log(service)
    found += _evidence(service)
    found += _entries(service)
    found += _leftovers(service)
    for camera in service.config["cameras"]:
        concerning = [deed for deed in deeds if deed.camera in {"", camera["id"]}]
        found += [f"{camera['id']}: {line}" for line in _camera(service, camera, concerning, began_s, ended_s)]
    return found


async def gaps_told(service: Service, camera_id: str, began_s: float, ended_s: float) -> list[str]:
    """The gaps that a running service tells of."""
    times = f"from={began_s:.3f}&to={ended_s:.3f}"
    answer = json.loads(await service.get(f"/api/cameras/{camera_id}/coverage?{times}"))
    return [str(Gap(gap["begin_utc_s"], gap["end_utc_s"], gap["cause"])) for gap in answer["gaps"]]


def gaps_left(service: Service, camera_id: str, began_s: float, ended_s: float) -> list[str]:
    """The gaps that what a stopped service has left tells of."""
    times = ("--from", _iso(round(began_s, 3)), "--to", _iso(round(ended_s, 3)))
    (coverage,) = json.loads(command(service, "coverage", "--camera", camera_id, *times, "--json").stdout)[
        "cameras"
    ]
    gaps = ((round(gap[end] / 1e9, 3) for end in ("begin_utc_ns", "end_utc_ns")) for gap in coverage["gaps"])
    return [str(Gap(*ends, gap["cause"])) for ends, gap in zip(gaps, coverage["gaps"], strict=True)]


def command(service: Service, *words: str) -> subprocess.CompletedProcess[str]:
    """What a command of ours says about the service's archive."""
    argv = [sys.executable, "-m", "livecam_nvr", *words, "--config", str(service.folder / "config.yaml")]
    return subprocess.run(argv, capture_output=True, text=True, check=False, cwd=ROOT)


def _log(service: Service) -> list[str]:
    bad = re.compile(r"Traceback|unforeseen|never retrieved|never awaited|Exception ignored|was destroyed")
    return [f"log: {line}" for line in service.read_log().splitlines() if bad.search(line)]


def _evidence(service: Service) -> Iterator[str]:
    root = service.recordings
    for finding in (*audit_chain(root), *audit_files(root)):
        yield f"manifests: {finding.path}: {finding.words}"
    known = known_hashes(root, "")
    for path in root.glob("[!.]*/*/*.mp4"):
        if str(path.relative_to(root)) not in known:
            yield f"manifests: nothing of {path.name}"


def _leftovers(service: Service) -> Iterator[str]:
    """Nothing that was begun lies about."""
    hidden = service.recordings / ".livecam-nvr"
    half_done = [*hidden.rglob("*.part"), *hidden.rglob("*.new")]
    return (f"left behind: {path.relative_to(service.recordings)}" for path in half_done)


def _entries(service: Service) -> Iterator[str]:
    """The index has the entries of the ledger's files, and each event has an end."""
    with closing(_index(service)) as db:
        indexed = {row[0]: row[1:] for row in db.execute("SELECT id, begin_utc_ns, end_utc_ns, data FROM entry")}
    there = {entry.id: entry for entry in read_all(service.recordings)}
    for missing in sorted(there.keys() - indexed.keys()):
        yield f"ledger: the index lacks {there[missing]}"
    for surplus in sorted(indexed.keys() - there.keys()):
        yield f"ledger: the files lack {surplus} {indexed[surplus]}"
    for entry in (there[key] for key in sorted(there.keys() & indexed.keys())):
        begin, end, data = indexed[entry.id]
        if (entry.begin_utc_ns, entry.end_utc_ns, dict(entry.data)) != (begin, end, json.loads(data)):
            yield f"ledger: the index has {indexed[entry.id]} for {entry}"
        if entry.kind == "event" and entry.end_utc_ns is None:
            yield f"ledger: an event that lasts for ever: {entry}"


def _camera(
    service: Service, camera: dict[str, Any], deeds: Sequence[Deed], began_s: float, ended_s: float
) -> Iterator[str]:
    told = command(
        service, "coverage", "--camera", camera["id"], "--from", _iso(began_s), "--to", _iso(ended_s), "--json"
    )
    if told.returncode:
        yield told.stderr
        return
    (coverage,) = json.loads(told.stdout)["cameras"]
    gaps = [Gap(g["begin_utc_ns"] / 1e9, g["end_utc_ns"] / 1e9, g["cause"]) for g in coverage["gaps"]]
    films = list(_films(service, camera["id"]))
    frames = sum(len(film.numbers) for film in films)
    if coverage["frames"] != frames:
        yield f"{coverage['frames']} frames are claimed, {frames} are there"
    far = camera["kind"] == "rtsp"
    for film in films:
        yield from _inside(film, gaps)
    for before, after in itertools.pairwise(films):
        yield from _between(before, after, gaps, deeds, far=far)
    yield from _frames_in_gaps(films, gaps)
    yield from _edges(films, gaps, began_s, ended_s)
    yield from _causes(gaps, deeds, began_s, ended_s, far=far, limited="retention" in camera)
    yield from _kept(service, camera["id"], gaps)


def _films(service: Service, camera_id: str) -> Iterator[Film]:
    with closing(_index(service)) as db:
        known = sorted(segments(db, LATEST, (camera_id, -1)), key=lambda segment: segment.start_utc_ns)
    for segment in known:
        path = service.recordings / segment.path
        out = clips.run(
            *("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time"),
            *("-of", "csv=p=0", str(path)),
        )
        begin_s = segment.start_utc_ns / 1e9
        times = [begin_s + float(line.strip(",")) for line in out.decode().split()]
        yield Film(segment, clips.frame_numbers(path), times)


def _inside(film: Film, gaps: Sequence[Gap]) -> Iterator[str]:
    """In a file no frame is missing, or it says when the camera was silent."""
    if len(film.numbers) != len(film.times_s) or len(film.numbers) != film.segment.frames:
        yield f"{film.segment.path}: {film.segment.frames} frames, {len(film.numbers)} can be decoded"
        return
    for (a, b), (at_s, then_s) in zip(
        itertools.pairwise(film.numbers), itertools.pairwise(film.times_s), strict=True
    ):
        place = f"{film.segment.path}: between frame {a} and {b}, {_clock(at_s)} and {_clock(then_s)},"
        if b <= a:
            yield f"{place} it runs backwards"
        lost_s = (b - a - 1) * _FRAME_S
        if lost_s > _PAUSE_S and not _told(at_s + _FRAME_S, then_s, gaps, _FRAME_S):
            yield f"{place} {b - a - 1} frames are missing, and no gap tells"
        elif lost_s > then_s - at_s + _NO_GAP_S:
            yield f"{place} {b - a - 1} frames are missing in less time than they last"
        if then_s - at_s > _PAUSE_S + _FRAME_S and not _told(at_s + _FRAME_S, then_s, gaps, _FRAME_S):
            yield f"{place} no frame shows that time, and no gap tells"


def _between(before: Film, after: Film, gaps: Sequence[Gap], deeds: Sequence[Deed], *, far: bool) -> Iterator[str]:
    """No frame is in two files; where the first ends and the second begins nothing is missing, or it is told."""
    one, two = before.segment, after.segment
    place = f"between {one.path} ({one.cause}) and {two.path},"
    a, b = before.numbers[-1], after.numbers[0]
    hole = (one.end_utc_ns / 1e9, two.start_utc_ns / 1e9)
    same_run = one.run_id == two.run_id
    restarted = far and any(d.name == "kill_cameras" and d.end_s > hole[0] - _LATE_S for d in deeds)
    if (same_run or (far and not restarted)) and b <= a:
        yield f"{place} frames {b} to {a} are in both"
    if hole[0] - hole[1] > _NO_GAP_S:
        yield f"{place} {hole[0] - hole[1]:.3f} s overlap"
    if same_run and two.sequence == one.sequence + one.merged and one.cause == "clock":
        if b != a + 1:
            yield f"{place} the frames from {a} to {b} are missing, and nothing was to be"
    elif hole[1] - hole[0] > _NO_GAP_S and not _told(*hole, gaps, _FRAME_S):
        yield f"{place} {hole[1] - hole[0]:.3f} s are missing, and no gap tells"


def _frames_in_gaps(films: Sequence[Film], gaps: Sequence[Gap]) -> Iterator[str]:
    """Where something is said to be missing there is nothing."""
    times = sorted(time_s for film in films for time_s in film.times_s)
    for gap in gaps:
        inside = times[bisect_right(times, gap.begin_s + _FRAME_S / 2) : bisect_right(times, gap.end_s - _FRAME_S)]
        if inside:
            yield f"in the gap {gap} there are {len(inside)} frames, such as {_clock(inside[0])}"


def _edges(films: Sequence[Film], gaps: Sequence[Gap], began_s: float, ended_s: float) -> Iterator[str]:
    """Before the first file and after the last one everything is a gap; gaps do not overlap."""
    if not films:
        yield "nothing was recorded at all"
        return
    first_s, last_s = films[0].segment.start_utc_ns / 1e9, films[-1].segment.end_utc_ns / 1e9
    for hole in ((began_s, first_s), (last_s, ended_s)):
        if hole[1] - hole[0] > _NO_GAP_S and not _told(*hole, gaps, _FRAME_S):
            yield f"from {_clock(hole[0])} to {_clock(hole[1])} nothing is there, and no gap tells"
    for one, two in itertools.pairwise(gaps):
        if two.begin_s < one.end_s - 1e-6:
            yield f"the gaps {one} and {two} overlap"


def _causes(
    gaps: Sequence[Gap], deeds: Sequence[Deed], began_s: float, ended_s: float, *, far: bool, limited: bool
) -> Iterator[str]:
    """Each gap is put down to something that was done, and is over soon after that was."""
    ours = [deed for deed in deeds if deed.name in _CAUSES and (far or deed.name != "kill_cameras")]
    first, last = Deed("begin", began_s, began_s + 1), Deed("end", ended_s, ended_s)
    causes = _CAUSES | {"begin": {"never", "camera", "encoder"}, "end": {"service_stopped"}}
    for gap in gaps:
        if gap.cause == "deleted" and limited:
            continue
        near = [
            deed
            for deed in (first, *ours, last)
            if deed.begin_s < gap.end_s + _LATE_S
            and deed.end_s > gap.begin_s - _RECOVERY_S
            # What was missing before the service ended is not put down to its end.
            and not (gap.cause.startswith("service") and deed.begin_s > gap.begin_s + _LATE_S)
        ]
        if not any(gap.cause in causes[deed.name] for deed in near):
            yield f"gap {gap}, but what happened was {sorted({deed.name for deed in near})}"
        over_s = max((deed.end_s for deed in near if deed.begin_s < gap.end_s), default=gap.begin_s)
        if gap.end_s > over_s + _RECOVERY_S:
            yield f"gap {gap} lasts {gap.end_s - over_s:.1f} s longer than what happened"


def _kept(service: Service, camera_id: str, gaps: Sequence[Gap]) -> Iterator[str]:
    """Nothing of a kept clip was deleted."""
    clips_kept = [e for e in read_all(service.recordings) if e.kind == "clip" and e.camera_id == camera_id]
    for clip in clips_kept:
        begin_s, end_s = clip.begin_utc_ns / 1e9, (clip.end_utc_ns or 0) / 1e9
        for gap in gaps:
            both_s = min(gap.end_s, end_s) - max(gap.begin_s, begin_s)
            if gap.cause == "deleted" and both_s > _FRAME_S:
                yield f"{gap} although {_clock(begin_s)} to {_clock(end_s)} is kept"


def _told(begin_s: float, end_s: float, gaps: Sequence[Gap], slack_s: float) -> bool:
    """Whether gaps cover a time from begin to end."""
    at = begin_s + slack_s
    for gap in gaps:
        if gap.begin_s <= at < gap.end_s:
            at = gap.end_s
    return at >= end_s - slack_s


def _index(service: Service) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{service.folder / 'data' / 'index.sqlite3'}?mode=ro", uri=True)


def _iso(utc_s: float) -> str:
    return datetime.fromtimestamp(utc_s, UTC).isoformat()


def _clock(utc_s: float) -> str:
    return f"{datetime.fromtimestamp(utc_s, UTC):%H:%M:%S.%f}"[:-3]


def read_deeds(path: Path) -> list[Deed]:
    """What `Deeds.save` has written."""
    return [Deed(**values) for values in json.loads(path.read_text())]
