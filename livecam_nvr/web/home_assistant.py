"""What Home Assistant's integration asks first, and how it takes the entities over and gives them back."""

from dataclasses import asdict
from typing import Any

from aiohttp import web

from livecam_nvr.core.home_assistant import API, BrokerNames, Carrier, HomeAssistantDesk
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import BrokerStatus
from livecam_nvr.web.access_caller import caller_of, theirs
from livecam_nvr.web.deeds import remark
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.orders import ordered, sender
from livecam_nvr.web.status import plain

_WANTED = 'the body has to be {"carrier": "mqtt"}, {"carrier": "moving"} or {"carrier": "integration"}'


async def get_home_assistant(request: web.Request) -> web.Response:
    """`GET /api/home-assistant`."""
    return web.json_response(_shown(request, _desk(request)))


async def carry(request: web.Request) -> web.Response:
    """`POST /api/home-assistant` with `{"carrier": …}`; answers as the `GET`, when the broker has been told."""
    desk = _desk(request)
    wanted = (await ordered(request, ("carrier",), _WANTED)).get("carrier")
    if not (isinstance(wanted, str) and wanted in set(Carrier)):
        raise LivecamError(ErrorKind.INVALID, "the body names nobody who could carry the entities", _WANTED)
    carrier = Carrier(wanted)
    remark(request, str(carrier))
    await desk.carry(carrier, sender(request))
    return web.json_response(_shown(request, desk))


def _desk(request: web.Request) -> HomeAssistantDesk:
    desk = request.app[PORTS].home_assistant
    if desk is None:
        raise LivecamError(ErrorKind.UNAVAILABLE, "Home Assistant is not served here")
    return desk


def _shown(request: web.Request, desk: HomeAssistantDesk) -> dict[str, Any]:
    ports, principal = request.app[PORTS], caller_of(request).principal
    status = ports.status.status()
    cameras = theirs(request, [camera.id for camera in status.cameras])
    return {
        "api": API,
        "install_id": status.install_id,
        "node_id": status.node_id,
        "name": status.name,
        "version": status.version,
        **plain(asdict(desk.carriage())),
        "mqtt": _mqtt(desk.names(), status.broker, cameras),
        "webrtc": ports.has_webrtc,
        "role": principal.role,
        "cameras": cameras,
    }


def _mqtt(names: BrokerNames | None, broker: BrokerStatus, cameras: list[str]) -> dict[str, Any] | None:
    """What MQTT discovery calls the node and some of the cameras."""
    if names is None:
        return None
    shown = ("", *cameras)
    return {
        "connected": broker.connected,
        "base_topic": names.base_topic,
        "discovery_prefix": names.discovery_prefix,
        "devices": {key: names.devices[key] for key in shown if key in names.devices},
        "unique_ids": {key: dict(names.unique_ids[key]) for key in shown if key in names.unique_ids},
    }
