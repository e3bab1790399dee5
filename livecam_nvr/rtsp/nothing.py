"""Stands in where no media server can be had (core.ports.MediaServer): does nothing and says why."""

import logging

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import MediaServerChanged
from livecam_nvr.core.ports import PublishTarget
from livecam_nvr.domain.status import Fault, MediaServerStatus, ServerState, StreamAddresses
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)


class NoServer:
    """No RTSP, WebRTC or LL-HLS; everything else of the service is as usual."""

    def __init__(self, name: str, bus: EventBus, clock: Clock, reason: str, hint: str) -> None:
        self._bus = bus
        self._status = MediaServerStatus(name, ServerState.FATAL, fault=Fault(reason, hint, clock.utc_ns()))

    async def start(self, ready_within_s: float) -> bool:  # noqa: ARG002 - the port's signature
        """Never ready; says so, once."""
        if self._status.fault is not None:
            _log.error("no live RTSP: %s; %s", self._status.fault.message, self._status.fault.hint)
        self._bus.publish(MediaServerChanged(self._status))
        return False

    async def stop(self) -> None:
        """Nothing runs."""

    def publish_target(self, camera_id: str) -> PublishTarget:  # noqa: ARG002 - the port's signature
        """The null muxer of ffmpeg, which throws everything away."""
        return PublishTarget("null", "-")

    def add(self, camera_id: str, *, h264: bool) -> None:
        """Nobody to tell."""

    def remove(self, camera_id: str) -> None:
        """Nobody to tell."""

    def stream_started(self, camera_id: str, codec: str) -> None:
        """Nobody to tell."""

    def addresses(self, camera_id: str) -> StreamAddresses:  # noqa: ARG002 - the port's signature
        """None: the RTSP address is empty."""
        return StreamAddresses(rtsp="")

    def status(self) -> MediaServerStatus:
        """See core.ports.MediaServer."""
        return self._status
