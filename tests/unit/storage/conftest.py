from pathlib import Path

import pytest
from fakes.storage_fragments import KINDS, make_clip, read_clip

from livecam_nvr.domain.media import Fragment


@pytest.fixture(scope="session", params=sorted(KINDS))
def any_fragments(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Fragment]:
    return read_clip(make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", request.param, 3))


@pytest.fixture(scope="session")
def fragments(tmp_path_factory: pytest.TempPathFactory) -> list[Fragment]:
    """A little H.264: 30 fragments, keyframes at 0 and 15."""
    return read_clip(make_clip(tmp_path_factory.mktemp("clips") / "h264.mp4", "h264", 2))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "recordings"
