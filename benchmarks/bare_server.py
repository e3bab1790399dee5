"""A media server by itself, open to everybody: what the service is compared with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from livecam_nvr.access.audit import FileAuditLog
from livecam_nvr.access.service import AccessService
from livecam_nvr.config.models import Config
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.ports import MediaServer
from livecam_nvr.rtsp.choose import choose_media_server
from livecam_nvr.rtsp.doorkeeper import Doorkeeper
from livecam_nvr.runtime.clock import SystemClock

_READY_S = 5.0


@asynccontextmanager
async def bare_server(config: Config) -> AsyncIterator[MediaServer]:
    """The one that the config asks for, running."""
    clock, bus, folder = SystemClock(), EventBus(), config.data_dir / "access"
    audit = FileAuditLog(folder / "audit.sqlite", clock)
    gate = AccessService(folder, clock, bus, audit, camera_ids=[c.id for c in config.cameras], demo=True)
    doorkeeper = Doorkeeper(gate, audit, config)
    await doorkeeper.start()
    server = await choose_media_server(config, bus, clock, doorkeeper)
    await server.start(_READY_S)
    try:
        yield server
    finally:
        await server.stop()
        await doorkeeper.stop()
