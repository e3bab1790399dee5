"""The parts that decide who comes in, and how they are joined."""

import asyncio
import logging
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from livecam_nvr.access import certificate
from livecam_nvr.access.audit import FileAuditLog
from livecam_nvr.access.service import AccessService
from livecam_nvr.access.witness import DeletionWitness
from livecam_nvr.config.models import Config
from livecam_nvr.core.bus import EventBus
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.segment import NS
from livecam_nvr.rtsp.doorkeeper import Doorkeeper
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.web.keys import WebAccess

_log = logging.getLogger(__name__)


class Access:
    """Users, audit log, and the doorkeeper of the media servers; made but not started by the constructor."""

    def __init__(self, config: Config, bus: EventBus, clock: Clock, *, demo: bool) -> None:
        folder = config.data_dir / "access"
        self._config = config
        self._bus = bus
        self._clock = clock
        self.audit = FileAuditLog(folder / "audit.sqlite", clock)
        self.users = AccessService(
            folder, clock, bus, self.audit, camera_ids=[camera.id for camera in config.cameras], demo=demo
        )
        self.doorkeeper = Doorkeeper(self.users, self.audit, config)

    async def start(self, stack: AsyncExitStack) -> None:
        """Whatever has to be ended is pushed onto `stack`."""
        await self.audit.start()
        stack.push_async_callback(self.audit.stop)
        stack.callback(DeletionWitness(self._bus, self.audit).close)
        stack.push_async_callback(self.users.stop)
        await self.users.start()
        stack.push_async_callback(self.doorkeeper.stop)
        await self.doorkeeper.start()
        await self._look_at_certificate()

    def for_web(self) -> WebAccess:
        """What the web server asks."""
        return WebAccess(self.users, self.users, self.audit)

    async def _look_at_certificate(self) -> None:
        path = self._config.tls.certificate
        if path is None:
            return
        try:
            found = await asyncio.to_thread(certificate.read, path)
        except LivecamError:
            return  # the web server says so, and does not start
        now = datetime.fromtimestamp(self._clock.utc_ns() / NS, UTC)
        if now < found.begin or found.ends_soon(now):
            _log.warning("the certificate %s is %s", path, certificate.valid_words(found, now))
