"""Test cameras that act out mishaps: what becomes of their frames, states and times."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from support import clips
from support.live_camera import LiveCamera, MakeCamera
from support.waiting import until

from livecam_nvr.domain.media import EndCause, Fragment, base_times, rebased
from livecam_nvr.domain.status import CameraState

LIVE, DELAY, ERROR, OFFLINE = CameraState.LIVE, CameraState.DELAY, CameraState.ERROR, CameraState.OFFLINE
FPS = 15


def drill(what: str, **more: float) -> dict[str, Any]:
    return {"what": what, **more}


def numbers(fragments: list[Fragment], folder: Path) -> list[int]:
    """The numbers burnt into the pictures of fragments of one run."""
    path = folder / "seen.mp4"
    bases = base_times(fragments[0])
    path.write_bytes(fragments[0].init.data + b"".join(p for f in fragments for p in rebased(f, bases)))
    return clips.frame_numbers(path)


def lasts_s(fragments: list[Fragment]) -> float:
    """From the first to the last frame, by the stream's own times."""
    return fragments[-1].time_s - fragments[0].time_s


async def test_every_third_frame_is_missing_and_counted(run_camera: MakeCamera, tmp_path: Path) -> None:
    camera = run_camera(fps=FPS, drills=[drill("drop", every_seconds=3, for_seconds=1)])
    fragments = await camera.until_fragments(70)
    seen = numbers(fragments, tmp_path)
    made = set(range(seen[-1] + 1))
    # The schedule began a little before ffmpeg did, so the second begins with an earlier frame.
    missing = sorted(made - set(seen))
    assert missing == [number for number in missing if number % 3 == 0 and number < 61]
    assert missing == list(range(missing[0], missing[-1] + 1, 3))
    assert 4 <= len(missing) <= 6
    assert camera.pipeline.dropped_frames == len(missing)
    assert lasts_s(fragments) == pytest.approx(seen[-1] / FPS, abs=0.001)
    assert camera.course == [LIVE]


async def test_a_short_stall_is_a_delay_and_a_gap_in_the_frames(run_camera: MakeCamera, tmp_path: Path) -> None:
    camera = run_camera(fps=FPS, drills=[drill("stall", every_seconds=3, for_seconds=2)])
    fragments = await camera.until_fragments(55)
    await camera.until_state(LIVE)
    assert DELAY in camera.states
    assert camera.course == [LIVE]
    seen = numbers(fragments, tmp_path)
    lost = [b - a - 1 for a, b in itertools.pairwise(seen) if b - a > 1]
    assert lost == [pytest.approx(2 * FPS, abs=1)]
    assert camera.pipeline.dropped_frames == lost[0]
    assert lasts_s(fragments) == pytest.approx(seen[-1] / FPS, abs=0.001)
    assert camera.pipeline.restarts == 0


async def test_a_long_stall_is_not_mended_by_a_restart(run_camera: MakeCamera) -> None:
    camera = run_camera(fps=FPS, stall_seconds=1, drills=[drill("stall", every_seconds=4, for_seconds=2.5)])
    await until(lambda: camera.pipeline.restarts)
    assert "the camera stalled" in camera.fault
    await camera.until_state(LIVE)
    assert camera.ends[0] is EndCause.CAMERA
    before, after = (
        next(f for f in frames if f.init is camera.fragments[at].init)
        for at, frames in ((0, camera.fragments[::-1]), (-1, camera.fragments))
    )
    assert (after.utc_ns - before.utc_ns) / 1e9 > 2.0
    assert camera.course[:3] == [LIVE, ERROR, LIVE]


async def test_a_pulled_cable_is_offline_until_it_is_back(run_camera: MakeCamera, tmp_path: Path) -> None:
    camera: LiveCamera = run_camera(fps=FPS, drills=[drill("disconnect", every_seconds=4, for_seconds=1.5)])
    await until(lambda: "a drill has the camera disconnected for 1.5 s" in camera.fault)
    first = [f for f in camera.fragments if f.init is camera.fragments[0].init]
    # OFFLINE is told again with another reason: first the stream just ended.
    await until(lambda: camera.course[:3] == [LIVE, OFFLINE, LIVE], f"it is back; it was {camera.states}")
    assert set(camera.course) == {LIVE, OFFLINE}
    assert set(camera.ends) == {EndCause.CAMERA}
    seen = numbers(first, tmp_path)
    assert seen == list(range(len(seen)))
    assert FPS < len(seen) <= 4 * FPS + 1


async def test_a_clock_that_jumps_loses_no_frame_and_no_time(run_camera: MakeCamera, tmp_path: Path) -> None:
    cameras = [
        run_camera(id=f"cam{at}", fps=FPS, drills=[drill("clock_jump", every_seconds=3, by_seconds=by_seconds)])
        for at, by_seconds in enumerate((3600, 12, -4, -3600))
    ]
    for camera in cameras:
        fragments = await camera.until_fragments(80)
        assert numbers(fragments, tmp_path) == list(range(80))
        # Guessed times are those of arrival: what came late may look longer, and as if frames were missing.
        came_s = fragments[-1].arrived_s - fragments[0].arrived_s
        shortest_s, longest_s = min(79 / FPS, came_s) - 0.5, max(79 / FPS, came_s) + 0.5
        assert shortest_s < lasts_s(fragments) < longest_s
        assert shortest_s < (fragments[-1].utc_ns - fragments[0].utc_ns) / 1e9 < longest_s
        keys = [f.number for f in fragments if f.keyframe]
        assert len(keys) <= 13, "a jump over an hour brings no hour of keyframes"
        assert camera.course == [LIVE]
        pause_s = max(b.arrived_s - a.arrived_s for a, b in itertools.pairwise(camera.fragments))
        assert camera.pipeline.dropped_frames < 5 + FPS * pause_s
