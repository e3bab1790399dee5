"""The connection to one camera: made when it is first needed, and careful with wrong passwords."""

import asyncio
import importlib
import logging
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from livecam_nvr.onvif.address import OnvifAddress
from livecam_nvr.onvif.errors import NotLetIn, unreachable
from livecam_nvr.onvif.http import CameraHttp, Sent
from livecam_nvr.runtime.clock import Clock

if TYPE_CHECKING:
    from livecam_nvr.onvif.soap import Soap

# Cameras lock everybody out after a handful of wrong passwords, and a page asks again and again.
_NOT_AGAIN_S = 30.0
_SOAP = "livecam_nvr.onvif.soap"
_LOADING = threading.Lock()
_NOISY = ("onvif", "zeep")


class Link:
    """Cheap to make; the first call loads the SOAP library (36 MB with its WSDL, half a second in a thread)."""

    def __init__(self, address: OnvifAddress, timeout_s: float, clock: Clock) -> None:
        self.address = address
        self._timeout_s = timeout_s
        self._clock = clock
        self._http: CameraHttp | None = None
        self._soap: Soap | None = None
        self._loading = asyncio.Lock()
        self._refusal: NotLetIn | None = None
        self._refused_s = 0.0
        self._closed = False

    @property
    def place(self) -> str:
        """Names the camera in messages."""
        return self.address.place

    @property
    def clock_offset_s(self) -> float | None:
        """The camera's clock minus ours; None as long as that is unknown."""
        offset = self._soap.clock_offset if self._soap is not None else None
        return None if offset is None else offset.total_seconds()

    async def call(self, service: str, operation: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """See Soap.call; a wrong password is not tried again for 30 s."""
        self._let_in()
        soap, _ = await self._opened()
        try:
            return await soap.call(service, operation, parameters)
        except NotLetIn as refusal:
            raise self._remembered(refusal) from None

    async def offers(self, service: str) -> bool:
        """Whether the camera has this service; raises like `call`."""
        self._let_in()
        soap, _ = await self._opened()
        try:
            return await soap.offers(service)
        except NotLetIn as refusal:
            raise self._remembered(refusal) from None

    async def get(self, url: str, most_bytes: int) -> Sent:
        """GETs what the camera has at an address of its own host; raises like CameraHttp.request."""
        _, http = await self._opened()
        return await http.request("GET", url, most_bytes=most_bytes, basic=True)

    async def close(self) -> None:
        """Ends it for good; what is under way or comes later fails."""
        self._closed = True
        if self._http is not None:
            await self._http.close()

    async def _opened(self) -> "tuple[Soap, CameraHttp]":
        async with self._loading:
            # Reading it all takes too long for the event loop.
            soap = await asyncio.to_thread(_load) if self._soap is None else None
            if self._closed:
                raise unreachable(self.place, "the connection has been closed")
            if soap is not None:
                self._http = CameraHttp(self.address, self._timeout_s)
                self._soap = soap(self.address, self._http)
            if self._soap is None or self._http is None:
                raise RuntimeError("neither loaded nor closed")
            return self._soap, self._http

    def _let_in(self) -> None:
        if self._refusal is not None:
            if self._clock.monotonic() - self._refused_s < _NOT_AGAIN_S:
                raise NotLetIn(self.place, user=self.address.user)
            self._refusal = None

    def _remembered(self, refusal: NotLetIn) -> NotLetIn:
        self._refusal, self._refused_s = refusal, self._clock.monotonic()
        return refusal


def _load() -> "type[Soap]":
    # Several cameras may be asked first at the same moment, each from a thread of its own.
    with _LOADING:
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        first = _SOAP not in sys.modules
        module = importlib.import_module(_SOAP)
        if first:
            # The library sets up the logs of whoever imports it, and tells every message with all that is in it.
            root.handlers[:] = handlers
            root.setLevel(level)
            for name in _NOISY:
                logging.getLogger(name).setLevel(logging.WARNING)
    soap: type[Soap] = module.Soap
    return soap
