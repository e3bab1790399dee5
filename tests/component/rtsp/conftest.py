"""Both media servers behind one fixture."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from rtsp_bench import Bench

from livecam_nvr.rtsp.gstreamer import seems_installed


@pytest.fixture(params=["gstreamer", pytest.param("mediamtx", marks=pytest.mark.mediamtx)])
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == "gstreamer" and not seems_installed():
        pytest.skip("GStreamer's RTSP server is not installed")
    return str(request.param)


@pytest.fixture
async def make_bench(tmp_path: Path) -> AsyncIterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(kind: str, **more: object) -> Bench:
        made.append(Bench(kind, tmp_path / f"data{len(made)}", **more))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for bench in made:
        await bench.stop()


@pytest.fixture
async def bench(kind: str, make_bench: Callable[..., Bench]) -> Bench:
    """A server that is ready."""
    made = make_bench(kind)
    assert await made.start(), made.server.status()
    return made
