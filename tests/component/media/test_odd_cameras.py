"""IP cameras of every oddness, through the real pipeline and ffmpeg: every frame is there, at its time."""

import itertools
import random
import subprocess
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from support import clips
from support.live_camera import LiveCamera, MakeCamera
from support.rtsp_camera import Habits, RtspCamera, Sent, rtsp_camera
from support.rtsp_films import (
    VIDEO_CLOCK,
    Film,
    Shot,
    film,
    finite,
    one_after_the_other,
    pictures_on_disk,
    play,
    strict_decode,
)
from support.rtsp_sounds import sound
from support.waiting import until

from livecam_nvr.config import models
from livecam_nvr.domain.media import EndCause, Fragment, base_times, rebased
from livecam_nvr.domain.status import CameraState

FRAMES = 24
FPS = 30
B_FRAMES = ("-preset", "fast", "-tune", "film", "-x264-params", "keyint=15:bframes=3:b-pyramid=normal:b-adapt=0")
H265_B = ("-preset", "fast", "-tune", "grain", "-x265-params", "log-level=none:keyint=15:min-keyint=15:bframes=3")


def watching(camera: RtspCamera, **more: object) -> models.RtspCamera:
    values = {"id": "cam0", "kind": "rtsp", "url": camera.url, "stall_seconds": 60, **more}
    return models.RtspCamera.model_validate(values)


async def first_run(live: LiveCamera) -> list[Fragment]:
    """What came until the camera's first session was over."""
    await until(lambda: live.ends, f"the end of the stream; {live.fault}")
    return list(live.fragments)


def save(fragments: list[Fragment], path: Path) -> Path:
    """A file as a recording is one."""
    bases = base_times(fragments[0])
    path.write_bytes(fragments[0].init.data + b"".join(p for f in fragments for p in rebased(f, bases)))
    return path


def plays(path: Path) -> None:
    """It decodes to its end, and not one complaint is made about it."""
    done = subprocess.run(strict_decode(path), capture_output=True, check=True)
    assert done.stderr == b""


def is_exact(fragments: list[Fragment], sent: list[Sent], path: Path, codec: str = "h264") -> None:
    """Frame by frame what was sent, each as long as the camera says, taken when it was sent."""
    save(fragments, path)
    plays(path)
    assert pictures_on_disk(codec, path) == [one.shot.picture for one in sent]
    times_s = [f.time_s - fragments[0].time_s for f in fragments]
    assert times_s == pytest.approx([(o.shot.stamp - sent[0].shot.stamp) / VIDEO_CLOCK for o in sent], abs=1e-3)
    is_in_time(fragments, sent)


def is_in_time(fragments: list[Fragment], sent: list[Sent]) -> None:
    """Each frame was taken when it was due: no sooner, and later by no more than even the soonest one came late.

    The soonest of those so far: that is as much as anybody can know. The first ones are placed when they come at
    the stream's own pace, as ffmpeg hands them on all at once.
    """
    due_s = [one.shot.stamp / VIDEO_CLOCK for one in sent]
    began_s = min(one.utc_ns / 1e9 - due for one, due in zip(sent, due_s, strict=True))
    wall_s = time.time() - time.monotonic()
    # ffmpeg hands a frame on when it has seen three more.
    late_s = [f.arrived_s + wall_s - began_s - due - 3 / FPS for f, due in zip(fragments, due_s, strict=True)]
    steps_s = [after.arrived_s - before.arrived_s for before, after in pairwise(fragments)]
    paced = next((n for n, step_s in enumerate(steps_s, 1) if step_s > 0.5 / FPS), len(sent))
    # When a camera hangs up, ffmpeg hands the frames on that it was still holding: those seem to come too soon.
    early_s = 0.08 if paced < len(sent) - 3 else 0.08 + 3 / FPS
    for number, (fragment, due) in enumerate(zip(fragments[:-3], due_s[:-3], strict=True)):
        soonest_s = max(0.0, min(late_s[: max(number, paced) + 1]))
        assert -early_s < fragment.utc_ns / 1e9 - began_s - due < soonest_s + 0.08, number


def small(codec: str = "h264") -> Film:
    return film(codec, fps=FPS, seconds=1)


@pytest.mark.parametrize(
    ("codec", "transport", "sets"),
    [
        ("h264", "tcp", "both"),
        ("h264", "udp", "described"),
        ("h264", "tcp", "in-band"),
        ("h265", "udp", "both"),
        ("h265", "tcp", "described"),
        ("h265", "udp", "in-band"),
    ],
)
async def test_parameter_sets_wherever_they_are(
    run_camera: MakeCamera, tmp_path: Path, codec: str, transport: str, sets: str
) -> None:
    shown = small(codec)
    script = (lambda: play(shown, frames=FRAMES)) if sets == "described" else finite(shown, FRAMES)
    habits = Habits(shown, script=script, sdp_sets=() if sets == "in-band" else None)
    async with rtsp_camera(habits) as camera:
        live = run_camera(watching(camera, transport=transport))
        fragments = await first_run(live)
        is_exact(fragments, camera.session(), tmp_path / "seen.mp4", codec)
    assert live.states[:1] == [CameraState.LIVE]
    assert live.pipeline.dropped_frames == 0
    assert (live.started[0].width, live.started[0].height) == (320, 180)


ODDITIES: dict[str, Callable[[Film], Habits]] = {
    "basic": lambda f: Habits(f, login="basic", reports_every_s=0),
    "digest, and sound in every codec": lambda f: Habits(
        f, login="digest", sounds=[sound(codec) for codec in ("pcmu", "pcma", "g726", "l16", "aac", "opus")]
    ),
    "a wall clock that is wrong": lambda f: Habits(f, wrong_s=lambda n: -9e8, at_end="goodbye"),
    "sound and a wall clock that leaps": lambda f: Habits(
        f, sounds=[sound("pcmu")], reports_every_s=0.3, wrong_s=lambda n: 3600.0 * (n % 2)
    ),
    "timestamps from zero, and thinks for long": lambda f: Habits(f, first_stamp=0, describe_s=1.2),
    "bytes that slipped in": lambda f: Habits(f, junk=lambda n: b"\0garbage\r\n" * 3 if n in {3, 9} else b""),
}


@pytest.mark.parametrize("oddity", ODDITIES)
async def test_what_makes_no_difference(run_camera: MakeCamera, tmp_path: Path, oddity: str) -> None:
    habits = ODDITIES[oddity](small())
    habits.script = finite(small(), FRAMES)
    async with rtsp_camera(habits) as camera:
        fragments = await first_run(run_camera(watching(camera)))
        is_exact(fragments, camera.session(), tmp_path / "seen.mp4")


def jittery(shot: Shot) -> int:
    return shot.stamp + random.Random(shot.stamp).randrange(-1200, 1200)


@pytest.mark.parametrize(("frame_every_s", "stamp"), [(1 / 30, jittery), (1 / 37, None)])
async def test_the_cameras_own_times_count_and_not_the_rate_that_it_claims(
    run_camera: MakeCamera, tmp_path: Path, frame_every_s: float, stamp: Callable[[Shot], int] | None
) -> None:
    def script() -> list[Shot]:
        return [
            replace(
                shot, due_s=n * frame_every_s, stamp=stamp(shot) if stamp else round(n * frame_every_s * 90_000)
            )
            for n, shot in enumerate(finite(small(), FRAMES)())
        ]

    async with rtsp_camera(Habits(small(), script=script)) as camera:
        fragments = await first_run(run_camera(watching(camera)))
        assert fragments[0].duration == pytest.approx(VIDEO_CLOCK / FPS, rel=0.1)
        assert pictures_on_disk("h264", save(fragments, tmp_path / "seen.mp4")) == camera.pictures()
        # Only the first frame's time is lost, by ffmpeg: it is placed one frame before the second.
        times_s = [f.time_s - fragments[1].time_s for f in fragments[1:]]
        stamps = [(one.shot.stamp - camera.sent[1].shot.stamp) / VIDEO_CLOCK for one in camera.sent[1:FRAMES]]
        assert times_s == pytest.approx(stamps, abs=1e-4)


def hour_ahead(shot: Shot) -> int:
    return shot.stamp + (3600 * VIDEO_CLOCK if shot.due_s > 0.6 else 0)


def hour_back(shot: Shot) -> int:
    return shot.stamp - (3600 * VIDEO_CLOCK if shot.due_s > 0.6 else 0)


def to_and_fro(shot: Shot) -> int:
    return shot.stamp + (3600 * VIDEO_CLOCK if shot.due_s % 0.8 > 0.4 else 0)


def no_sense(shot: Shot) -> int:
    return random.Random(shot.stamp).randrange(1 << 32)


@pytest.mark.parametrize(
    "stamp", [lambda _: 0, hour_ahead, hour_back, to_and_fro, no_sense],
    ids=["zero", "an hour ahead", "an hour back", "to and fro", "random"],
)  # fmt: skip
async def test_timestamps_that_cannot_be_true(
    run_camera: MakeCamera, tmp_path: Path, stamp: Callable[[Shot], int]
) -> None:
    habits = Habits(small(), script=finite(small(), 60), stamp=stamp, first_stamp=0)
    async with rtsp_camera(habits) as camera:
        live = run_camera(watching(camera))
        fragments = await first_run(live)
        assert pictures_on_disk("h264", save(fragments, tmp_path / "seen.mp4")) == camera.pictures()
    plays(tmp_path / "seen.mp4")
    pauses_s = [after.arrived_s - before.arrived_s for before, after in pairwise(fragments)]
    assert all(0 < f.duration < VIDEO_CLOCK * max(0.5, 2 * max(pauses_s)) for f in fragments)
    last = fragments[-1]
    # The frames that ffmpeg has looked at before it began came all at once. What else came late counts as longer.
    came_s = last.arrived_s - fragments[0].arrived_s
    shortest_s, longest_s = min(59 / FPS, came_s) - 0.5, max(59 / FPS, came_s) + 0.5
    assert shortest_s < last.time_s - fragments[0].time_s < longest_s
    assert shortest_s < (last.utc_ns - fragments[0].utc_ns) / 1e9 < longest_s
    for before, after in pairwise(fragments):
        assert after.time == before.time + before.duration
    assert live.pipeline.restarts == 0 or live.fault == "the stream ended"


@pytest.mark.parametrize(("codec", "extra"), [("h264", B_FRAMES), ("h265", H265_B)])
async def test_b_frames_are_shown_in_their_order(
    run_camera: MakeCamera, tmp_path: Path, codec: str, extra: tuple[str, ...]
) -> None:
    shown = film(codec, fps=FPS, seconds=1, extra=extra)
    assert [s.stamp for s in shown.shots] != sorted(s.stamp for s in shown.shots)
    async with rtsp_camera(Habits(shown, script=finite(shown, 60))) as camera:
        fragments = await first_run(run_camera(watching(camera)))
        assert pictures_on_disk(codec, save(fragments, tmp_path / "all.mp4")) == camera.pictures()
        plays(tmp_path / "all.mp4")
        # A file that begins at a later keyframe, as all but the first do.
        later = next(n for n, f in enumerate(fragments) if n and f.keyframe)
        path = save(fragments[later:], tmp_path / "later.mp4")
        plays(path)
        stamps = [one.shot.stamp for one in camera.session()[later:]]
    show = ("-select_streams", "v", "-show_entries", "packet=pts", "-of", "csv=p=0")
    shown_at = [int(line.strip(b",")) for line in clips.run("ffprobe", "-v", "error", *show, str(path)).split()]
    assert [at - shown_at[0] for at in shown_at] == [at - stamps[0] for at in stamps]


async def test_a_camera_with_a_keyframe_every_ten_seconds(run_camera: MakeCamera, tmp_path: Path) -> None:
    shown = film(seconds=11, gop=150)
    async with rtsp_camera(Habits(shown, script=finite(shown, 30, first=140))) as camera:
        fragments = await first_run(run_camera(watching(camera)))
        # Nothing can be shown of what came before the first keyframe.
        is_exact(fragments, camera.session()[10:], tmp_path / "seen.mp4")


async def test_every_frame_twice_is_what_is_recorded(run_camera: MakeCamera, tmp_path: Path) -> None:
    def script() -> list[Shot]:
        doubled = itertools.chain.from_iterable((shot, shot) for shot in finite(small(), FRAMES)())
        return [replace(shot, due_s=n / 60, stamp=n * 1500) for n, shot in enumerate(doubled)]

    async with rtsp_camera(Habits(small(), script=script)) as camera:
        fragments = await first_run(run_camera(watching(camera)))
        save(fragments, tmp_path / "seen.mp4")
        assert len(fragments) == 2 * FRAMES
        assert pictures_on_disk("h264", tmp_path / "seen.mp4") == camera.pictures()


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_a_description_of_another_picture_than_it_sends(
    run_camera: MakeCamera, tmp_path: Path, codec: str
) -> None:
    shown, other = small(codec), film(codec, size="640x360", fps=FPS, seconds=1)
    async with rtsp_camera(Habits(shown, script=finite(shown, FRAMES), sdp_sets=other.sets)) as camera:
        live = run_camera(watching(camera))
        fragments = await first_run(live)
        is_exact(fragments, camera.session(), tmp_path / "seen.mp4", codec)
    assert (live.started[0].width, live.started[0].height) == (320, 180)
    assert all(nal in fragments[0].init.data for nal in shown.sets)
    assert other.sets[0] not in fragments[0].init.data


@pytest.mark.parametrize("codec", ["h264", "h265"])
async def test_a_size_that_changes_in_mid_stream_costs_no_frame(
    run_camera: MakeCamera, tmp_path: Path, codec: str
) -> None:
    small_film, large_film = small(codec), film(codec, size="640x360", fps=FPS, seconds=1)

    def script() -> list[Shot]:
        return list(one_after_the_other((small_film, 20), (large_film, 20), (small_film, 20)))

    async with rtsp_camera(Habits(small_film, script=script)) as camera:
        live = run_camera(watching(camera))
        await until(lambda: len(live.ends) >= 3, live.fault)
        fragments = list(live.fragments)
        assert live.ends[:2] == [EndCause.FORMAT] * 2
        seen: list[tuple[bytes, ...]] = []
        sizes = []
        for number, (_, group) in enumerate(itertools.groupby(fragments, lambda f: id(f.init))):
            path = save(list(group), tmp_path / f"{number}.mp4")
            plays(path)
            sizes.append((clips.probe(path)["width"], clips.probe(path)["packets"]))
            seen += pictures_on_disk(codec, path)
        assert sizes == [(320, 20), (640, 20), (320, 20)]
        assert seen == camera.pictures()
        assert [e.width for e in live.started[:3]] == [320, 640, 320]
        assert camera.plays == 1


async def test_a_camera_that_falls_silent(run_camera: MakeCamera, tmp_path: Path) -> None:
    async with rtsp_camera(Habits(small(), script=finite(small(), FRAMES), at_end="stall")) as camera:
        live = run_camera(watching(camera, stall_seconds=3))
        fragments = await first_run(live)
        # The last ones can be lost: ffmpeg waits for more to know where they end, and dies with them.
        assert FRAMES - 3 <= len(fragments) <= FRAMES
        is_exact(fragments, camera.session()[: len(fragments)], tmp_path / "seen.mp4")
        assert live.ends == [EndCause.CAMERA]
        assert live.fault.startswith(("the camera stalled: no frame for", "the camera does not answer"))


async def test_bad_cameras_say_why_and_harm_no_other(run_camera: MakeCamera, tmp_path: Path) -> None:
    shown = small()

    def noise() -> list[Shot]:
        chance = random.Random(1)
        return [replace(s, nals=(chance.randbytes(500),), keyframe=False) for s in play(shown, frames=60)]

    bad: dict[str, Habits] = {
        "the camera refuses user or password": Habits(shown, login="digest"),
        "the camera does not know this stream address": Habits(shown, status="404 Stream Not Found"),
        "the camera sends no picture that can be decoded": Habits(shown, script=noise),
        "the camera reports a failure of its own": Habits(shown, status="500 Internal Server Error"),
        "the camera sends no video": Habits(None, sounds=[sound("pcmu")]),
        "the camera has no room for one more viewer": Habits(shown, status="453 Not Enough Bandwidth"),
    }
    async with AsyncExitStack() as stack:
        good = await stack.enter_async_context(rtsp_camera(Habits(shown, script=finite(shown, 90))))
        watcher = run_camera(watching(good))
        lives = {}
        for reason, habits in bad.items():
            camera = await stack.enter_async_context(rtsp_camera(habits))
            url = camera.url.replace("s3cret-pass", "wrong")
            lives[reason] = run_camera(watching(camera, url=url))
        for reason, live in lives.items():
            await until(lambda live=live: live.fault, reason)  # type: ignore[misc]
        is_exact(await first_run(watcher), good.session(), tmp_path / "good.mp4")
        for reason, live in lives.items():
            assert live.fault.startswith(reason)
            assert live.pipeline.fault is not None
            assert live.pipeline.fault.hint
            assert live.fragments == []
            assert live.pipeline.state in {CameraState.OFFLINE, CameraState.ERROR}
