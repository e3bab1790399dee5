"""One MP4 out of real footage, judged by ffmpeg."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path

import pytest
from fakes.export_footage import BEGAN, ClipFootage
from fakes.storage_fragments import make_clip
from support import clips
from support.packets import is_faststart, packet_hashes, picture_hashes, times

from livecam_nvr.domain.coverage import Span
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS
from livecam_nvr.media.export.join import Joined, Joiner

FPS = 15


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Clips of 5 s, 15 fps, a keyframe a second."""
    folder = tmp_path_factory.mktemp("joined")
    made = {kind: make_clip(folder / f"{kind}.mp4", kind, 5) for kind in ("h264", "bframes", "hevc", "aac")}
    made["large"] = clips.make(folder / "large.mp4", seconds=2, size="640x360", extra=tuple(clips.FRAGMENTED))
    return made


async def join(footage: ClipFootage, path: Path, begin_s: float, end_s: float, *, exact: bool = False) -> Joined:
    wanted = Span(BEGAN + round(begin_s * NS), BEGAN + round(end_s * NS))
    pieces = await footage.pieces("cam0", wanted.begin_utc_ns, wanted.end_utc_ns)
    return await Joiner(footage, pieces, path, within=wanted if exact else None).run()


@pytest.mark.parametrize("kind", ["h264", "bframes", "hevc", "aac"])
async def test_pictures_are_copied_bit_by_bit(made: dict[str, Path], tmp_path: Path, kind: str) -> None:
    footage, path = ClipFootage(), tmp_path / "out.mp4"
    footage.add("cam0", made[kind])
    joined = await join(footage, path, 0, 5)
    assert (joined.frames, joined.recoded, joined.notes) == (75, 0, ())
    assert joined.bytes == path.stat().st_size
    assert joined.begin_utc_ns == BEGAN
    assert packet_hashes(path) == packet_hashes(made[kind])
    assert picture_hashes(path) == picture_hashes(made[kind])
    assert is_faststart(path)
    assert list(tmp_path.iterdir()) == [path]


async def test_at_keyframes_all_that_was_asked_for_is_in_it(made: dict[str, Path], tmp_path: Path) -> None:
    footage, path = ClipFootage(), tmp_path / "out.mp4"
    footage.add("cam0", made["h264"])
    joined = await join(footage, path, 1.5, 3.2)
    assert (joined.frames, joined.begin_utc_ns) == (45, BEGAN + NS)
    assert packet_hashes(path) == packet_hashes(made["h264"])[15:60]
    assert times(path)[0] == 0.0


@pytest.mark.parametrize(("begin", "end"), [(1.3, 3.5), (1.0, 3.0), (2.2, 2.6), (0.0, 2.5), (2.9, 5.0)])
@pytest.mark.parametrize("kind", ["h264", "bframes"])
async def test_exact(made: dict[str, Path], tmp_path: Path, kind: str, begin: float, end: float) -> None:
    footage, path = ClipFootage(), tmp_path / "out.mp4"
    footage.add("cam0", made[kind])
    joined = await join(footage, path, begin, end, exact=True)
    wanted = [number for number in range(75) if begin <= number / FPS < end]
    assert joined.frames == len(wanted)
    assert joined.begin_utc_ns == pytest.approx(BEGAN + wanted[0] * NS / FPS, abs=1000)
    # Whole GOPs in the middle are the camera's own bytes, and so are all whose last pictures alone are left out.
    first = -(-wanted[0] // 15) * 15
    last = wanted[-1] + 1 if kind == "h264" else (wanted[-1] + 1) // 15 * 15
    own = packet_hashes(made[kind])[first : max(first, last)]
    assert joined.recoded == len(wanted) - len(own)
    hashes = packet_hashes(path)
    assert hashes[first - wanted[0] : first - wanted[0] + len(own)] == own
    # All can be decoded, those that were copied are the same pictures, and each has its time.
    shown, original = picture_hashes(path), picture_hashes(made[kind])
    assert len(shown) == len(wanted)
    assert shown[first - wanted[0] : first - wanted[0] + len(own)] == original[first : first + len(own)]
    at = times(path)
    assert [round((time - at[0]) * FPS) for time in at] == list(range(len(wanted)))


async def test_exact_pictures_are_those_that_were_asked_for(made: dict[str, Path], tmp_path: Path) -> None:
    """What was encoded anew looks like the picture of that moment, and not like its neighbours."""
    footage, path = ClipFootage(), tmp_path / "out.mp4"
    footage.add("cam0", made["h264"])
    await join(footage, path, 1.4, 3.0, exact=True)
    shift = "[0:v]trim=start_frame={}:end_frame={},setpts=N/15/TB[a];[1:v]trim=end_frame=9,setpts=N/15/TB[b];"
    likeness = []
    for first in (20, 21, 22):
        graph = shift.format(first, first + 9) + "[a][b]psnr=stats_file=-"
        out = clips.run(
            "ffmpeg", "-v", "error", "-i", str(made["h264"]), "-i", str(path), "-lavfi", graph, "-f", "null", "-"
        )
        rows = [line.split() for line in out.decode().splitlines()]
        likeness.append(min(float(row[5].split(":")[1].replace("inf", "99")) for row in rows))
    assert likeness[1] > 35 > max(likeness[0], likeness[2])


async def test_exact_h265(made: dict[str, Path], tmp_path: Path) -> None:
    footage, path = ClipFootage(), tmp_path / "out.mp4"
    footage.add("cam0", made["hevc"])
    joined = await join(footage, path, 1.3, 3.5, exact=True)
    wanted = [number for number in range(75) if 1.3 <= number / FPS < 3.5]
    assert joined.frames == len(wanted) == len(picture_hashes(path))
    assert picture_hashes(path)[30 - wanted[0] : 45 - wanted[0]] == picture_hashes(made["hevc"])[30:45]


async def test_exact_sound_begins_and_ends_with_the_pictures(made: dict[str, Path], tmp_path: Path) -> None:
    footage, path = ClipFootage(), tmp_path / "out.mp4"
    footage.add("cam0", made["aac"])
    joined = await join(footage, path, 1.3, 3.5, exact=True)
    assert joined.frames == 33
    at = times(path, "a:0")
    assert at[0] < 0.04
    assert (joined.begin_utc_ns - BEGAN) / NS + at[-1] == pytest.approx(3.5 - 1024 / 48_000, abs=0.025)
    assert set(packet_hashes(path, "a:0")) <= set(packet_hashes(made["aac"], "a:0"))
    # Where the same packet lies against the pictures in the recording and in the cut.
    some = packet_hashes(path, "a:0")[50]
    there = times(made["aac"], "a:0")[packet_hashes(made["aac"], "a:0").index(some)]
    picture = packet_hashes(path).index(packet_hashes(made["aac"])[30])
    moved = times(made["aac"])[30] - times(path)[picture]
    assert there - at[50] == pytest.approx(moved, abs=0.002)


async def test_what_lies_after_a_gap_follows_at_once(made: dict[str, Path], tmp_path: Path) -> None:
    footage, path = ClipFootage(), tmp_path / "out.mp4"
    footage.add("cam0", made["aac"])
    footage.add("cam0", made["aac"], BEGAN + 60 * NS)
    joined = await join(footage, path, 0, 100)
    assert joined.frames == 150
    at = times(path)
    assert max(after - before for before, after in pairwise(at)) < 0.1
    own = times(made["aac"], "a:0")
    second = [time for time in times(path, "a:0") if time > 5.2]
    assert second[0] - at[75] == pytest.approx(own[len(own) - len(second)] - times(made["aac"])[0], abs=0.03)


async def test_another_size(made: dict[str, Path], tmp_path: Path) -> None:
    footage, path = ClipFootage(), tmp_path / "out.mp4"
    footage.add("cam0", made["h264"])
    footage.add("cam0", made["large"], BEGAN + 5 * NS)
    joined = await join(footage, path, 0, 7)
    assert (joined.frames, joined.recoded) == (105, 0)
    assert joined.notes == ("the format of the pictures changes within the file",)
    assert len(picture_hashes(path)) == 105
    frames = clips.run(
        "ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "frame=width", "-of", "json", str(path)
    )
    widths = [frame["width"] for frame in json.loads(frames)["frames"]]
    assert widths == [320] * 75 + [640] * 30
    # Also a player that was in the other format a moment ago finds what each keyframe needs in front of it.
    for second in (6, 2):
        clips.run("ffmpeg", "-v", "error", "-xerror", "-ss", str(second), "-i", str(path), "-frames:v", "5", *NULL)


async def test_another_codec_and_no_sound(made: dict[str, Path], tmp_path: Path) -> None:
    footage, path = ClipFootage(), tmp_path / "out.mp4"
    footage.add("cam0", made["aac"])
    footage.add("cam0", made["hevc"], BEGAN + 5 * NS)
    footage.add("cam0", made["aac"], BEGAN + 10 * NS)
    joined = await join(footage, path, 0, 15.1)
    assert (joined.frames, joined.recoded) == (225, 75)
    assert "pictures of another codec were encoded anew" in joined.notes
    assert len(picture_hashes(path)) == 225
    sounds = times(path, "a:0")
    assert not [time for time in sounds if 5.1 < time < 9.9]
    assert sounds[-1] > 14.5


async def test_nothing_in_the_exact_time(made: dict[str, Path], tmp_path: Path) -> None:
    footage = ClipFootage()
    footage.add("cam0", made["h264"])
    with pytest.raises(LivecamError) as caught:
        await join(footage, tmp_path / "out.mp4", 1.01, 1.02, exact=True)
    assert caught.value.kind is ErrorKind.NOT_FOUND
    assert not list(tmp_path.iterdir())


async def test_given_up_it_leaves_nothing_but_the_part(made: dict[str, Path], tmp_path: Path) -> None:
    footage = ClipFootage()
    footage.add("cam0", made["h264"])
    footage.held.clear()
    task = asyncio.create_task(join(footage, tmp_path / "out.mp4", 0, 5))
    while not list(tmp_path.iterdir()):
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not list(tmp_path.iterdir())


NULL = ["-f", "null", "-"]
