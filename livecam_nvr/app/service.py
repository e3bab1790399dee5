"""The service: makes all parts, starts them in order, stops them in the other order."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from ipaddress import ip_address

from livecam_nvr import __version__
from livecam_nvr.app.access import Access
from livecam_nvr.app.recordings import Recordings
from livecam_nvr.config.models import Config, EncodedCamera, RtspCamera
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.control import RecordingSwitches
from livecam_nvr.core.events import StreamStarted
from livecam_nvr.core.health import Sources, StatusBoard
from livecam_nvr.core.no_broker import NoBroker
from livecam_nvr.core.ports import Broker, MediaServer
from livecam_nvr.core.recorder import Recorder
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.quality import Quality
from livecam_nvr.media.control import CameraControls
from livecam_nvr.media.encoding import Encoder
from livecam_nvr.media.feeds import feed_for
from livecam_nvr.media.hardware import choose
from livecam_nvr.media.hub import CameraStreams, MemoryHub
from livecam_nvr.media.pictures import StreamPictures
from livecam_nvr.media.pipeline import CameraPipeline
from livecam_nvr.onvif.service import OnvifCameras
from livecam_nvr.rtsp.choose import choose_media_server
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.refusal import in_words
from livecam_nvr.storage.remembered.qualities import QualityFile
from livecam_nvr.web.server import PastPorts, WebPorts, WebServer

_log = logging.getLogger(__name__)

# Enough for HLS players and for a snapshot at any time; a longer pre-roll lengthens it.
_MEMORY_S = 6.0
_SERVER_HEAD_START_S = 1.0
# The service ends within 3 s, whatever the disk does; the next start finishes what it did not take in time.
_DISK_PATIENCE_S = 2.0


class Service:
    """Everything, made but not started by the constructor. `stop` is idempotent and works after half a start."""

    board: StatusBoard

    def __init__(self, config: Config, *, demo: bool = False) -> None:
        self._config = config
        self._clock = SystemClock()
        self._bus = EventBus()
        self._access = Access(config, self._bus, self._clock, demo=demo)
        self._cameras = [camera for camera in config.cameras if camera.enabled]
        self._streamed = config.streams
        recording = config.recording
        longest_s = max(recording.pre_roll_seconds, recording.event_pre_roll_seconds)
        memory_s = max(_MEMORY_S, longest_s + 2)
        self._hubs = {camera.id: MemoryHub(camera.id, memory_s) for camera in self._streamed}
        self._streams = CameraStreams(tuple(self._hubs.values()))
        self._pictures = StreamPictures(self._streams)
        self._recordings = Recordings(
            config, self._cameras, self._hubs, bus=self._bus, clock=self._clock, within=self._within_patience
        )
        self._qualities = QualityFile(
            config.data_dir / "qualities.json",
            {c.id: Quality(c.height, c.fps) for c in self._cameras if isinstance(c, EncodedCamera)},
        )
        self._stack = AsyncExitStack()
        self._give_up_s = 0.0
        self._given_up: set[str] = set()

    @property
    def setup_code(self) -> str | None:
        """What the console has to show while there is no user; None when it is not needed."""
        return self._access.users.setup_code

    async def start(self) -> None:
        """Starts everything; what only helps (index, broker, media server) may fail and heal later.

        Raises:
            LivecamError: If it cannot run at all; what was started is then stopped by `stop`.
        """
        config, stack = self._config, self._stack
        try:
            await asyncio.to_thread(config.data_dir.mkdir, parents=True, exist_ok=True)
        except OSError as error:
            message = f"the data folder cannot be made: {in_words(error, str(config.data_dir))}"
            hint = "set data_dir in config.yaml to a folder that this user may write to"
            raise LivecamError(ErrorKind.DISK, message, hint) from error
        await self._access.start(stack)
        qualities = await asyncio.to_thread(self._qualities.load)
        stack.push_async_callback(self._qualities.stop)
        recorders = self._recorders()
        await self._recordings.start(stack, recorders)
        switches = self._recordings.triggers.switches
        server = await choose_media_server(config, self._bus, self._clock, self._access.doorkeeper)
        stack.push_async_callback(server.stop)
        serving = asyncio.create_task(server.start(_SERVER_HEAD_START_S), name="media server's start")
        encoder = await choose(config.encoding.encoder)
        pipelines = self._pipelines(server, encoder, qualities)
        control = CameraControls(pipelines)
        self.board, mqtt = self._tellers(pipelines, switches, control, server)
        await mqtt.start()
        stack.push_async_callback(mqtt.stop)
        # A camera whose ffmpeg finds the media server at once need not wait a second for its next attempt.
        await serving
        for pipeline in pipelines:
            pipeline.start()
        stack.push_async_callback(self._stop_recording, recorders, pipelines)
        stack.callback(self._recordings.triggers.events.stop)
        past = await self._recordings.keep(stack, encoder)
        onvif = self._onvif()
        stack.push_async_callback(onvif.stop)
        web = self._web(switches, control, onvif, past)
        await web.start()
        # From here on backwards: viewers end, then Home Assistant is told, then the cameras stop.
        stack.push_async_callback(mqtt.stop)
        stack.push_async_callback(self._pictures.stop)
        stack.push_async_callback(web.stop)
        stack.callback(self._close_hubs)

    async def stop(self) -> None:
        """Stops in the order that loses nothing: viewers, cameras, files, broker, media server, index."""
        self._give_up_s = asyncio.get_running_loop().time() + _DISK_PATIENCE_S
        await self._stack.aclose()

    def _recorders(self) -> dict[str, Recorder]:
        recording = self._config.recording
        recorders = {}
        for camera in self._cameras:
            hub = self._hubs[camera.id]
            recorder = Recorder(
                hub,
                self._recordings.archive,
                self._bus,
                self._clock,
                segment_s=recording.segment_seconds,
                pre_roll_s=recording.pre_roll_seconds,
                wanted=False,  # until the triggers ask for it
            )
            hub.attach(recorder)
            recorders[camera.id] = recorder
        return recorders

    def _pipelines(
        self, server: MediaServer, encoder: Encoder, qualities: Mapping[str, Quality]
    ) -> list[CameraPipeline]:
        self._bus.subscribe(StreamStarted, lambda event: server.stream_started(event.camera_id, event.codec))
        return [
            CameraPipeline(
                camera,
                feed_for(camera),
                self._hubs[camera.id],
                target=server.publish_target(camera.id),
                bus=self._bus,
                clock=self._clock,
                encoder=encoder,
                memory=self._qualities,
                quality=qualities.get(camera.id),
            )
            for camera in self._streamed
        ]

    def _tellers(
        self,
        pipelines: Sequence[CameraPipeline],
        switches: RecordingSwitches,
        control: CameraControls,
        server: MediaServer,
    ) -> tuple[StatusBoard, Broker]:
        """The status board and the broker's side, which ask each other: the board tells of the broker, too."""
        config = self._config
        page_url = _page_url(config)
        shown = {camera.id for camera in self._cameras}
        cameras = [pipeline for pipeline in pipelines if pipeline.camera.id in shown]
        sources = Sources(
            cameras,
            switches,
            server,
            broker=lambda: mqtt.status(),  # noqa: PLW0108 - made below
            disk=lambda: self._recordings.guard.status,
            retention=self._recordings.janitor.status,
            clock=lambda: self._recordings.time.status,
        )
        board = StatusBoard(config.node.name, __version__, page_url, sources, self._clock)
        mqtt = self._broker(board, switches, control, page_url)
        return board, mqtt

    def _broker(
        self, board: StatusBoard, switches: RecordingSwitches, control: CameraControls, page_url: str
    ) -> Broker:
        config = self._config
        if not config.mqtt.host:
            return NoBroker()
        # Its libraries are 2.5 MB of memory that nobody has to pay who has no broker.
        from livecam_nvr.mqtt.discovery import CameraCard  # noqa: PLC0415
        from livecam_nvr.mqtt.service import Collaborators, MqttService  # noqa: PLC0415

        return MqttService(
            config.mqtt,
            config.node,
            [
                CameraCard(camera.id, camera.title, camera.kind, scheduled=bool(camera.schedule))
                for camera in self._cameras
            ],
            Collaborators(
                board,
                switches,
                self._pictures,
                self._bus,
                self._clock,
                control,
                self._recordings.triggers.events,
                self._recordings.triggers.clips,
                self._recordings.past,
                self._access.audit,
            ),
            version=__version__,
            page_url=page_url,
        )

    async def _stop_recording(self, recorders: dict[str, Recorder], pipelines: list[CameraPipeline]) -> None:
        for recorder in recorders.values():
            recorder.stop()
        await asyncio.gather(
            self._within_patience(self._recordings.archive.flush, "the recordings"),
            *(pipeline.stop() for pipeline in pipelines),
        )

    async def _within_patience(self, end: Callable[[], Awaitable[None]], what: str) -> None:
        """Awaits a part's end that waits for the disk, but not for ever."""
        try:
            async with asyncio.timeout_at(self._give_up_s):
                await end()
        except TimeoutError:
            if what in self._given_up:
                return
            self._given_up.add(what)
            _log.warning("the disk is too slow to finish %s now; the next start does it", what)

    def _onvif(self) -> OnvifCameras:
        cameras = (camera for camera in self._cameras if isinstance(camera, RtspCamera))
        return OnvifCameras({camera.id: camera.onvif_url for camera in cameras if camera.onvif_url})

    def _web(
        self, switches: RecordingSwitches, control: CameraControls, onvif: OnvifCameras, past: PastPorts
    ) -> WebServer:
        config = self._config
        ports = WebPorts(
            streams=self._streams,
            pictures=self._pictures,
            recording=switches,
            status=self.board,
            index=self._recordings.index,
            bus=self._bus,
            control=control,
            onvif=onvif,
            recordings=config.recording.path,
        )
        return WebServer(config.listen, ports, past, access=self._access.for_web(), tls=config.tls)

    def _close_hubs(self) -> None:
        for hub in self._hubs.values():
            hub.close()


def _page_url(config: Config) -> str:
    """The page's address as others reach it: this machine's name where we listen everywhere."""
    address = ip_address(config.listen.address)
    host = socket.gethostname() if address.is_unspecified else str(address)
    scheme = "https" if config.tls.enabled else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{config.listen.http_port}/"
