"""Two cameras side by side: every picture of each half tells its number by its brightness."""

from pathlib import Path

import pytest
from fakes.export_footage import BEGAN, ClipFootage
from support import clips
from support.packets import is_faststart

from livecam_nvr.core.exports import ExportReport, ExportRequest
from livecam_nvr.domain.segment import NS
from livecam_nvr.media.export.beside import Half, sizes
from livecam_nvr.media.export.maker import ExportMaker

FPS = 15
STEP = 3


@pytest.fixture(scope="session")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 s; the brightness of picture n is 40 + 3 n."""
    path = tmp_path_factory.mktemp("counting") / "counting.mp4"
    picture = f"color=black:size=320x180:rate={FPS}:duration=4,format=gray,geq=lum='40+{STEP}*N',format=yuv420p"
    codec = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "15", "-crf", "10"]
    clips.run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, *codec, *clips.FRAGMENTED, str(path))
    return path


def numbers(path: Path, left: int) -> list[int | None]:
    """Which picture the half that begins at `left` shows in each picture of the film; None: it is black."""
    # A quarter from its edges, so that neither the name in the middle nor the other half counts.
    look = f"crop=40:40:{left + 20}:20,scale=1:1:flags=area,format=gray"
    raw = clips.run(
        "ffmpeg", "-v", "error", "-i", str(path), "-vf", look, "-fps_mode", "passthrough", "-f", "rawvideo", "-"
    )
    return [None if light < 25 else round((light - 40) / STEP) for light in raw]


async def make(footage: ClipFootage, path: Path, begin_s: float, end_s: float) -> ExportReport:
    maker = ExportMaker(footage, {"cam0": "Door", "cam1": "Gar'den: 100%"})
    request = ExportRequest(("cam0", "cam1"), BEGAN + round(begin_s * NS), BEGAN + round(end_s * NS), title="Both")
    maker.check(request)
    shares: list[float] = []
    report = await maker.make(request, await maker.find(request), path, lambda share, _: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0, abs=0.05)
    return report


async def test_aligned_by_time(counting: Path, tmp_path: Path) -> None:
    footage, path = ClipFootage(), tmp_path / "both.mp4"
    footage.add("cam0", counting)
    footage.add("cam0", counting, BEGAN + 6 * NS)
    footage.add("cam1", counting, BEGAN + round(2.5 * NS))
    report = await make(footage, path, 1.5, 8)
    seen = await _probed(path)
    assert (seen["width"], seen["height"], seen["avg_frame_rate"]) == (640, 180, "15/1")
    assert report.frames == seen["packets"] == pytest.approx(6.5 * FPS, abs=1)
    assert is_faststart(path)
    left, right = numbers(path, 0), numbers(path, 320)
    for at in range(report.frames):
        second = 1.5 + at / FPS
        _expect(left[at], second, [(0.0, 4.0), (6.0, 10.0)])
        _expect(right[at], second, [(2.5, 6.5)])
    gaps = [(gap.camera_id, (gap.begin_utc_ns - BEGAN) / NS, (gap.end_utc_ns - BEGAN) / NS) for gap in report.gaps]
    assert gaps == [("cam0", 4.0, 6.0), ("cam1", 1.5, 2.5), ("cam1", 6.5, 8.0)]
    assert list(tmp_path.iterdir()) == [path]


async def test_one_of_them_without_any_footage(counting: Path, tmp_path: Path) -> None:
    footage, path = ClipFootage(), tmp_path / "both.mp4"
    footage.add("cam0", counting)
    report = await make(footage, path, 1, 3)
    assert report.frames == pytest.approx(2 * FPS, abs=1)
    assert set(numbers(path, 320)) == {None}
    assert None not in numbers(path, 0)


def test_halves_have_one_height() -> None:
    def half(width: int, height: int) -> Half:
        return Half(Path("x.mp4"), "", width, height, (), sound=False)

    assert sizes([half(1280, 720), half(640, 480)]) == [(1280, 720), (960, 720)]
    assert sizes([half(1920, 1080), half(1080, 1920)]) == [(1920, 1080), (608, 1080)]
    (left, height), (right, same) = sizes([half(3840, 2160), half(3840, 1080)])
    assert height == same
    assert left + right <= 3842


def _expect(number: int | None, second: float, taken: list[tuple[float, float]]) -> None:
    for begin, end in taken:
        if begin + 1 / FPS < second < end - 1 / FPS:
            assert number is not None, second
            assert abs(number - (second - begin) * FPS) <= 1.01, second
            return
        if begin - 1 / FPS <= second <= end + 1 / FPS:
            return  # at its edge it may be one or the other
    assert number is None, second


async def _probed(path: Path) -> dict[str, object]:
    return clips.probe(path)
