"""MediaMTX's control API: does it answer, who publishes and reads, and the end of a reader."""

import contextlib
from base64 import b64encode
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

import aiohttp

from livecam_nvr.domain.errors import ErrorKind, LivecamError

_TIMEOUT_S = 5.0
# As many as the config may have cameras, so that one page is all.
_PER_PAGE = 100
_SESSION_PAGE = 1000
_KINDS = ("rtsp", "rtsps", "webrtc", "hls")


@dataclass(frozen=True, slots=True)
class PathState:
    """One camera's path in the server."""

    name: str
    ready: bool
    """Somebody publishes to it."""
    readers: int


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who reads."""

    kind: str
    """Which of the server's lists it is in."""
    id: str
    """As the doorkeeper was told."""


class ControlClient:
    """A client for one running server; `async with` it."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self._session = aiohttp.ClientSession(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"},
            timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def version(self) -> str:
        """The server's version, e.g. `v1.20.1`; also how we know that it answers.

        Raises:
            LivecamError: UNAVAILABLE if it does not answer, or not as it should.
        """
        return str((await self._get("/v3/info")).get("version", ""))

    async def paths(self) -> list[PathState]:
        """All paths in use. Raises like `version`."""
        found = await self._get(f"/v3/paths/list?itemsPerPage={_PER_PAGE}")
        return [
            PathState(item["name"], bool(item.get("available")), len(item.get("readers") or ()))
            for item in found.get("items") or ()
        ]

    async def readers(self, encrypted: bool) -> list[Session]:
        """All sessions that read a camera; those of RTSPS only if it is there. Raises like `version`."""
        found = []
        for kind in _KINDS:
            if kind == "rtsps" and not encrypted:
                continue
            page = pages = 0
            while page <= pages:
                answer = await self._get(f"/v3/{kind}sessions/list?itemsPerPage={_SESSION_PAGE}&page={page}")
                items = answer.get("items") or ()
                # HLS has readers only, and tells no state.
                found += [Session(kind, item["id"]) for item in items if item.get("state", "read") == "read"]
                page, pages = page + 1, int(answer.get("pageCount", 0)) - 1
        return found

    async def kick(self, session: Session) -> None:
        """Ends a session; one that has ended by itself is as good. Raises like `version`."""
        with contextlib.suppress(_GoneError):
            await self._ask("POST", f"/v3/{session.kind}sessions/kick/{session.id}")

    async def _get(self, path: str) -> dict[str, Any]:
        answer = await self._ask("GET", path)
        if not isinstance(answer, dict):
            raise LivecamError(ErrorKind.UNAVAILABLE, "the control API answered with something unforeseen")
        return answer

    async def _ask(self, method: str, path: str) -> Any:
        try:
            async with self._session.request(method, path) as response:
                if response.status == HTTPStatus.NOT_FOUND:
                    raise _GoneError(ErrorKind.NOT_FOUND, "the control API knows nothing of it")
                response.raise_for_status()
                return await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise LivecamError(ErrorKind.UNAVAILABLE, f"the control API did not answer: {error!r}") from error


class _GoneError(LivecamError):
    """There is no such thing (any more)."""
