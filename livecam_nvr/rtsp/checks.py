"""What `doctor` says of the media servers (core.ports.SelfCheck)."""

import asyncio
from collections.abc import Sequence

from livecam_nvr.config.models import Config
from livecam_nvr.core.ports import Check
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.rtsp.binary import PINNED, find
from livecam_nvr.rtsp.choose import OUTSIDE, Outside
from livecam_nvr.rtsp.gstreamer import INSTALL_HINT, really_works
from livecam_nvr.rtsp.ports import Wanted, busy, mediamtx_ports, rtsp_ports


class MediaServerChecks:
    """Looks for both servers and at their ports; a server that this config can do without may be missing."""

    def __init__(self, config: Config, outside: Outside = OUTSIDE) -> None:
        self._config = config
        self._outside = outside

    async def check(self) -> Sequence[Check]:
        """See core.ports.SelfCheck. A running service holds its ports itself: they count as in use then."""
        kind = self._config.media_server.kind
        (mediamtx, mtx_found, mtx_mend), (gst, gst_found) = await asyncio.gather(
            self._mediamtx(), really_works(self._outside.python)
        )
        wanted = mediamtx_ports if mediamtx and kind != "gstreamer" else rtsp_ports
        ports = wanted(self._config)
        taken = await asyncio.to_thread(busy, ports)
        return [
            _server("MediaMTX", mediamtx, mtx_found, mtx_mend, needed=kind == "mediamtx" or not gst, kind=kind),
            _server(
                "GStreamer", gst, gst_found, INSTALL_HINT, needed=kind == "gstreamer" or not mediamtx, kind=kind
            ),
            *(self._port(want, want in taken) for want in ports),
        ]

    async def _mediamtx(self) -> tuple[bool, str, str]:
        try:
            found = await find(self._config.media_server, self._config.data_dir, remember=False)
        except LivecamError as error:
            return False, error.message, error.hint
        if found is None:
            mend = f"run `livecam-nvr media-server install`, or put a MediaMTX {PINNED} on PATH"
            return False, "not found", mend
        return True, f"{found.version} at {found.path}", ""

    def _port(self, want: Wanted, taken: bool) -> Check:
        return Check(
            f"port {want.port} ({want.what})",
            not taken,
            f"in use on {want.address}, or that is not this machine's" if taken else "free",
            f"unless the running service has it: stop the other program or change listen.{want.key}"
            if taken
            else "",
        )


def _server(name: str, works: bool, found: str, mend: str, *, needed: bool, kind: str) -> Check:
    other = kind not in {"auto", name.lower()}
    if works or other or not needed:
        return Check(name, ok=True, found=found if works else f"{found} (not needed)")
    return Check(name, ok=False, found=found, mend=mend)
