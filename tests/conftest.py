"""What all tests share."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from support import clips

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadFileScheduling

# How long an example takes, or its making, says more about the machine than about the code.
settings.register_profile("livecam", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("livecam")

_WHOLE_SERVICE = Path(__file__).parent / "e2e"


@pytest.fixture(scope="session")
def fragmented_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4 s of H.264, 320x180 at 15 fps, a keyframe a second, one fragment a frame."""
    folder = tmp_path_factory.mktemp("clips")
    return clips.make(folder / "h264.mp4", extra=tuple(clips.FRAGMENTED))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts what takes longest first, and skips what can't run here.

    MediaMTX is in no package registry: its tests run where somebody has put it on PATH.
    """
    items.sort(key=lambda item: not item.path.is_relative_to(_WHOLE_SERVICE))
    if shutil.which("mediamtx") is None:
        skip = pytest.mark.skip(reason="there is no mediamtx on PATH")
        for item in items:
            if item.get_closest_marker("mediamtx"):
                item.add_marker(skip)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> "LoadFileScheduling":
    """Which tests run in turn where several processes share them: a file's, as they share its fixtures, and those
    of the whole service: each is real time on several encoders, and two at once would measure each other.
    """
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415 - only there where it is used

    class InTurn(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            whole_service = (config.rootpath / nodeid).is_relative_to(_WHOLE_SERVICE)
            return str(_WHOLE_SERVICE) if whole_service else super()._split_scope(nodeid)

    return InTurn(config, log)
