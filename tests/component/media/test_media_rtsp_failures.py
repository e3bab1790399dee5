"""What ffmpeg really says when an IP camera cannot be opened, and what is made of it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from support.live_camera import MakeCamera
from support.ports import free_port
from support.waiting import until

from livecam_nvr.config import models
from livecam_nvr.core.ports import PublishTarget
from livecam_nvr.domain.status import CameraState


def rtsp_camera(address: str, **more: object) -> models.RtspCamera:
    values = {"id": "cam0", "kind": "rtsp", "url": f"rtsp://me:secret@{address}/live?channel=1", **more}
    return models.RtspCamera.model_validate(values)


@asynccontextmanager
async def answering(answer: bytes | None) -> AsyncIterator[str]:
    """A camera that says `answer` to every request, hangs up if that is empty, or is silent; its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = 0
        while request := await reader.readline():
            if request == b"\r\n" and answer is not None:
                number += 1
                writer.write(answer.replace(b"%d", b"%d" % number))
                if b"%d" not in answer:
                    break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def status(line: str) -> bytes:
    return f"RTSP/1.0 {line}\r\nCSeq: %d\r\n\r\n".encode()


NO_CAMERA = "the camera does not answer as an RTSP camera does"
SILENT = (
    "the camera does not answer (timed out)"  # what newer ffmpegs say; older ones cannot tell it from NO_CAMERA
)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (status("401 Unauthorized"), "the camera refuses user or password"),
        (status("403 Forbidden"), "the camera refuses user or password"),
        (status("404 Not Found"), "the camera does not know this stream address"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", NO_CAMERA),
        (b"", NO_CAMERA),
        (None, SILENT),
    ],
    ids=["401", "403", "404", "no RTSP", "hangs up", "silent"],
)
@pytest.mark.parametrize("server", [False, True], ids=["alone", "with a dead media server"])
async def test_a_camera_that_refuses(
    run_camera: MakeCamera, caplog: pytest.LogCaptureFixture, answer: bytes | None, reason: str, server: bool
) -> None:
    caplog.set_level(logging.DEBUG, "livecam_nvr")
    target = PublishTarget("rtsp", f"rtsp://127.0.0.1:{free_port()}/cam0", (("rtsp_transport", "tcp"),))
    async with answering(answer) as address:
        camera = run_camera(
            rtsp_camera(address, stall_seconds=60 if answer is not None else 1), target if server else None
        )
        await until(lambda: camera.fault)
        assert camera.fault in ({NO_CAMERA, SILENT} if reason == SILENT else {reason})
        assert camera.pipeline.state is CameraState.OFFLINE
        await camera.pipeline.stop()
    assert "secret" not in caplog.text


async def test_a_port_where_nobody_listens(run_camera: MakeCamera) -> None:
    camera = run_camera(rtsp_camera(f"127.0.0.1:{free_port()}"))
    await until(lambda: camera.fault)
    assert camera.fault == "nothing answers at the port of the camera (connection refused)"
    assert camera.pipeline.state is CameraState.OFFLINE
    assert camera.states == [CameraState.OFFLINE], "nothing else before, but now there is a reason"


async def test_a_name_that_is_not_known(run_camera: MakeCamera) -> None:
    camera = run_camera(rtsp_camera("camera.invalid"))
    await until(lambda: camera.fault)
    assert camera.fault == "the host name of the camera is not known"
    assert camera.pipeline.state is CameraState.OFFLINE


async def test_a_usb_camera_that_is_not_there(run_camera: MakeCamera) -> None:
    camera = run_camera(models.V4l2Camera(id="cam0", kind="v4l2", device="/dev/video-none"))
    await until(lambda: camera.fault)
    assert camera.fault == "/dev/video-none is not there"
    assert camera.pipeline.state is CameraState.OFFLINE
