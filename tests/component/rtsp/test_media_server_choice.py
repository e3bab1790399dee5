"""Which server a machine gets, and how fast."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.rtsp_gate import FakeAudit, FakeGate
from support.own_time import within_own_time
from support.ports import free_port

from livecam_nvr.config.models import Config, ListenConfig, MediaServerConfig
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import MediaServerChanged
from livecam_nvr.core.ports import MediaServer
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.status import ServerState
from livecam_nvr.rtsp.binary import cached_binary, find
from livecam_nvr.rtsp.checks import MediaServerChecks
from livecam_nvr.rtsp.choose import Outside, choose_media_server, install
from livecam_nvr.rtsp.doorkeeper import Doorkeeper
from livecam_nvr.rtsp.gstreamer import seems_installed
from livecam_nvr.runtime.clock import SystemClock

needs_gstreamer = pytest.mark.skipif(not seems_installed(), reason="GStreamer's RTSP server is not installed")


def fake(path: Path, version: str = "v1.20.1") -> Path:
    """A program that tells a version and counts how often it was run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho run >> '{path}.runs'\necho {version}\n")
    path.chmod(0o755)
    return path


def runs(path: Path) -> int:
    counted = Path(f"{path}.runs")
    return len(counted.read_text().splitlines()) if counted.exists() else 0


@pytest.fixture(autouse=True)
def bare_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A PATH without a MediaMTX, with a folder of ours in front."""
    folder = tmp_path / "bin"
    folder.mkdir()
    rest = [p for p in os.environ["PATH"].split(os.pathsep) if not (Path(p) / "mediamtx").exists()]
    monkeypatch.setenv("PATH", os.pathsep.join([str(folder), *rest]))
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Config]:
    def make(**media_server: object) -> Config:
        listen = ListenConfig(
            rtsp_port=free_port(), webrtc_port=free_port(), webrtc_udp_port=free_port(), hls_port=free_port()
        )
        return Config(
            data_dir=tmp_path / "data",
            listen=listen,
            media_server=MediaServerConfig.model_validate(media_server),
        )

    return make


def nowhere(**more: str) -> Outside:
    """Releases at a port where nobody listens."""
    return Outside(releases=f"http://127.0.0.1:{free_port()}", **more)


def doorkeeper(config: Config) -> Doorkeeper:
    """One that nobody will ask."""
    return Doorkeeper(FakeGate(), FakeAudit(), config)


async def choose(config: Config, outside: Outside) -> MediaServer:
    return await choose_media_server(config, EventBus(), SystemClock(), doorkeeper(config), outside)


async def test_path_comes_before_the_cache_and_the_config_before_both(
    config: Callable[..., Config], bare_path: Path, tmp_path: Path
) -> None:
    cached = fake(cached_binary(config().data_dir), "v1.20.3")
    on_path = fake(bare_path / "mediamtx", "v1.20.2")
    own = fake(tmp_path / "own", "v1.20.1")
    chosen = config(mediamtx_path=own)
    assert (await find(chosen.media_server, chosen.data_dir)).path == own  # type: ignore[union-attr]
    assert (await find(config().media_server, chosen.data_dir)).path == on_path  # type: ignore[union-attr]
    on_path.unlink()
    found = await find(config().media_server, chosen.data_dir)
    assert found
    assert (found.path, found.version) == (cached, "v1.20.3")


async def test_one_that_does_not_fit_is_passed_over(config: Callable[..., Config], bare_path: Path) -> None:
    fake(bare_path / "mediamtx", "v1.19.5")
    made = config()
    assert await find(made.media_server, made.data_dir) is None
    cached = fake(cached_binary(made.data_dir))
    assert (await find(made.media_server, made.data_dir)).path == cached  # type: ignore[union-attr]


async def test_a_place_that_cannot_be_looked_at_holds_none(tmp_path: Path, bare_path: Path) -> None:
    # A name that is too long refuses like a folder that may not be searched, and refuses root, too.
    unseen = tmp_path / ("x" * 300)
    assert await find(MediaServerConfig(), unseen) is None
    with pytest.raises(LivecamError, match="is not a MediaMTX that runs here"):
        await find(MediaServerConfig(mediamtx_path=unseen), tmp_path)


async def test_a_version_is_asked_once_for_each_file(config: Callable[..., Config], bare_path: Path) -> None:
    binary = fake(bare_path / "mediamtx")
    made = config()
    for _ in range(3):
        assert await find(made.media_server, made.data_dir)
    assert runs(binary) == 1
    fake(binary, "v1.20.12")
    found = await find(made.media_server, made.data_dir)
    assert found
    assert found.version == "v1.20.12"
    assert runs(binary) == 2


@pytest.mark.parametrize(
    ("version", "words"), [(None, "not a MediaMTX that runs"), ("v1.9.0", "v1.20.1 is needed")]
)
async def test_a_wrong_path_in_the_config_is_told_and_not_replaced(
    config: Callable[..., Config], bare_path: Path, tmp_path: Path, version: str | None, words: str
) -> None:
    fake(bare_path / "mediamtx")
    own = tmp_path / "own"
    if version:
        fake(own, version)
    server = await choose(config(kind="mediamtx", mediamtx_path=own), nowhere())
    status = server.status()
    assert status.name == "mediamtx"
    assert status.state is ServerState.FATAL
    assert status.fault
    assert words in status.fault.message
    assert status.fault.hint


@needs_gstreamer
async def test_auto_without_mediamtx_is_gstreamer(
    config: Callable[..., Config], caplog: pytest.LogCaptureFixture
) -> None:
    made = config(download=False)
    server = await choose(made, nowhere())
    assert server.status().name == "gstreamer"
    assert server.addresses("cam0").rtsp == f"rtsp://{{host}}:{made.listen.rtsp_port}/cam0"
    assert server.addresses("cam0").webrtc is None
    told = [record for record in caplog.records if "GStreamer" in record.getMessage()]
    assert len(told) == 1
    assert "media-server install" in told[0].getMessage()


async def test_auto_with_a_binary_is_mediamtx(config: Callable[..., Config], bare_path: Path) -> None:
    fake(bare_path / "mediamtx")
    server = await choose(config(), nowhere())
    assert server.status().name == "mediamtx"
    found = server.addresses("cam0")
    assert found.webrtc
    assert found.webrtc.endswith("/cam0/whep")
    assert found.ll_hls
    assert found.ll_hls.endswith("/cam0/index.m3u8")


async def test_with_neither_there_is_a_server_that_does_nothing(config: Callable[..., Config]) -> None:
    bus = EventBus()
    events: list[MediaServerChanged] = []
    bus.subscribe(MediaServerChanged, events.append)
    outside = nowhere(python="/nowhere/python3")
    made = config(download=False)
    server = await choose_media_server(made, bus, SystemClock(), doorkeeper(made), outside)
    assert not await server.start(5)
    assert server.status().name == "none"
    assert server.status().fault
    assert "apt install" in server.status().fault.hint  # type: ignore[union-attr]
    assert [event.status for event in events] == [server.status()]
    assert server.publish_target("cam0").format == "null"
    await server.stop()


async def test_a_failed_fetch_is_not_repeated_at_every_start(config: Callable[..., Config]) -> None:
    made = config(kind="mediamtx")
    with socket.create_server(("127.0.0.1", 0)) as page:
        page.setblocking(False)
        outside = Outside(releases=f"http://127.0.0.1:{free_port()}")
        first = await choose(made, outside)
        listening = Outside(releases=f"http://127.0.0.1:{page.getsockname()[1]}")
        second = await choose(made, listening)
        with pytest.raises(BlockingIOError):
            page.accept()
    for server in (first, second):
        assert server.status().state is ServerState.FATAL
        assert "media-server install" in server.status().fault.hint  # type: ignore[union-attr]
    with pytest.raises(LivecamError, match="failed"):
        await install(made, None, outside)


async def test_a_page_that_never_answers_delays_one_start_by_five_seconds(config: Callable[..., Config]) -> None:
    made = config(kind="mediamtx")
    with socket.create_server(("127.0.0.1", 0)) as page:
        outside = Outside(releases=f"http://127.0.0.1:{page.getsockname()[1]}")
        async with within_own_time(6, "the choice"):
            server = await choose(made, outside)
        assert "within 5 s" in server.status().fault.message  # type: ignore[union-attr]
        async with within_own_time(4, "the next one"):
            await choose(made, outside)


async def test_doctor_tells_what_is_there(config: Callable[..., Config], bare_path: Path) -> None:
    fake(bare_path / "mediamtx")
    made = config()
    with socket.create_server(("127.0.0.1", made.listen.hls_port)):
        checks = {check.name: check for check in await MediaServerChecks(made).check()}
    assert checks["MediaMTX"].ok
    assert "v1.20.1" in checks["MediaMTX"].found
    assert checks["GStreamer"].ok
    assert checks[f"port {made.listen.rtsp_port} (RTSP)"].ok
    taken = checks[f"port {made.listen.hls_port} (LL-HLS)"]
    assert not taken.ok
    assert "listen.hls_port" in taken.mend
    assert not made.data_dir.exists()


async def test_doctor_without_either_says_how_to_mend_both(config: Callable[..., Config]) -> None:
    found = await MediaServerChecks(config(), nowhere(python="/nowhere/python3")).check()
    checks = {check.name: check for check in found}
    assert not checks["MediaMTX"].ok
    assert "media-server install" in checks["MediaMTX"].mend
    assert not checks["GStreamer"].ok
    assert "apt install" in checks["GStreamer"].mend
