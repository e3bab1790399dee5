"""What happens in front of a camera, told from one status to the next. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from .client import Camera

BEGIN, END, MOMENT = "begin", "end", "moment"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something begins, ends, or was over when it was told."""

    kind: str
    label: str
    source: str
    """Who reported it; empty if several things began within one status."""
    at: datetime
    lasted_s: float | None
    """None when it begins."""


class Happenings:
    """Follows one camera. The first status, and the first of a service that was started anew, are where it begins."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._started: datetime | None = None
        self._lasting: dict[str, tuple[str, datetime]] = {}
        """Label to source and begin."""
        self._last_id = ""

    def take(self, started: datetime, camera: Camera, now: datetime) -> Sequence[Happening]:
        """What happened since the status before: ends first, so that what begins anew ends before.

        Args:
            started: When the service was started.
            camera: As it is now.
            now: For what nobody says when it was.
        """
        last = camera.last_event
        anew, self._started = started != self._started, started
        news = last is not None and last.id != self._last_id
        self._last_id = last.id if last is not None else ""
        before, self._lasting = self._lasting, {}
        for label in camera.lasting:
            if label in before and not anew:
                self._lasting[label] = before[label]
            elif last is not None and last.label == label and last.end is None:
                self._lasting[label] = (last.source, last.begin)
            else:
                self._lasting[label] = ("", now)
        if anew:
            return []
        found = []
        for label in before.keys() - self._lasting.keys():
            source, begin = before[label]
            end = last.end if last is not None and last.label == label and last.end is not None else now
            found.append(Happening(END, label, source, end, _seconds(begin, end)))
        for label in self._lasting.keys() - before.keys():
            source, begin = self._lasting[label]
            found.append(Happening(BEGIN, label, source, begin, None))
        if news and last is not None and last.end is not None and last.label not in before:
            found.append(Happening(MOMENT, last.label, last.source, last.begin, _seconds(last.begin, last.end)))
        return found


def _seconds(begin: datetime, end: datetime) -> float:
    return round(max(0.0, (end - begin).total_seconds()), 1)
