"""The service's end when the disk hangs."""

import asyncio
import os
import threading
from pathlib import Path

import pytest
from support.ports import free_port
from support.service import small_camera
from support.waiting import PATIENCE_S, until

from livecam_nvr.app import Service
from livecam_nvr.config.models import Config
from livecam_nvr.storage.files.repair import Fate, repair_file


async def test_a_disk_that_hangs_does_not_keep_the_service_from_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ports = ("http_port", "rtsp_port", "webrtc_port", "webrtc_udp_port", "hls_port")
    root = tmp_path / "recordings"
    config = Config.model_validate(
        {
            "listen": {name: free_port() for name in ports},
            "cameras": [small_camera("cam0")],
            "media_server": {"kind": "gstreamer", "download": False},
            "recording": {"path": str(root), "min_free": 0},
            "data_dir": str(tmp_path / "data"),
        }
    )
    mended, hanging = threading.Event(), threading.Event()
    fsync = os.fsync

    def hang(fd: int) -> None:
        hanging.set()
        assert mended.wait(4 * PATIENCE_S)
        fsync(fd)

    service = Service(config)
    try:
        await service.start()
        await until(lambda: service.board.status().cameras[0].recording.frames > 15)
        monkeypatch.setattr(os, "fsync", hang)
        async with asyncio.timeout(PATIENCE_S):  # the disk would take longer
            await service.stop()
        assert hanging.is_set()
        assert not mended.is_set()
        assert "the disk is too slow to finish the recordings now" in caplog.text
        # Two, if a border of the clock was passed.
        path = max(found.relative_to(root).as_posix() for found in root.rglob("*.mp4"))
    finally:
        mended.set()
        await service.stop()
    await until(lambda: "archive sync" not in [thread.name for thread in threading.enumerate()])
    assert repair_file(root, path).fate is Fate.FINISHED
