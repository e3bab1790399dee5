"""A household: a broker, the service with its cameras, and a real Home Assistant that has the broker."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from support.broker import Broker
from support.home_assistant import INTEGRATION, HomeAssistant
from support.service import Service

from livecam_nvr.access.store import AccessStore
from livecam_nvr.domain.access import Role


@asynccontextmanager
async def home(folder: Path, cameras: Sequence[dict[str, Any]]) -> AsyncIterator[tuple[Service, HomeAssistant]]:
    """All of it runs, and somebody has signed in to the service; over MQTT Home Assistant hears of the cameras.

    Raises:
        Impossible: there can be no Home Assistant on this machine.
    """
    ha, broker = HomeAssistant(folder), Broker(folder)
    service = Service(folder, cameras=list(cameras), mqtt={"host": "127.0.0.1", "port": broker.port})
    try:
        await ha.start()
        await broker.start()
        await start(service)
        await ha.add_broker(broker.port)
        yield service, ha
    finally:
        await ha.stop()
        await service.stop()
        broker.kill()


async def start(service: Service) -> None:
    """Starts a service that has a first user; before that, the integration asks for one."""

    def let_somebody_in() -> None:
        with AccessStore(service.access) as store:
            store.add_user("anna", "correct horse battery", Role.ADMIN, None)

    await asyncio.to_thread(let_somebody_in)
    await service.start()


async def add_integration(service: Service, ha: HomeAssistant) -> None:
    """Sets the integration up as a person does, with a token."""
    step = await ha.set_up(
        INTEGRATION,
        {"host": "127.0.0.1", "port": service.ports["http_port"], "ssl": False, "verify_ssl": True},
        {"next_step_id": "token"},
        {"token": service.token},
    )
    assert step["type"] == "create_entry", step
