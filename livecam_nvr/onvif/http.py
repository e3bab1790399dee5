"""HTTP with one camera: short patience, bounded answers, the password for its own host only."""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

from livecam_nvr.onvif.address import OnvifAddress
from livecam_nvr.onvif.errors import NotLetIn, not_onvif, too_slow, unreachable

_CHUNK_BYTES = 1 << 16
_NOT_LET_IN = (401, 403)


@dataclass(frozen=True, slots=True)
class Sent:
    """What came back."""

    status: int
    content_type: str
    body: bytes


class CameraHttp:
    """Made and closed on the event loop.

    HTTP digest (RFC 7616) is answered where the camera asks for it. Certificates are not looked at: cameras have
    none that anybody could check. Each request has its own connection, because cameras close idle ones at any
    moment, and a request to move must not be sent twice.
    """

    def __init__(self, address: OnvifAddress, timeout_s: float) -> None:
        self.place = address.place
        self._address = address
        self._timeout_s = timeout_s
        digest = (aiohttp.DigestAuthMiddleware(address.user, address.password),) if address.user else ()
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=False, force_close=True),
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            middlewares=digest,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def request(
        self,
        method: str,
        url: str,
        *,
        most_bytes: int,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        basic: bool = False,
    ) -> Sent:
        """One request; redirects are not followed. With `basic`, whoever asks for it gets the plain password.

        Raises:
            LivecamError: NotLetIn for 401 and 403; UNAVAILABLE if it cannot be reached; MEDIA if the answer is not
                HTTP or longer than `most_bytes`.
        """
        if self.session.closed:
            raise unreachable(self.place, "the connection has been closed")
        try:
            async with self.session.request(
                method, url, data=data, headers=headers, allow_redirects=False
            ) as answer:
                if answer.status not in _NOT_LET_IN:
                    return Sent(answer.status, answer.content_type, await self._read(answer, most_bytes))
                wants_basic = answer.headers.get("WWW-Authenticate", "").lower().startswith("basic")
        except TimeoutError as error:
            raise too_slow(self.place, self._timeout_s) from error
        except aiohttp.ClientConnectorError as error:
            raise unreachable(self.place, error.os_error.strerror or "there is no such host") from error
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            raise unreachable(self.place, "it closed the connection without an answer") from error
        except aiohttp.ClientError as error:
            raise not_onvif(self.place, "its answer is not HTTP") from error
        if basic and wants_basic and self._address.user:
            named = base64.b64encode(f"{self._address.user}:{self._address.password}".encode()).decode()
            again = {**(headers or {}), "Authorization": f"Basic {named}"}
            return await self.request(method, url, most_bytes=most_bytes, data=data, headers=again)
        raise NotLetIn(self.place, user=self._address.user)

    async def close(self) -> None:
        """Ends what is under way."""
        await self.session.close()
        # The connector closes its transports in the loop's next round.
        await asyncio.sleep(0)

    async def _read(self, answer: aiohttp.ClientResponse, most_bytes: int) -> bytes:
        body = bytearray()
        async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > most_bytes:
                raise not_onvif(self.place, f"its answer is longer than {most_bytes} bytes")
        return bytes(body)
