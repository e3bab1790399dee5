"""Requests to the service: with our token, bounded in time, and with its refusals as exceptions."""

import ssl as ssl_module
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from .errors import (
    ApiError,
    CannotConnect,
    CertificateRefused,
    Conflict,
    Forbidden,
    InvalidAnswer,
    InvalidAuth,
    NotFound,
    Refused,
    Throttled,
    Unavailable,
)

_WHOLE_S = 20.0
"""For a small answer. A change of the quality and an order to the broker may take some seconds."""
_CONNECT_S = 8.0
_SILENCE_S = 30.0
"""For a stream: between two pieces of it."""
_NOT_OURS = "is that the address of a livecam-nvr?"


class Transport:
    """One service, and how we are let in."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, token: str, ssl: bool | ssl_module.SSLContext = True
    ) -> None:
        """`url` is the page's address; with `ssl=False` its certificate is not checked. `token` may be empty."""
        self._session = session
        self.url = URL(url.rstrip("/") + "/")
        self.token = token
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._ssl = ssl

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        auth: str | None = None,
    ) -> Any:
        """The JSON of an answer; None if it is empty. `auth` is an Authorization in place of our token.

        Raises:
            ApiError: As the tree in errors.py says.
        """
        headers = {"Authorization": auth} if auth else self._headers
        timeout = aiohttp.ClientTimeout(total=_WHOLE_S, sock_connect=_CONNECT_S)
        try:
            async with self._session.request(
                method,
                self.address(path, params),
                json=body,
                headers=headers,
                ssl=self._ssl,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                await _demand_ok(response)
                if response.status == HTTPStatus.NO_CONTENT:
                    return None
                return await _json(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(error) from error

    @asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        data: str | bytes | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer whose body is still to be read, for streams: whatever its status is, the caller looks at it.

        What goes wrong while the body is read comes as aiohttp tells it.

        Raises:
            CannotConnect: Nobody answers.
        """
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=_SILENCE_S)
        try:
            response = await self._session.request(
                method,
                self.address(path, params),
                data=data,
                # Byte ranges are of what is stored, so nobody may compress it on the way.
                headers={"Accept-Encoding": "identity", **(headers or {}), **self._headers},
                ssl=self._ssl,
                timeout=timeout,
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(error) from error
        try:
            yield response
        finally:
            response.close()

    async def read(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        data: str | None = None,
    ) -> tuple[bytes, Mapping[str, str]]:
        """A whole body that is no JSON, and the headers of the answer.

        Raises:
            ApiError: As the tree in errors.py says.
        """
        async with self.request(method, path, headers=headers, params=params, data=data) as response:
            await _demand_ok(response)
            try:
                return await response.read(), response.headers
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise unreachable(error) from error

    async def websocket(self, path: str) -> aiohttp.ClientWebSocketResponse:
        """A WebSocket.

        Raises:
            ApiError: As the tree in errors.py says.
        """
        try:
            return await self._session.ws_connect(
                self.address(path),
                headers=self._headers,
                ssl=self._ssl,
                timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
                max_msg_size=16 << 20,
            )
        except aiohttp.WSServerHandshakeError as error:
            raise refusal(error.status, "", error.message, "", None) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(error) from error

    def address(self, path: str, params: Mapping[str, str] | None = None) -> URL:
        """A path of the service as a whole address. The path is taken as it is, so it has to be quoted."""
        url = URL(str(self.url).rstrip("/") + path, encoded=True)
        return url.update_query(params) if params else url


def basic_auth(user: str, password: str) -> str:
    """An Authorization of a user (RFC 7617)."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def camera_path(camera_id: str, rest: str) -> str:
    """`/api/cameras/cam0/rest`."""
    return f"/api/cameras/{quote(camera_id, safe='')}/{rest}"


async def _demand_ok(response: aiohttp.ClientResponse) -> None:
    if HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES:
        return
    kind, message, hint = "", "", ""
    try:
        told = (await response.json(content_type=None))["error"]
        kind, message, hint = str(told["kind"]), str(told["message"]), str(told["hint"])
    except aiohttp.ClientError, ValueError, TypeError, KeyError:
        pass  # whoever it is, it has no words for us
    raise refusal(response.status, kind, message, hint, response.headers.get("Retry-After"))


async def _json(response: aiohttp.ClientResponse) -> Any:
    try:
        return await response.json()
    except (aiohttp.ContentTypeError, ValueError) as error:
        raise InvalidAnswer("the answer is no JSON", _NOT_OURS) from error


_BY_STATUS: Mapping[int, type[ApiError]] = {
    HTTPStatus.UNAUTHORIZED: InvalidAuth,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.BAD_GATEWAY: Unavailable,
    HTTPStatus.SERVICE_UNAVAILABLE: Unavailable,
    HTTPStatus.GATEWAY_TIMEOUT: Unavailable,
    HTTPStatus.INSUFFICIENT_STORAGE: Unavailable,
}


def refusal(status: int, kind: str, message: str, hint: str, retry_after: str | None) -> ApiError:
    """An answer with a status that is no success, as an exception."""
    words = message or f"the answer was HTTP {status}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Throttled(words, hint, float(retry_after) if retry_after and retry_after.isdigit() else None)
    if (wanted := _BY_STATUS.get(status)) is not None:
        if not kind and wanted in (NotFound, Unavailable):
            # A proxy's, or another program's: ours always says of which kind it is.
            return InvalidAnswer(words, _NOT_OURS) if wanted is NotFound else Unavailable(words, hint)
        return wanted(words, hint)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return InvalidAnswer("the service wants to be asked at another address", "is it https only?")
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Refused(words, hint)
    return ApiError(words, hint)


def unreachable(error: BaseException) -> CannotConnect:
    """Why there is no answer, in words."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return CertificateRefused("the encrypted connection failed", str(error))
    if isinstance(error, TimeoutError):
        return CannotConnect("the service does not answer in time")
    return CannotConnect("the service cannot be reached", str(error))
