"""What all tests share."""

import shutil
from pathlib import Path

import pytest
from support import clips


@pytest.fixture(scope="session")
def fragmented_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 s of H.264, 320x180 at 15 fps, a keyframe a second, one fragment a frame."""
    folder = tmp_path_factory.mktemp("clips")
    return clips.make(folder / "h264.mp4", extra=tuple(clips.FRAGMENTED))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """MediaMTX is in no package registry: its tests run where somebody has put it on PATH."""
    if shutil.which("mediamtx") is None:
        skip = pytest.mark.skip(reason="there is no mediamtx on PATH")
        for item in items:
            if item.get_closest_marker("mediamtx"):
                item.add_marker(skip)
