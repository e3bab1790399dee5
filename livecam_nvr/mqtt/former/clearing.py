"""Clears what we have left at the broker under a name that we do not have any more."""

import logging
import secrets
from collections.abc import Sequence

from livecam_nvr.config.mqtt import MqttConfig
from livecam_nvr.mqtt.broker.connection import connected, payload_of
from livecam_nvr.mqtt.broker.fence import Kept
from livecam_nvr.mqtt.broker.mark import Mark
from livecam_nvr.mqtt.discovery.announcements import MIGRATE, is_ours
from livecam_nvr.mqtt.discovery.entities import ONLINE
from livecam_nvr.mqtt.topics import Topics

_log = logging.getLogger(__name__)

_QUIET_S = 0.3


async def clear(
    config: MqttConfig, old: Topics, new: Topics | None, install_id: str, heir: Mark | None = None
) -> None:
    """Removes what the broker keeps of ours under the names `old`, unless somebody else has that name by now.

    A mark of our installation that is still online is that of the run before, whose connection the broker has not
    given up yet: its last will would leave something behind, so it is waited for. Home Assistant forgets first
    (announcements), and the mark goes last, so that whatever interrupts this, the next time it goes on.

    Args:
        config: The broker.
        old: The names that are no more.
        new: Those that we have now at this broker; None: we have left it.
        install_id: Ours.
        heir: The run that goes on under the same names, though at another address; if its mark is found here, that
            address is of the same broker, and nothing is to go.

    Raises:
        LivecamError: If the broker cannot be reached or goes away.
    """
    client_id = (new or old).client_id
    async with connected(config, f"{client_id}-clears-{secrets.token_hex(4)}") as client:
        kept = Kept(client)
        moved = new is None or old.everything != new.everything
        if moved and not await _is_ours(kept, old, install_id, heir):
            return
        filters = [old.all_discovery, *([old.everything] if moved else [])]
        found = {
            str(message.topic): payload_of(message)
            for message in await kept.of(filters, until_quiet_s=_QUIET_S)
            if message.retain
        }
        leaves = _leaves(found, old, new, moved=moved)
        for topic in leaves:
            await client.publish(topic, b"", qos=1, retain=True)
        if leaves:
            _log.info("removed from the broker what was announced there as %s", old.everything.removesuffix("/#"))


async def _is_ours(kept: Kept, old: Topics, install_id: str, heir: Mark | None) -> bool:
    """Returns when nobody is online there any more."""
    ours = online = False
    for message in await kept.of((old.instance, old.service)):
        payload = payload_of(message)
        if str(message.topic) == old.instance:
            mark = Mark.parse(payload)
            ours = bool(install_id) and mark.install_id == install_id and mark != heir
        else:
            online = payload == ONLINE.encode()
    while ours and online:
        word = await kept.next(None)
        if word is not None and str(word.topic) == old.service:
            online = payload_of(word) == ONLINE.encode()
    return ours


def _leaves(found: dict[str, bytes], old: Topics, new: Topics | None, *, moved: bool) -> Sequence[str]:
    """What has to go, in this order."""
    renamed = new is None or old.discovery() != new.discovery()
    announced = [
        topic
        for topic, payload in found.items()
        if renamed
        and (topic == old.discovery() or old.announced_camera(topic))
        and (is_ours(payload) or payload == MIGRATE)
    ]
    states = [
        topic
        for topic in found
        if moved and old.owns(topic) and not ((new is not None and new.owns(topic)) or topic == old.instance)
    ]
    return [*announced, *states, *([old.instance] if old.instance in found and moved else [])]
