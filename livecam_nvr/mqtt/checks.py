"""What `doctor` says of the broker (core.ports.SelfCheck)."""

import secrets
from collections.abc import Sequence

from paho.mqtt.reasoncodes import ReasonCode

from livecam_nvr.config.models import NodeConfig
from livecam_nvr.config.mqtt import MqttConfig
from livecam_nvr.core.ports import Check
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.mqtt.broker.connection import connected
from livecam_nvr.mqtt.topics import Topics

_NAME = "MQTT broker"


class BrokerCheck:
    """Connects as the service would, under another name so that a running one is not disturbed."""

    def __init__(self, config: MqttConfig, node: NodeConfig) -> None:
        self._config = config
        self._topics = Topics(config.base_topic, config.discovery_prefix, node.id)

    async def check(self) -> Sequence[Check]:
        """See core.ports.SelfCheck."""
        if not self._config.host:
            return [Check(_NAME, ok=True, found="none is configured; Home Assistant is not told of the cameras")]
        where = f"{self._config.host}:{self._config.port}"
        name = f"{self._topics.client_id}-doctor-{secrets.token_hex(4)}"
        refused = []
        try:
            async with connected(self._config, name) as client:
                for topic in (self._topics.commands, self._topics.birth, self._topics.all_discovery):
                    granted = await client.subscribe(topic)
                    if any(isinstance(code, ReasonCode) and code.is_failure for code in granted):
                        refused.append(topic)
        except LivecamError as error:
            return [Check(_NAME, ok=False, found=error.message, mend=error.hint)]
        if refused:
            return [
                Check(
                    _NAME,
                    ok=False,
                    found=f"{where} takes us but does not let us read {', '.join(refused)}",
                    mend="allow it in the broker's access rules for this user",
                )
            ]
        return [Check(_NAME, ok=True, found=f"{where} takes us")]
