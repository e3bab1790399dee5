"""SOAP with one camera: its services, its clock, and who may ask. Heavy imports: see `link.py`.

onvif-zeep-async has the standard's WSDL files, the tokens of WS-Security and a sense for cameras' odd times; zeep
reads and writes the messages. The library's own connection is replaced, because it follows a camera anywhere,
waits 90 s and reads answers without an end.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import onvif  # type: ignore[import-untyped]
import zeep.exceptions
from onvif.util import is_auth_error  # type: ignore[import-untyped]
from onvif.zeep_aiohttp import AIOHTTPTransport  # type: ignore[import-untyped]
from requests import Response
from zeep.wsdl.utils import etree_to_string

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.onvif.address import OnvifAddress, at_own_host
from livecam_nvr.onvif.errors import Nonsense, NotLetIn, Refused, not_onvif
from livecam_nvr.onvif.http import CameraHttp
from livecam_nvr.onvif.reading import at, read_utc, several
from livecam_nvr.onvif.text import tidy

_WSDL = Path(onvif.__file__).parent / "wsdl"
_MOST_BYTES = 2_000_000
# What zeep raises for answers that are not as the WSDL says; it has no common root for these.
_NONSENSE = (zeep.exceptions.Error, ValueError, LookupError, AttributeError, TypeError)
# Cameras tell whole seconds, and an answer takes its time: less is no other clock.
_SAME_CLOCK_S = 2.5


class _Transport(AIOHTTPTransport):  # type: ignore[misc]
    """The library's transport over a connection of ours."""

    def __init__(self, http: CameraHttp) -> None:
        super().__init__(session=http.session)
        self._http = http

    async def post_xml(self, address: str, envelope: Any, headers: Mapping[str, str]) -> Response:
        """See zeep's Transport; what cannot be an answer to SOAP is an error in words."""
        sent = await self._http.request(
            "POST", address, data=_written(envelope), headers=headers, most_bytes=_MOST_BYTES
        )
        # zeep would read an HTML page for as long as it can and call the result a fault.
        if b"Envelope" not in sent.body:
            raise not_onvif(self._http.place, f"it answers HTTP {sent.status}" + _kind(sent.content_type))
        response = Response()
        response.status_code = sent.status
        response.headers["Content-Type"] = sent.content_type or "application/soap+xml"
        response._content = sent.body  # noqa: SLF001 - as the library does; there is no other way to give it
        return response


def _written(envelope: Any) -> bytes:
    return bytes(etree_to_string(envelope))  # type: ignore[no-untyped-call] # zeep is typed in parts


def _kind(content_type: str) -> str:
    return f" and {tidy(content_type, 40)}" if content_type else ""


class Soap:
    """The services of one camera, connected when they are first called. Made on the event loop."""

    def __init__(self, address: OnvifAddress, http: CameraHttp) -> None:
        self._address = address
        self._http = http
        self._services: dict[str, Any] = {}
        self._xaddrs: dict[str, str] | None = None
        self._connecting = asyncio.Lock()
        self.clock_offset: timedelta | None = None
        """The camera's clock minus ours; None as long as it has not told it."""

    async def offers(self, service: str) -> bool:
        """Whether the camera has this service (`media`, `ptz` ...); raises like `call`."""
        await self._connected()
        return self._xaddrs is not None and service in self._xaddrs

    async def call(self, service: str, operation: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """Calls an operation of a service of the WSDL files; its answer as zeep gives it.

        Raises:
            LivecamError: NotLetIn; Refused; Nonsense; UNAVAILABLE if it cannot be reached; MEDIA if it is no ONVIF
                camera or does not have the service.
        """
        await self._connected()
        try:
            return await self._call(service, operation, parameters)
        except NotLetIn:
            # A camera that was restarted may have another idea of the time, and so may this machine.
            if not await self._clock_differs():
                raise
        return await self._call(service, operation, parameters)

    async def _connected(self) -> None:
        async with self._connecting:
            if self._xaddrs is not None:
                return
            await self._clock_differs()
            try:
                xaddrs = await self._from_services()
            except (Refused, Nonsense):
                xaddrs = {}
            if "media" not in xaddrs:
                # Older than GetServices, which came with ONVIF 2.1.
                xaddrs = await self._from_capabilities() | xaddrs
            self._xaddrs = xaddrs

    async def _from_services(self) -> dict[str, str]:
        told = await self._call("devicemgmt", "GetServices", {"IncludeCapability": False})
        names = {value["ns"]: name for name, value in reversed(onvif.SERVICES.items())}
        pairs = [(names.get(at(service, "Namespace")), at(service, "XAddr")) for service in several(told)]
        return self._own(pairs)

    async def _from_capabilities(self) -> dict[str, str]:
        told = await self._call("devicemgmt", "GetCapabilities", {"Category": "All"})
        return self._own([(name.lower(), at(told, name, "XAddr")) for name in ("Media", "PTZ")])

    def _own(self, pairs: list[tuple[str | None, Any]]) -> dict[str, str]:
        found = {name: at_own_host(told, self._address) for name, told in pairs if name and told}
        return {name: url for name, url in found.items() if url is not None}

    async def _clock_differs(self) -> bool:
        """Asks for the camera's clock, for which no password is needed; whether it is another than was known.

        WS-Security's digests carry the time of the camera, which refuses those of another time (WSS Username Token
        Profile 1.0, section 3.1; ONVIF Core Specification, "Access policy").
        """
        before = datetime.now(UTC)
        try:
            told = read_utc(await self._call("devicemgmt", "GetSystemDateAndTime", None, by_nobody=True))
        except (NotLetIn, Refused, Nonsense):
            return False
        if told is None:
            return False
        middle = before + (datetime.now(UTC) - before) / 2
        # The camera left out the fraction: half a second is its middle.
        offset = told + timedelta(seconds=0.5) - middle
        known = self.clock_offset or timedelta()
        self.clock_offset = offset
        for service in self._services.values():
            service.zeep_client.wsse.dt_diff = offset
        return abs(offset - known).total_seconds() > _SAME_CLOCK_S

    async def _call(
        self, service: str, operation: str, parameters: Mapping[str, Any] | None, *, by_nobody: bool = False
    ) -> Any:
        proxy = await self._service(service)
        open_to_all = by_nobody or not self._address.user
        method = getattr(proxy, f"authless_{operation}" if open_to_all else operation)
        try:
            return await method(parameters)
        except LivecamError:
            raise
        except zeep.exceptions.Fault as fault:
            raise self._told(operation, fault) from fault
        except (*_NONSENSE, onvif.ONVIFError) as error:
            raise Nonsense(self._http.place, operation) from error

    def _told(self, operation: str, fault: zeep.exceptions.Fault) -> LivecamError:
        if is_auth_error(fault):
            return NotLetIn(self._http.place, user=self._address.user)
        return Refused(self._http.place, operation, tidy(fault.message))

    async def _service(self, name: str) -> Any:
        if name in self._services:
            return self._services[name]
        known = {**(self._xaddrs or {}), "devicemgmt": self._address.url}
        if name not in known:
            raise not_onvif(self._http.place, f"it has no {name} service")
        values = onvif.SERVICES[name]
        made = onvif.ONVIFService(
            known[name],
            self._address.user,
            self._address.password,
            str(_WSDL / values["wsdl"]),
            no_cache=True,
            dt_diff=self.clock_offset,
            binding_name=f"{{{values['ns']}}}{values['binding']}",
        )
        # Its own session is never used.
        await made.close()
        made.transport = _Transport(self._http)
        await made.setup()
        return self._services.setdefault(name, made)
