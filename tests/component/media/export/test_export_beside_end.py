"""Side by side, a film ends where it was asked to, although the footage goes on to the end of its GOP."""

from pathlib import Path

import pytest
from fakes.export_footage import BEGAN, ClipFootage
from support import clips

from livecam_nvr.core.exports import ExportRequest
from livecam_nvr.domain.segment import NS
from livecam_nvr.media.export.maker import ExportMaker

FPS = 15


@pytest.mark.parametrize("cameras", [("cam0", "cam1"), ("cam1", "cam0")])
async def test_it_ends_when_it_was_asked_to(tmp_path: Path, cameras: tuple[str, str]) -> None:
    film = tmp_path / "film.mp4"
    picture = f"testsrc2=size=320x180:rate={FPS}:duration=4"
    codec = ["-c:v", "libx264", "-preset", "veryfast", "-g", "30"]
    clips.run("ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, *codec, *clips.FRAGMENTED, str(film))
    footage = ClipFootage()
    footage.add("cam0", film)
    footage.add("cam1", film, BEGAN + NS // 2)
    maker = ExportMaker(footage, {"cam0": "Door", "cam1": "Garden"})
    # The GOP in which it ends lasts until 4 s, the other camera's until 4.5 s.
    request = ExportRequest(cameras, BEGAN + NS, BEGAN + round(2.4 * NS))
    report = await maker.make(
        request, await maker.find(request), tmp_path / "both.mp4", lambda _share, _words: None
    )
    assert report.frames == 21
    assert report.duration_ns == round(1.4 * NS)
    counted = clips.run(
        "ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of",
        "csv=p=0", str(tmp_path / "both.mp4"),
    )  # fmt: skip
    assert int(counted) == 21
