"""What ffmpeg makes of masks and overlay: looked at pixel by pixel."""

import functools
import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ffmpeg
import pytest
from support import clips
from support.brightness import darkest_and_brightest
from support.live_camera import MakeCamera

from livecam_nvr.config import models
from livecam_nvr.config.models import FileCamera, Polygon
from livecam_nvr.domain.media import base_times, rebased
from livecam_nvr.media.drawing import Filter, drawn_filters, text
from livecam_nvr.media.hub import CameraStreams
from livecam_nvr.media.pictures import StreamPictures
from livecam_nvr.media.sources import source

MASKS: tuple[Polygon, ...] = (
    ((0, 0), (0.3, 0.05), (0.1, 0.45)),
    ((0.5, 0.5), (1, 0.5), (1, 1), (0.9, 1), (0.9, 0.61), (0.62, 0.61), (0.62, 1), (0.5, 1)),
    ((0.6, 0.1), (0.9, 0.4), (0.6, 0.4), (0.9, 0.1)),
)
BLACK = (16, 128, 128)


def camera(**more: Any) -> FileCamera:
    return FileCamera.model_validate({"id": "c", "kind": "file", "path": "x", **more})


class Picture:
    """Pixels in 4:2:0 as they would go into the encoder."""

    def __init__(self, raw: bytes, width: int, height: int) -> None:
        assert len(raw) == width * height * 3 // 2
        self.width, self.height = width, height
        self._raw = raw

    def at(self, x: int, y: int) -> tuple[int, int, int]:
        """Luma and both chromas of a pixel."""
        chroma = self.width * self.height + y // 2 * (self.width // 2) + x // 2
        quarter = self.width * self.height // 4
        return self._raw[y * self.width + x], self._raw[chroma], self._raw[chroma + quarter]


def draw(url: str, filters: Sequence[Filter], size: tuple[int, int]) -> Picture:
    """The first picture of a lavfi source with filters, as any encoder is given it."""
    stream = ffmpeg.input(url, f="lavfi").video
    for name, arguments in filters:
        stream = stream.filter(name, **dict(arguments))
    output = ffmpeg.output(stream, "pipe:1", f="rawvideo", pix_fmt="yuv420p", vframes=1)
    raw = clips.run("ffmpeg", "-v", "error", "-nostdin", *ffmpeg.get_args(output))
    return Picture(raw, *size)


def inside(polygon: Polygon, x: float, y: float) -> bool:
    """Whether a point lies within, by the number of sides to its right."""
    sides = zip(polygon, (*polygon[1:], polygon[0]), strict=True)
    return (
        sum((y1 <= y) != (y2 <= y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1) for (x1, y1), (x2, y2) in sides)
        % 2
        == 1
    )


@functools.cache
def touched(polygon: Polygon, size: tuple[int, int]) -> list[tuple[int, int]]:
    """The pixels of which some part lies within a polygon."""
    spots = (0.001, 0.5, 0.999)
    return [
        (x, y)
        for x in range(size[0])
        for y in range(size[1])
        if any(inside(polygon, (x + dx) / size[0], (y + dy) / size[1]) for dx in spots for dy in spots)
    ]


@pytest.mark.parametrize("size", [(160, 90), (161, 91), (50, 47)])
@pytest.mark.parametrize("pixels", ["yuyv422", "yuvj420p", "yuvj422p", "nv12", "yuv420p", "yuv420p10le", "rgb24"])
def test_no_pixel_within_a_mask_is_anything_but_black(size: tuple[int, int], pixels: str) -> None:
    even = size[0] // 2 * 2, size[1] // 2 * 2
    # A bright colour: nothing of it is black by chance, and what leaks in can be seen.
    url = f"color=c=0xff40ff:size={size[0]}x{size[1]}:rate=1,format={pixels}"
    picture = draw(url, drawn_filters(camera(masks=MASKS)), even)
    for polygon in MASKS:
        assert {picture.at(x, y) for x, y in touched(polygon, even)} == {BLACK}
    free = [(0.5, 0.2), (0.2, 0.7), (0.76, 0.8), (0.62, 0.25), (0.95, 0.2)]
    assert BLACK not in {picture.at(math.floor(x * even[0]), math.floor(y * even[1])) for x, y in free}


def test_a_mask_sticks_out_by_a_hundredth_of_the_picture_at_most() -> None:
    size = 400, 200
    (triangle, *_) = MASKS
    picture = draw("color=c=white:size=400x200", drawn_filters(camera(masks=(triangle,))), size)
    black = {(x, y) for x in range(400) for y in range(200) if picture.at(x, y) == BLACK}
    near = {(x + dx, y + dy) for x, y in touched(triangle, size) for dx in range(-6, 7) for dy in range(-4, 5)}
    assert black <= near


def test_nothing_to_draw_costs_no_filter() -> None:
    assert drawn_filters(camera()) == ()


def written(line: str, folder: Path) -> bytes:
    """The pixels of a line as drawtext reads it from a file, where no sign has a meaning."""
    path = folder / "line.txt"
    path.write_text(line)
    file = text("", size="20", x="5", y="5")[1]
    arguments = tuple(pair for pair in file if pair[0] != "text")
    return draw("color=size=640x60", [("drawtext", (("textfile", str(path)), *arguments))], (640, 60))._raw


@pytest.mark.parametrize(
    "name",
    ["Front door", "100% : a\\b 'c' \"d\"", "%{n} ${x} \\n", "[a];b=c,d|e", "Küche ✓", "it's 12:30", "\\", "%"],
)
def test_a_name_is_written_as_it_is(name: str, tmp_path: Path) -> None:
    seen = draw("color=size=640x60", [text(name, size="20", x="5", y="5")], (640, 60))._raw
    assert seen == written(name, tmp_path)
    assert seen != written("Front", tmp_path)


def lines_at_the_lower_right(url: str, size: tuple[int, int]) -> Picture:
    return draw(url, drawn_filters(camera(overlay=True, name="Front door")), size)


@pytest.mark.parametrize("background", ["white", "black", "gray", "yellow"])
@pytest.mark.parametrize("size", [(320, 180), (1280, 720)])
def test_the_overlay_can_be_read_on_every_background(background: str, size: tuple[int, int]) -> None:
    picture = lines_at_the_lower_right(f"color=c={background}:size={size[0]}x{size[1]}", size)
    letter = max(12, size[1] // 30)
    strip = [picture.at(x, size[1] - 10 - letter // 2)[0] for x in range(size[0] - 10 - 8 * letter, size[0] - 10)]
    assert max(strip) > 200
    assert min(strip) < 125
    assert max(strip) - min(strip) > 100
    # The rest of the picture is as it was.
    plain = draw(f"color=c={background}:size={size[0]}x{size[1]}", [], size)
    assert all(picture.at(x, 5) == plain.at(x, 5) for x in range(size[0]))


def test_the_overlay_grows_with_the_picture_and_stays_at_the_lower_right() -> None:
    heights = []
    for size in ((640, 360), (1920, 1080)):
        picture = lines_at_the_lower_right(f"color=c=white:size={size[0]}x{size[1]}", size)
        changed = [(x, y) for x in range(0, size[0], 2) for y in range(0, size[1], 2) if picture.at(x, y)[0] < 200]
        left, top = min(x for x, _ in changed), min(y for _, y in changed)
        assert left > size[0] / 2
        assert max(y for _, y in changed) < size[1]
        heights.append(size[1] - top)
    assert heights[1] > 2 * heights[0]


def test_two_test_cameras_have_pictures_of_their_own_colour() -> None:
    seen = []
    for camera_id in ("cam0", "cam1"):
        made = source(models.TestCamera(id=camera_id, name="same", kind="test", size="320x180"))
        picture = draw(made.url, made.filters[:1], (320, 180))
        seen.append([picture.at(x, 100) for x in range(0, 320, 8)])
    assert sum(math.dist(a[1:], b[1:]) > 20 for a, b in zip(*seen, strict=True)) > 15


async def test_what_is_masked_is_in_no_recording_no_snapshot_and_no_mjpeg(
    run_camera: MakeCamera, tmp_path: Path
) -> None:
    """A bright clip, of which the left half must never be seen; an encoder may blur a mask's very edge."""
    clip = tmp_path / "bright.mkv"
    picture = ("-f", "lavfi", "-i", "testsrc2=size=321x181:rate=15:duration=1,lutyuv=y=val/2+110")
    clips.run("ffmpeg", "-v", "error", *picture, "-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj420p", str(clip))
    half: Polygon = ((0, 0), (0.5, 0), (0.5, 1), (0, 1))
    live = run_camera(FileCamera.model_validate({"id": "cam0", "kind": "file", "path": clip, "masks": (half,)}))
    fragments = await live.until_fragments(30)
    video = fragments[0].init.video
    assert (video.width, video.height) == (320, 180)
    bases = base_times(fragments[0])
    seen = [tmp_path / "recording.mp4", tmp_path / "snapshot.jpg", tmp_path / "mjpeg.jpg"]
    seen[0].write_bytes(fragments[0].init.data + b"".join(p for f in fragments for p in rebased(f, bases)))
    pictures = StreamPictures(CameraStreams([live.hub]))
    seen[1].write_bytes(await pictures.snapshot("cam0"))
    viewer = pictures.mjpeg("cam0")
    seen[2].write_bytes(await anext(viewer))
    await viewer.aclose()  # type: ignore[attr-defined]
    await pictures.stop()
    for path in seen:
        assert darkest_and_brightest(path, 0, 0.475)[1] <= 2, path.name
        assert darkest_and_brightest(path, 0, 0.5)[1] < 60, path.name
        assert darkest_and_brightest(path, 0.52, 1)[0] > 70, path.name


@pytest.mark.parametrize(
    ("codec", "size"), [(("libx265", "-x265-params", "log-level=none"), "321x181"), (("mpeg4",), "320x180")]
)
async def test_a_copied_camera_that_is_drawn_into_keeps_its_frames_and_gets_keyframes(
    run_camera: MakeCamera,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    codec: tuple[str, ...],
    size: str,
) -> None:
    caplog.set_level("INFO")
    clip = tmp_path / "clip.mkv"
    film = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=12:duration=10")
    pixels = "yuv444p" if "321" in size else "yuv420p"
    clips.run("ffmpeg", "-v", "error", *film, "-c:v", *codec, "-g", "120", "-pix_fmt", pixels, str(clip))
    live = run_camera(FileCamera.model_validate({"id": "cam0", "kind": "file", "path": clip, "overlay": True}))
    fragments = await live.until_fragments(40)
    assert live.started[0].codec.startswith("avc1.")
    assert (live.started[0].width, live.started[0].height) == (320, 180)
    assert {round(f.duration / f.init.video.timescale, 3) for f in fragments} <= {0.083, 0.084}
    keys = [f.time_s for f in fragments if f.keyframe]
    assert max(b - a for a, b in itertools.pairwise(keys)) < 1.1
    assert live.pipeline.restarts == 0
    assert len([m for m in caplog.messages if "encoded here and not copied" in m]) == 1


async def test_without_any_font_a_camera_runs_and_says_what_is_missing(
    run_camera: MakeCamera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    config = tmp_path / "fonts.conf"
    config.write_text('<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>')
    monkeypatch.setenv("FONTCONFIG_FILE", str(config))
    live = run_camera(overlay=True)
    fragments = await live.until_fragments(5)
    path = tmp_path / "seen.mp4"
    bases = base_times(fragments[0])
    path.write_bytes(fragments[0].init.data + b"".join(p for f in fragments for p in rebased(f, bases)))
    assert clips.frame_numbers(path) == list(range(5))
    assert "install a font: sudo apt install fonts-dejavu-core" in caplog.text
    assert live.pipeline.fault is None
