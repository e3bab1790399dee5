"""MediaMTX as a supervised child (core.ports.MediaServer)."""

import asyncio
import logging
import os
from dataclasses import replace
from pathlib import Path

from livecam_nvr.config.models import Config
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import AccessEnded
from livecam_nvr.core.ports import PublishTarget
from livecam_nvr.domain.status import StreamAddresses
from livecam_nvr.rtsp.binary import server_dir
from livecam_nvr.rtsp.control import ControlClient, PathState
from livecam_nvr.rtsp.doorkeeper import CONTROL, PUBLISHER, Doorkeeper
from livecam_nvr.rtsp.evictions import Evictions
from livecam_nvr.rtsp.ports import (
    authority,
    free_port,
    free_rtp_pair,
    local_host,
    mediamtx_ports,
    plain_address,
    require_free,
)
from livecam_nvr.rtsp.settings import Own, mediamtx_settings
from livecam_nvr.rtsp.supervised import WATCH_EVERY_S, SupervisedServer, rtsp_addresses
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.runtime.process import spawn

_log = logging.getLogger(__name__)

# MediaMTX takes overrides of any setting from variables with these beginnings: none of ours may be undone.
_FOREIGN = ("MTX_", "RTSP_")
# Below the server's own limit of 1452 bytes, or it would cut every packet anew.
_RTP_BYTES = "1400"


class MediaMtxServer(SupervisedServer):
    """RTSP, WebRTC and LL-HLS. Nobody can publish who has not the doorkeeper's random password."""

    name = "mediamtx"
    title = "MediaMTX"

    def __init__(
        self,
        config: Config,
        binary: Path,
        bus: EventBus,
        clock: Clock,
        doorkeeper: Doorkeeper,
        *,
        watch_every_s: float = WATCH_EVERY_S,
    ) -> None:
        super().__init__(config, bus, clock, watch_every_s)
        self._binary = binary
        self._doorkeeper = doorkeeper
        self._control: ControlClient | None = None
        self._evictions = Evictions(doorkeeper, lambda: self._control, encrypted=config.tls.enabled)
        self._unsubscribe = bus.subscribe(AccessEnded, self._evictions.add)

    async def stop(self) -> None:
        """See core.ports.MediaServer."""
        self._unsubscribe()
        await self._evictions.stop()
        await super().stop()

    def publish_target(self, camera_id: str) -> PublishTarget:
        """See core.ports.MediaServer."""
        where = authority(local_host(plain_address(self._config)), self._config.listen.rtsp_port)
        url = f"rtsp://{PUBLISHER}:{self._doorkeeper.publisher_password}@{where}/{camera_id}"
        return PublishTarget("rtsp", url, (("rtsp_transport", "tcp"), ("pkt_size", _RTP_BYTES)))

    def add(self, camera_id: str, *, h264: bool) -> None:
        """Nothing to do: all paths are there, and the doorkeeper knows the cameras."""

    def remove(self, camera_id: str) -> None:
        """Nothing to do: its readers end with its publisher."""

    def stream_started(self, camera_id: str, codec: str) -> None:
        """Nothing to do: the publisher's announcement tells the codec."""

    def addresses(self, camera_id: str) -> StreamAddresses:
        """See core.ports.MediaServer."""
        listen = self._config.listen
        http = "https" if self._config.tls.enabled else "http"
        return replace(
            rtsp_addresses(self._config, camera_id),
            webrtc=f"{http}://{{host}}:{listen.webrtc_port}/{camera_id}/whep",
            ll_hls=f"{http}://{{host}}:{listen.hls_port}/{camera_id}/index.m3u8",
        )

    async def paths(self) -> list[PathState]:
        """Which cameras are published and how many read them; empty while the server is not there.

        Raises:
            LivecamError: UNAVAILABLE if it does not answer.
        """
        return await self._control.paths() if self._control else []

    async def _attempt(self) -> None:
        listen, plain = self._config.listen, plain_address(self._config)
        require_free(mediamtx_ports(self._config))
        rtp_port = free_rtp_pair(plain, listen.rtsp_port, {listen.webrtc_udp_port})
        spoken_for = {listen.webrtc_udp_port, rtp_port, rtp_port + 1}
        own = Own(
            api_port=free_port("127.0.0.1"),
            rtp_port=rtp_port,
            srtp_port=free_rtp_pair(listen.address, listen.rtsps_port, spoken_for),
            doorkeeper=self._doorkeeper.address,
        )
        folder = server_dir(self._config.data_dir)
        path = folder / "mediamtx.yml"
        await asyncio.to_thread(_write_private, path, mediamtx_settings(self._config, own))
        async with ControlClient(own.api_port, CONTROL, self._doorkeeper.control_password) as control:
            self._control = control
            try:
                child = await spawn(
                    [str(self._binary), str(path)],
                    name=self.title,
                    on_line=lambda line: _log.debug("MediaMTX: %s", line),
                    env={k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)},
                    cwd=str(folder),
                )
                await self._attend(child, self._ask)
            finally:
                self._control = None

    async def _ask(self) -> None:
        if self._control is not None:
            self._version = await self._control.version()


def _write_private(path: Path, text: str) -> None:
    """Writes a file that only we can read, whatever the umask and whatever was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    new.replace(path)
