"""MediaMTX's control API: does it answer, and which paths have a publisher and readers."""

from base64 import b64encode
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from livecam_nvr.domain.errors import ErrorKind, LivecamError

_TIMEOUT_S = 5.0
# As many as the config may have cameras, so that one page is all.
_PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class PathState:
    """One camera's path in the server."""

    name: str
    ready: bool
    """Somebody publishes to it."""
    readers: int


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

    async def _get(self, path: str) -> dict[str, Any]:
        try:
            async with self._session.get(path, raise_for_status=True) as response:
                answer = await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise LivecamError(ErrorKind.UNAVAILABLE, f"the control API did not answer: {error!r}") from error
        if not isinstance(answer, dict):
            raise LivecamError(ErrorKind.UNAVAILABLE, "the control API answered with something unforeseen")
        return answer
