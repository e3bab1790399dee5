"""Product code in a process of its own, which sees the fake USB cameras; arguments and answers are JSON."""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from livecam_nvr.config import models
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import CameraStateChanged, StreamStarted
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.media import EndCause, Fragment, InitSegment
from livecam_nvr.media import ffmpeg
from livecam_nvr.media.feeds import feed_for
from livecam_nvr.media.hub import MemoryHub
from livecam_nvr.media.pipeline import CameraPipeline
from livecam_nvr.media.v4l2.controls import list_controls
from livecam_nvr.media.v4l2.devices import list_devices
from livecam_nvr.media.v4l2.formats import source_of
from livecam_nvr.media.v4l2.prepare import prepare
from livecam_nvr.runtime.clock import SystemClock


async def devices() -> Any:
    return [asdict(device) for device in await list_devices()]


async def controls(path: str) -> Any:
    return [{**asdict(control), "allowed": control.allowed} for control in await list_controls(Path(path))]


async def planned(path: str, size: str, fps: float, *arguments: Any) -> Any:
    width, height = map(int, size.split("x"))
    try:
        return asdict(await prepare(Path(path), (width, height), fps, *arguments))
    except LivecamError as error:
        return {"kind": error.kind, "message": error.message, "hint": error.hint}


async def command(path: str, size: str, fps: float, wanted: Any) -> Any:
    """The camera's whole ffmpeg, with the options that its output needs."""
    width, height = map(int, size.split("x"))
    plan = await prepare(Path(path), (width, height), fps, wanted)
    return ffmpeg.command(source_of(plan, path, 1000), None)


class Kept:
    """Writes each run of the camera into a file of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._init: InitSegment | None = None
        self._frames = self._runs = 0

    def on_fragment(self, fragment: Fragment) -> None:
        if fragment.init is not self._init:
            self._init, self._frames = fragment.init, 0
            self._runs += 1
            (self._folder / f"run{self._runs}.mp4").write_bytes(fragment.init.data)
        with (self._folder / f"run{self._runs}.mp4").open("ab") as file:
            file.write(fragment.data)
        self._frames += fragment.frames
        say({"run": self._runs, "frames": self._frames})

    def on_end(self, cause: EndCause) -> None:
        say({"end": cause})


async def camera(folder: str, settings: dict[str, Any]) -> Any:
    """A camera's whole pipeline until stdin ends."""
    model = models.V4l2Camera(id="cam0", kind="v4l2", **settings)
    bus = EventBus()
    hub = MemoryHub("cam0", keep_s=10)
    hub.attach(Kept(Path(folder)))
    pipeline = CameraPipeline(model, feed_for(model), hub, target=None, bus=bus, clock=SystemClock())

    def told(event: CameraStateChanged) -> None:
        fault = pipeline.fault
        say({"state": event.state, "fault": fault.message if fault else "", "hint": fault.hint if fault else ""})

    bus.subscribe(CameraStateChanged, told)
    bus.subscribe(StreamStarted, lambda event: say({"codec": event.codec, "size": [event.width, event.height]}))
    pipeline.start()
    counting = asyncio.create_task(count(pipeline))
    await asyncio.to_thread(sys.stdin.read)
    counting.cancel()
    hub.close()
    await pipeline.stop()
    return {"dropped": pipeline.dropped_frames}


async def count(pipeline: CameraPipeline) -> None:
    told = 0
    while True:
        if pipeline.restarts != told:
            told = pipeline.restarts
            say({"restarts": told, "fault": pipeline.fault.message if pipeline.fault else ""})
        await asyncio.sleep(0.02)


def say(answer: Any) -> None:
    def plain(value: Any) -> Any:
        return float(value) if isinstance(value, Fraction) else str(value)

    print(json.dumps(answer, default=plain), flush=True)


JOBS: dict[str, Callable[..., Any]] = {f.__name__: f for f in (devices, controls, planned, command, camera)}

if __name__ == "__main__":
    job, *arguments = map(json.loads, sys.argv[1:])
    say(asyncio.run(JOBS[job](*arguments)))
