"""The service: makes all parts, starts them in order, stops them in the other order."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from livecam_nvr import __version__
from livecam_nvr.app.access import Access
from livecam_nvr.app.application import Application
from livecam_nvr.app.changes import Changes
from livecam_nvr.app.fleet import Fleet
from livecam_nvr.app.home_assistant import HomeAssistant, Others, page_url
from livecam_nvr.app.recordings import Recordings, end_task
from livecam_nvr.app.settings import FileSettings
from livecam_nvr.config.models import Config
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import StreamStarted
from livecam_nvr.core.health import Identity, Sources, StatusBoard
from livecam_nvr.core.ports import MediaServer
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media.control import CameraControls
from livecam_nvr.media.hardware import choose
from livecam_nvr.rtsp.choose import choose_media_server
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.runtime.installed import InstalledVersion
from livecam_nvr.runtime.logs import LogRing
from livecam_nvr.runtime.usage import UsageMeter
from livecam_nvr.storage.refusal import in_words

if TYPE_CHECKING:
    from livecam_nvr.app.front import Front
    from livecam_nvr.web.past_ports import PastPorts

_log = logging.getLogger(__name__)

_SERVER_HEAD_START_S = 1.0
# The service ends within 3 s, whatever the disk does; the next start finishes what it did not take in time.
_DISK_PATIENCE_S = 2.0


class Service:
    """Everything, made but not started by the constructor. `stop` is idempotent and works after half a start."""

    board: StatusBoard

    def __init__(self, config: Config, *, demo: bool = False, file: Path | None = None) -> None:
        """Args as `run`."""
        self._config = config
        self._clock = SystemClock()
        self._bus = EventBus()
        self._access = Access(config, self._bus, self._clock, demo=demo)
        self._recordings = Recordings(config, bus=self._bus, clock=self._clock, within=self._within_patience)
        self._fleet = Fleet(config, self._recordings, self._access.doorkeeper, self._bus, self._clock)
        self._application = Application(config, self._fleet, self._recordings)
        self._settings = FileSettings(file, self._application) if file is not None else None
        self._home = HomeAssistant(config, self._bus, self._clock, demo=demo)
        self._installed = InstalledVersion(__version__)
        self._started = False
        self._usage = UsageMeter()
        self._log = LogRing()
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
        await self._begin(stack)
        await self._fleet.load(stack)
        await self._recordings.start(stack, self._fleet.recorders, self._fleet.streams)
        server = await choose_media_server(config, self._bus, self._clock, self._access.doorkeeper)
        stack.push_async_callback(server.stop)
        serving = asyncio.create_task(server.start(_SERVER_HEAD_START_S), name="media server's start")
        stack.push_async_callback(end_task, serving)
        encoder = await choose(config.encoding.encoder)
        self._bus.subscribe(StreamStarted, lambda event: server.stream_started(event.camera_id, event.codec))
        self._fleet.open(server, encoder)
        if self._fleet.connects:
            # A camera whose ffmpeg finds the media server at once need not wait a second for its next attempt.
            await self._access.doorkeeper.start()
            await serving
        stack.push_async_callback(self._home.disconnect)
        self._fleet.start()
        stack.push_async_callback(self._stop_recording)
        stack.callback(self._recordings.triggers.events.stop)
        control = CameraControls(self._fleet.pipelines)
        self.board = self._board(server)
        self._home.meet(self._others(control))
        await self._home.connect(config)
        await asyncio.to_thread(_import_front)
        await self._access.doorkeeper.start()
        past = await self._recordings.keep(stack, encoder)
        await serving
        front = self._front(server, control, past)
        stack.push_async_callback(front.stop)
        await front.start()

        async def changed(done: Changes) -> None:
            self._access.users.know([camera.id for camera in done.config.cameras])
            await front.change(done.config)
            self.board.rename(done.config.node.name)
            await self._home.change(done)

        self._application.on_change = changed
        # From here on backwards: viewers end, then Home Assistant is told, then the cameras stop.
        stack.push_async_callback(self._home.disconnect)
        stack.push_async_callback(self._fleet.pictures.stop)
        stack.push_async_callback(front.stop)
        stack.callback(self._fleet.close)
        stack.push_async_callback(self._application.stop)
        self._home.announce()
        self._started = True

    async def _begin(self, stack: AsyncExitStack) -> None:
        """What has to be there before everything else."""
        config = self._config
        stack.enter_context(self._log.collecting())
        try:
            await asyncio.to_thread(config.data_dir.mkdir, parents=True, exist_ok=True)
        except OSError as error:
            message = f"the data folder cannot be made: {in_words(error, str(config.data_dir))}"
            hint = "set data_dir in config.yaml to a folder that this user may write to"
            raise LivecamError(ErrorKind.DISK, message, hint) from error
        await self._access.start(stack)
        await self._home.load(stack)
        self._installed.start()
        stack.push_async_callback(self._installed.stop)
        self._usage.start()
        stack.push_async_callback(self._usage.stop)

    async def reload(self) -> None:
        """Takes over the config's file, which somebody has edited. Whatever is wrong with it is logged."""
        if self._settings is None or not self._started:
            return
        try:
            effects = await self._settings.reload()
        except LivecamError as error:
            _log.error("the config is not taken over: %s", f"{error.message}; {error.hint}".removesuffix("; "))
            return
        for effect in effects:
            _log.info(
                "config: %s", " ".join(word for word in (effect.what, effect.id, effect.how, *effect.keys) if word)
            )
        _log.info("the config was read anew: %s", "nothing is different" if not effects else "it is in force")

    async def stop(self) -> None:
        """Stops in the order that loses nothing: viewers, cameras, files, broker, media server, index."""
        self._give_up_s = asyncio.get_running_loop().time() + _DISK_PATIENCE_S
        await self._stack.aclose()

    def _board(self, server: MediaServer) -> StatusBoard:
        config = self._config
        sources = Sources(
            self._fleet,
            self._recordings.triggers.switches,
            server,
            broker=self._home.status,
            disk=lambda: self._recordings.guard.status,
            retention=self._recordings.janitor.status,
            clock=lambda: self._recordings.time.status,
            process=self._usage.status,
            happenings=self._recordings.triggers.events,
            break_in=lambda: self._home.break_ins.newest,
            installed_version=lambda: self._installed.version,
        )
        node = config.node
        identity = Identity(node.name, __version__, page_url(config), node.id, self._home.install_id)
        return StatusBoard(identity, sources, self._clock)

    def _others(self, control: CameraControls) -> Others:
        """Whom Home Assistant is told about, and who does what it wants."""
        triggers = self._recordings.triggers
        return Others(
            source=self.board,
            control=triggers.switches,
            pictures=self._fleet.pictures,
            cameras=control,
            events=triggers.events,
            clips=triggers.clips,
            past=self._recordings.past,
            audit=self._access.audit,
            power=self._application,
        )

    async def _stop_recording(self) -> None:
        for recorder in self._fleet.recorders.values():
            recorder.stop()
        await asyncio.gather(
            self._within_patience(self._recordings.archive.flush, "the recordings"), self._fleet.stop()
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

    def _front(self, server: MediaServer, control: CameraControls, past: "PastPorts") -> "Front":
        from livecam_nvr.app.front import Behind, Front  # noqa: PLC0415 - imported by now

        behind = Behind(
            access=self._access,
            fleet=self._fleet,
            recordings=self._recordings,
            application=self._application,
            settings=self._settings,
            server=server,
            control=control,
            board=self.board,
            carrier=self._home.carrier,
            bus=self._bus,
            log=self._log,
        )
        return Front(self._config, behind, past)


def _import_front() -> None:
    """Blocks for a third of a second or more, on a small machine."""
    import livecam_nvr.app.front  # noqa: F401, PLC0415
