"""Remembers with which credential each of MediaMTX's sessions began, to find those that have to end. Pure."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from livecam_nvr.core.events import AccessEnded
from livecam_nvr.domain.access import Principal

_MOST = 10_000


@dataclass(frozen=True, slots=True)
class _Visit:
    credential: str
    session: str


class Visits:
    """Bounded: the oldest are forgotten, and count as ended as soon as anything has ended."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._visits: OrderedDict[str, _Visit] = OrderedDict()
        self._forgotten = False

    def note(self, visit_id: str, principal: Principal) -> None:
        """Somebody was let in."""
        self._visits[visit_id] = _Visit(principal.credential, principal.session)
        self._visits.move_to_end(visit_id)
        if len(self._visits) > self._most:
            self._visits.popitem(last=False)
            self._forgotten = True

    def ended(self, event: AccessEnded) -> set[str]:
        """Those whose right has ended."""
        return {visit_id for visit_id, visit in self._visits.items() if _ends(event, visit)}

    def unknown(self, visit_ids: Iterable[str]) -> set[str]:
        """Those of which nobody knows any more who they are."""
        return {visit_id for visit_id in visit_ids if visit_id not in self._visits} if self._forgotten else set()


def _ends(event: AccessEnded, visit: _Visit) -> bool:
    if visit.session and visit.session in event.sessions:
        return True
    return visit.credential in event.credentials and not (visit.session and visit.session == event.keep_session)
