"""What `doctor` says of Home Assistant: who carries the entities, and whether it finds us in the network."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final

from livecam_nvr.announce.card import addresses_of
from livecam_nvr.config.models import Config, ListenConfig
from livecam_nvr.core.home_assistant import Carriage, Carrier
from livecam_nvr.core.ports import Check
from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.addresses import own_addresses
from livecam_nvr.storage.remembered.carriage import FILE_NAME, CarriageFile

_BACK: Final = "livecam-nvr home-assistant --carrier mqtt"


class CarrierCheck:
    """Who carries the entities, as it is remembered. Nothing about it is wrong, but it explains a lot."""

    name = "Home Assistant"

    def __init__(self, config: Config) -> None:
        self._path = config.data_dir / FILE_NAME
        self._broker = bool(config.mqtt.host)

    async def check(self) -> Sequence[Check]:
        """See core.ports.SelfCheck."""
        carriage = await asyncio.to_thread(CarriageFile(self._path).load)
        return [Check(self.name, ok=True, found=self._words(carriage))]

    def _words(self, carriage: Carriage) -> str:
        since = datetime.fromtimestamp(carriage.since_utc_ns // NS, UTC)
        when = f", since {since:%Y-%m-%d %H:%M} UTC ({carriage.by})" if carriage.since_utc_ns else ""
        if carriage.carrier is Carrier.INTEGRATION:
            return f"its integration has the entities, MQTT announces none{when}; back: {_BACK}"
        if carriage.carrier is Carrier.MOVING:
            return f"its integration is taking the entities over{when}"
        if not self._broker:
            return "gets no entities: no broker, no integration"
        return f"gets the entities over MQTT{when}"


class AnnouncementCheck:
    """Whether the network is told that the service is here."""

    name = "announcement"

    def __init__(self, listen: ListenConfig) -> None:
        self._listen = listen

    async def check(self) -> Sequence[Check]:
        """See core.ports.SelfCheck."""
        return [await asyncio.to_thread(self._look)]

    def _look(self) -> Check:
        listen = self._listen
        if ip_address(listen.address).is_loopback:
            return Check(self.name, ok=True, found="none: only this machine can reach the service")
        if not listen.announce:
            return Check(self.name, ok=True, found="none: listen.announce is off")
        addresses = addresses_of(listen.address, own_addresses())
        if not addresses:
            mend = "connect it to a network, or look at listen.address"
            return Check(self.name, ok=False, found="this machine has no address in a network", mend=mend)
        return Check(self.name, ok=True, found=f"in the network of {', '.join(addresses)}")
