import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fakes.storage_fragments import KINDS, make_clip, read_clip

from livecam_nvr.domain.media import Fragment
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.files.archive import FileArchive
from livecam_nvr.storage.index.index import Index


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "h264.mp4", "h264", 6)


@pytest.fixture(scope="session")
def fragments(clip: Path) -> list[Fragment]:
    return read_clip(clip)


@pytest.fixture(scope="session", params=sorted(KINDS))
def any_fragments(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Fragment]:
    return read_clip(make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", request.param, 6))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "recordings"


@pytest.fixture
async def archive(root: Path) -> AsyncIterator[FileArchive]:
    archive = FileArchive(root, 0.5, SystemClock())
    await archive.start()
    yield archive
    await archive.stop()


@pytest.fixture
async def index(tmp_path: Path, archive: FileArchive, root: Path) -> AsyncIterator[Index]:
    index = Index(tmp_path / "data" / "index.db", root, SystemClock(), archive.is_writing)
    await index.start()
    yield index
    await index.stop()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 512 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {made.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
