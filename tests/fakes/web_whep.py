"""core.ports.Whep in memory, as the web server sees it."""

import asyncio

from livecam_nvr.core.ports import WhepSession
from livecam_nvr.domain.access import Principal
from livecam_nvr.domain.errors import ErrorKind, LivecamError

SESSION = "0123abcd-0000-0000-0000-000000000000"


class FakeWhep:
    """Answers every offer; `error` is raised instead, and `hangs` makes it answer never."""

    def __init__(self) -> None:
        self.ready = True
        self.offers: list[tuple[str, str, str]] = []
        self.fragments: list[tuple[str, str, str]] = []
        self.sessions: set[tuple[str, str]] = set()
        self.error: LivecamError | None = None
        self.hangs = False

    async def begin(self, camera_id: str, offer: str, principal: Principal) -> WhepSession:
        if self.error:
            raise self.error
        self.offers.append((camera_id, offer, principal.words))
        if self.hangs:
            await asyncio.Event().wait()
        self.sessions.add((camera_id, SESSION))
        return WhepSession(SESSION, "the answer")

    async def trickle(self, camera_id: str, session_id: str, fragment: str) -> None:
        self._demand(camera_id, session_id)
        self.fragments.append((camera_id, session_id, fragment))

    async def end(self, camera_id: str, session_id: str) -> None:
        self._demand(camera_id, session_id)
        self.sessions.remove((camera_id, session_id))

    def _demand(self, camera_id: str, session_id: str) -> None:
        if (camera_id, session_id) not in self.sessions:
            raise LivecamError(ErrorKind.NOT_FOUND, "there is no such session")
