"""The parts that decide who comes in, and how they are joined."""

import logging
from contextlib import AsyncExitStack

from livecam_nvr.access.audit import FileAuditLog
from livecam_nvr.access.service import AccessService
from livecam_nvr.access.witness import DeletionWitness
from livecam_nvr.config.models import Config
from livecam_nvr.core.bus import EventBus
from livecam_nvr.rtsp.doorkeeper import Doorkeeper
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)


class Access:
    """Users, audit log, and the doorkeeper of the media servers; made but not started by the constructor."""

    def __init__(self, config: Config, bus: EventBus, clock: Clock, *, demo: bool) -> None:
        folder = config.data_dir / "access"
        self._bus = bus
        self.audit = FileAuditLog(folder / "audit.sqlite", clock)
        self.users = AccessService(
            folder, clock, bus, self.audit, camera_ids=[camera.id for camera in config.cameras], demo=demo
        )
        self.doorkeeper = Doorkeeper(self.users, self.audit, config)

    async def start(self, stack: AsyncExitStack) -> None:
        """Whatever has to be ended is pushed onto `stack`; the doorkeeper has a port, but does not answer yet."""
        await self.audit.start()
        stack.push_async_callback(self.audit.stop)
        stack.callback(DeletionWitness(self._bus, self.audit).close)
        stack.push_async_callback(self.users.stop)
        await self.users.start()
        stack.push_async_callback(self.doorkeeper.stop)
        self.doorkeeper.listen()
