"""The cameras that run: makes, replaces and takes out their hubs, recorders and pipelines, one by one."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack

from livecam_nvr.app.recordings import Recordings, end_task
from livecam_nvr.config.models import Camera, Config, EncodedCamera, RtspCamera
from livecam_nvr.config.recording import RecordingConfig
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import CameraStateChanged
from livecam_nvr.core.ports import MediaServer
from livecam_nvr.core.recorder import Recorder
from livecam_nvr.domain.errors import unknown_camera
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.quality import Quality
from livecam_nvr.domain.status import Fault
from livecam_nvr.media.encoding import Encoder
from livecam_nvr.media.feeds import feed_for
from livecam_nvr.media.fonts import Fonts
from livecam_nvr.media.hub import CameraStreams, MemoryHub
from livecam_nvr.media.pictures import StreamPictures
from livecam_nvr.media.pipeline import CameraPipeline
from livecam_nvr.rtsp.doorkeeper import Doorkeeper
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.storage.remembered.qualities import QualityFile
from livecam_nvr.storage.remembered.stopped import StoppedFile

_log = logging.getLogger(__name__)

# Enough for HLS players and for a snapshot at any time; a longer pre-roll lengthens it.
_MEMORY_S = 6.0
_LIVE_FIELDS = frozenset(
    {
        *("name", "enabled", "record", "record_mode", "schedule", "retention"),
        *("url_file", "sub_url", "sub_url_file", "onvif_url", "onvif_url_file"),
    }
)
"""Of a camera: what can be changed without opening it anew."""


class Fleet:
    """Iterating over it gives the cameras, in the config's order, without their smaller streams.

    What changes one camera touches no other. Changes are not to overlap.

    Args:
        config: What to begin with.
        recordings: Told of each camera that comes or goes.
        doorkeeper: The same.
        bus: The service's.
        clock: The service's.

    Attributes:
        streams: All hubs.
        pictures: Decoded from them.
        recorders: By camera id.
        pipelines: By the id of their stream.
    """

    def __init__(
        self, config: Config, recordings: Recordings, doorkeeper: Doorkeeper, bus: EventBus, clock: Clock
    ) -> None:
        self.streams = CameraStreams()
        self.pictures = StreamPictures(self.streams)
        self.recorders: dict[str, Recorder] = {}
        self.pipelines: dict[str, CameraPipeline] = {}
        self._recording = config.recording
        self._recordings = recordings
        self._doorkeeper = doorkeeper
        self._bus = bus
        self._clock = clock
        self._cameras = {camera.id: camera for camera in config.cameras if camera.enabled}
        self._qualities = QualityFile(config.data_dir / "qualities.json", _qualities(config))
        self._stopped = StoppedFile(config.data_dir / "stopped.json", self._cameras)
        self._off: dict[str, Fault] = {}
        self._fonts = Fonts()
        self._server: MediaServer
        self._encoder: Encoder

    def __iter__(self) -> Iterator[CameraPipeline]:
        return iter([self.pipelines[camera_id] for camera_id in self._cameras if camera_id in self.pipelines])

    @property
    def connects(self) -> bool:
        """Whether cameras that are started look for the media server at once. After `open`."""
        streams = (stream for camera in self._cameras.values() for stream in streams_of(camera))
        return any(self._server.publish_target(stream.id).connects for stream in streams)

    def camera(self, camera_id: str) -> Camera:
        """As it runs. Raises LivecamError NOT_FOUND."""
        try:
            return self._cameras[camera_id]
        except KeyError:
            raise unknown_camera(camera_id, self._cameras) from None

    async def load(self, stack: AsyncExitStack) -> None:
        """Reads what is remembered, and makes hubs and recorders."""
        if any(camera.kind == "test" or camera.overlay for camera in self._cameras.values()):
            # What a camera would ask before it is opened takes as long as opening it.
            asking = asyncio.create_task(self._fonts.work(), name="trial of drawtext")
            stack.push_async_callback(end_task, asking)
        await asyncio.to_thread(self._qualities.load)
        stack.push_async_callback(self._qualities.stop)
        stopped = await asyncio.to_thread(self._stopped.load)
        stack.push_async_callback(self._stopped.stop)
        self._stopped.configure(self._cameras)
        self._off = {camera_id: self._off_fault(by) for camera_id, by in stopped.items()}
        for camera in self._cameras.values():
            for stream in streams_of(camera):
                self._hub(stream)
            self._recorder(camera)
        for camera_id, by in stopped.items():
            self._recordings.triggers.suspended[camera_id] = by

    def open(self, server: MediaServer, encoder: Encoder) -> None:
        """Makes the pipelines; `start` starts them."""
        self._server, self._encoder = server, encoder
        for camera in self._cameras.values():
            for stream in streams_of(camera):
                self._pipeline(stream)

    def start(self) -> None:
        """Starts all cameras but those that are off."""
        for camera in self._cameras.values():
            self._start(camera)

    async def stop(self) -> None:
        """The service stops: the last fragments of all cameras are in the hubs when it returns."""
        await asyncio.gather(*(pipeline.stop() for pipeline in self.pipelines.values()))

    def close(self) -> None:
        """Ends all viewers."""
        for camera_id in self.streams.ids():
            self.streams.hub(camera_id).close()

    def is_on(self, camera_id: str) -> bool:
        """False if somebody has switched it off. Raises LivecamError NOT_FOUND."""
        return self.camera(camera_id).id not in self._off

    async def switch(self, camera_id: str, on: bool, by: str) -> None:
        """Stops a camera or starts it again, and remembers that. Raises LivecamError NOT_FOUND."""
        camera, switches = self.camera(camera_id), self._recordings.triggers.switches
        if self.is_on(camera_id) is on:
            return
        _log.info("%s: switched %s by %s", camera_id, "on" if on else "off", by)
        self._stopped.save(camera_id, None if on else by)
        if on:
            del self._off[camera_id]
            for stream in streams_of(camera):
                self._pipeline(stream)
            switches.suspend(camera_id, None)
            self._start(camera)
            self._bus.publish(CameraStateChanged(camera_id, self.pipelines[camera_id].state))
        else:
            # The recorder first: why the file ends is that somebody wanted it.
            switches.suspend(camera_id, by)
            self._off[camera_id] = self._off_fault(by)
            await self.halt(camera_id)
            self._start(camera)

    async def add(self, camera: Camera) -> list[str]:
        """A camera more; returns the ids of the streams that have been opened."""
        self._cameras[camera.id] = camera
        for stream in streams_of(camera):
            self._hub(stream)
            self._admit(stream)
        await self._recordings.admit(camera, self.streams.hub(camera.id), self._recorder(camera))
        for stream in streams_of(camera):
            self._pipeline(stream)
        return self._start(camera)

    async def replace(self, camera: Camera) -> list[str]:
        """The camera with other settings; returns the ids of the streams that had to be opened (anew) for that."""
        before = self.camera(camera.id)
        self._cameras[camera.id] = camera
        wanted = {stream.id: stream for stream in streams_of(camera)}
        had = {stream.id: stream for stream in streams_of(before)}
        for stream_id in had.keys() - wanted.keys():
            await self._drop_stream(stream_id)
        opened = []
        for stream_id, stream in wanted.items():
            running = self.pipelines.get(stream_id)
            if stream_id in had and not must_reopen(had[stream_id], stream) and running and not running.halted:
                running.camera = stream
                continue
            if running is not None:
                await running.stop(EndCause.RECONFIGURED)
            else:
                self._hub(stream)
                self._admit(stream)
            self._pipeline(stream)
            opened.append(stream_id)
        return self._start(camera, opened)

    async def halt(self, camera_id: str) -> None:
        """Ends a camera's streams, but keeps everything else of it: `replace` opens them again."""
        for stream in streams_of(self.camera(camera_id)):
            await self.pipelines[stream.id].stop(EndCause.RECONFIGURED)

    async def remove(self, camera_id: str) -> None:
        """A camera less; all of it ends."""
        await self.halt(camera_id)
        camera = self._cameras.pop(camera_id)
        self._off.pop(camera_id, None)
        self.recorders[camera_id].stop()
        self._recordings.dismiss(camera_id)
        del self.recorders[camera_id]
        for stream in streams_of(camera):
            await self._drop_stream(stream.id)

    def settle(self, config: Config) -> None:
        """The rest of what `config` says about cameras, once all of them run: order, lengths, what to remember."""
        order = [camera.id for camera in config.cameras if camera.id in self._cameras]
        self._cameras = {camera_id: self._cameras[camera_id] for camera_id in order}
        self.streams.arrange([stream.id for stream in config.streams])
        self._recording = config.recording
        for camera_id, recorder in self.recorders.items():
            recorder.configure(
                segment_s=config.recording.segment_seconds, pre_roll_s=config.recording.pre_roll_seconds
            )
            self.streams.hub(camera_id).keep(_memory_s(config.recording))
        self._qualities.configure(_qualities(config))
        self._stopped.configure(self._cameras)

    def _hub(self, stream: Camera) -> None:
        self.streams.add(MemoryHub(stream.id, _memory_s(self._recording)))

    def _admit(self, stream: Camera) -> None:
        self._doorkeeper.add(stream.id)
        self._server.add(stream.id, h264=isinstance(stream, EncodedCamera))

    def _recorder(self, camera: Camera) -> Recorder:
        hub = self.streams.hub(camera.id)
        recorder = Recorder(
            hub,
            self._recordings.archive,
            self._bus,
            self._clock,
            segment_s=self._recording.segment_seconds,
            pre_roll_s=self._recording.pre_roll_seconds,
            wanted=False,  # until the triggers ask for it
        )
        hub.attach(recorder)
        self.recorders[camera.id] = recorder
        return recorder

    def _pipeline(self, stream: Camera) -> None:
        quality = None
        if isinstance(stream, EncodedCamera):
            quality = self._qualities.chosen(stream.id, Quality(stream.height, stream.fps))
        self.pipelines[stream.id] = CameraPipeline(
            stream,
            feed_for(stream, self._fonts),
            self.streams.hub(stream.id),
            target=self._server.publish_target(stream.id),
            bus=self._bus,
            clock=self._clock,
            encoder=self._encoder,
            memory=self._qualities,
            quality=quality,
            before=self.pipelines.get(stream.id),
        )

    def _start(self, camera: Camera, only: list[str] | None = None) -> list[str]:
        """Starts its streams, or those named; returns the ids of those that run now."""
        ids = [stream.id for stream in streams_of(camera)] if only is None else only
        fault = self._off.get(camera.id)
        for stream_id in ids:
            if fault is None:
                self.pipelines[stream_id].start()
            else:
                self.pipelines[stream_id].say_off(fault)
        return ids if fault is None else []

    async def _drop_stream(self, stream_id: str) -> None:
        pipeline = self.pipelines.pop(stream_id)
        await pipeline.stop(EndCause.RECONFIGURED)
        self._doorkeeper.remove(stream_id)
        self._server.remove(stream_id)
        self.streams.remove(stream_id)
        await self.pictures.forget(stream_id)

    def _off_fault(self, by: str) -> Fault:
        return Fault(f"switched off by {by}", "switch it on when it is wanted again", self._clock.utc_ns())


def must_reopen(before: Camera, after: Camera) -> bool:
    """Whether a stream has to be opened anew for its other settings."""
    live = _LIVE_FIELDS
    if before.drawn or after.drawn or before.kind == "test":
        live = live - {"name"}  # it is in the picture
    if type(before) is not type(after):
        return True
    return any(
        getattr(before, field) != getattr(after, field) for field in type(before).model_fields if field not in live
    )


def streams_of(camera: Camera) -> list[Camera]:
    """The camera, and its smaller stream if it has one."""
    if isinstance(camera, RtspCamera) and camera.sub_url is not None:
        return [camera, camera.smaller(camera.sub_url)]
    return [camera]


def _memory_s(recording: RecordingConfig) -> float:
    longest_s = max(recording.pre_roll_seconds, recording.event_pre_roll_seconds)
    return max(_MEMORY_S, longest_s + 2)


def _qualities(config: Config) -> dict[str, Quality]:
    cameras = (camera for camera in config.cameras if camera.enabled)
    return {
        camera.id: Quality(camera.height, camera.fps) for camera in cameras if isinstance(camera, EncodedCamera)
    }
