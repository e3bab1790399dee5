"""What the service pushes, and what it is asked for because it does not; and what an entry has while it runs."""

import asyncio
import logging
import random
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from .client import ApiError, Camera, CannotConnect, Coverage, InvalidAuth, LivecamClient, NotFound, ServiceInfo, Status
from .const import COVERAGE_EVERY_S, DOMAIN

_LOGGER = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 60.0

type LivecamConfigEntry = ConfigEntry[LivecamRuntime]


@dataclass(slots=True)
class LivecamRuntime:
    """What an entry has while it runs."""

    client: LivecamClient
    coordinator: LivecamCoordinator
    info: ServiceInfo
    """As it was at the start of the entry."""
    coverage: CoverageCoordinator


class LivecamCoordinator(DataUpdateCoordinator[Status]):
    """The newest status, as the service pushes it. Nothing is polled."""

    config_entry: LivecamConfigEntry

    def __init__(self, hass: HomeAssistant, entry: LivecamConfigEntry, client: LivecamClient) -> None:
        """`listen` has to run besides."""
        super().__init__(hass, _LOGGER, config_entry=entry, name=entry.title, update_interval=None, always_update=False)
        self.client = client

    @override
    async def _async_update_data(self) -> Status:
        try:
            return await self.client.status()
        except InvalidAuth as error:
            raise ConfigEntryAuthFailed(translation_domain=DOMAIN, translation_key="invalid_auth") from error
        except ApiError as error:
            raise _not_told(error) from error

    def camera(self, camera_id: str) -> Camera | None:
        """A camera as it is; None if there is no such camera (any more)."""
        return self.data.camera(camera_id)

    async def confirm(self) -> None:
        """Asks how it is after an order, so that its effect shows at once and not with the next push."""
        try:
            self.async_set_updated_data(await self.client.status())
        except ApiError as error:
            _LOGGER.debug("After an order %s could not be asked how it is: %s", self.name, error.words)

    async def listen(self) -> None:
        """Takes what is pushed, and connects again for as long as it is not cancelled."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async for status in self.client.events():
                    pause_s = _FIRST_PAUSE_S
                    self._heard(status)
                self.async_set_update_error(CannotConnect("the service was stopped"))
            except InvalidAuth as error:
                self.async_set_update_error(error)
                self.config_entry.async_start_reauth(self.hass)
                return  # whoever mends it has the entry loaded anew
            except ApiError as error:
                self.async_set_update_error(error)
            # Spread, so that many who lost the same service do not come back to it in step.
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))  # noqa: S311
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    @callback
    def _heard(self, status: Status) -> None:
        if not self.last_update_success:
            _LOGGER.info("%s is back", self.name)
        self.async_set_updated_data(status)


class CoverageCoordinator(DataUpdateCoordinator[Mapping[str, Coverage]]):
    """How much of the last hour and day was recorded, by camera. Asked for only while somebody wants to know."""

    config_entry: LivecamConfigEntry

    def __init__(self, hass: HomeAssistant, status: LivecamCoordinator) -> None:
        """`status` says which cameras there are."""
        super().__init__(
            hass,
            _LOGGER,
            config_entry=status.config_entry,
            name=f"{status.name} coverage",
            update_interval=timedelta(seconds=COVERAGE_EVERY_S),
            always_update=False,
        )
        self._status = status
        self.data = {}

    @override
    async def _async_update_data(self) -> Mapping[str, Coverage]:
        if not self._status.last_update_success:
            return self.data  # the other coordinator tells of it, once
        client, ids = self._status.client, [camera.id for camera in self._status.data.cameras]
        now = dt_util.utcnow()
        found: dict[str, Coverage] = {}
        try:
            for one in ids:
                with suppress(NotFound):  # it has been removed just now
                    # The sums of the last hour and day come with any range; a short one spares the list of gaps.
                    found[one] = await client.coverage(one, now - timedelta(minutes=1), now)
        except ApiError as error:
            raise _not_told(error) from error
        return found


def _not_told(error: ApiError) -> UpdateFailed:
    return UpdateFailed(
        translation_domain=DOMAIN, translation_key="cannot_connect", translation_placeholders={"words": error.words}
    )
