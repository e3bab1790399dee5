"""What doctor says of Home Assistant."""

from pathlib import Path

import pytest

from livecam_nvr.app.home_assistant_checks import AnnouncementCheck, CarrierCheck
from livecam_nvr.config.models import Config, ListenConfig
from livecam_nvr.config.mqtt import MqttConfig
from livecam_nvr.core.home_assistant import Carriage, Carrier
from livecam_nvr.core.ports import Check
from livecam_nvr.storage.remembered.carriage import FILE_NAME, CarriageFile

AT_NS = 1_763_726_400 * 10**9


@pytest.mark.parametrize(
    ("carriage", "host", "told"),
    [
        (None, "broker", "gets the entities over MQTT"),
        (None, "", "gets no entities: no broker, no integration"),
        (
            Carriage(Carrier.MQTT, AT_NS, "anna"),
            "broker",
            "gets the entities over MQTT, since 2025-11-21 12:00 UTC (anna)",
        ),
        (
            Carriage(Carrier.INTEGRATION, AT_NS, "ha"),
            "broker",
            (
                "its integration has the entities, MQTT announces none, since 2025-11-21 12:00 UTC (ha); back: "
                "livecam-nvr home-assistant --carrier mqtt"
            ),
        ),
        (
            Carriage(Carrier.MOVING, AT_NS, "anna"),
            "",
            "its integration is taking the entities over, since 2025-11-21 12:00 UTC (anna)",
        ),
    ],
)
async def test_who_carries_the_entities(tmp_path: Path, carriage: Carriage | None, host: str, told: str) -> None:
    if carriage is not None:
        CarriageFile(tmp_path / FILE_NAME).save(carriage)
    check = CarrierCheck(Config(data_dir=tmp_path, mqtt=MqttConfig(host=host)))
    assert await check.check() == [Check("Home Assistant", ok=True, found=told)]
    assert [found.name for found in tmp_path.iterdir()] == ([FILE_NAME] if carriage else [])


@pytest.mark.parametrize(
    ("listen", "told"),
    [
        (ListenConfig(), "none: only this machine can reach the service"),
        (ListenConfig(address="::1"), "none: only this machine can reach the service"),
        (ListenConfig(address="0.0.0.0", announce=False), "none: listen.announce is off"),
        (ListenConfig(address="192.0.2.7"), "in the network of 192.0.2.7"),
    ],
)
async def test_where_the_service_is_announced(listen: ListenConfig, told: str) -> None:
    assert await AnnouncementCheck(listen).check() == [Check("announcement", ok=True, found=told)]
