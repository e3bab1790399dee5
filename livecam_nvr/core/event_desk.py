"""Takes reports of events, writes them down, and lets them trigger recording (core.past.EventDesk)."""

import logging
import re
from dataclasses import dataclass, replace

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.control import RecordingSwitches
from livecam_nvr.core.events import EventChanged
from livecam_nvr.core.past import Ledger
from livecam_nvr.core.ports import SegmentIndex
from livecam_nvr.core.ticker import NEVER_S, Ticker
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.ledger import Entry, EntryKind, Event
from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

LONGEST_S = 3600.0
"""An event that nobody ends is over after so long."""
MOST_AT_ONCE = 32
"""So many events of one camera last at the same time at most."""
_LABEL = re.compile(r"[a-z0-9_ -]{1,40}")
_SOURCE_LENGTH = 64
_SAME_S = 1.0  # a sensor that says the same again within so long tells nothing new


@dataclass(slots=True)
class _Open:
    """An event that lasts."""

    entry: Entry
    began_s: float
    synchronised: bool
    """Whether its begin was told by a clock that was right."""


class EventReports:
    """All cameras' events.

    Args:
        switches: An event's camera is told there, in case it is recorded on events.
        ledger: Where events are written down.
        index: Tells how long a camera was recorded while an event lasted that a crash cut off.
        bus: EventChanged is published there.
        clock: For their times.
        ticker: Calls back when one has lasted too long.
    """

    def __init__(
        self,
        switches: RecordingSwitches,
        ledger: Ledger,
        index: SegmentIndex,
        *,
        bus: EventBus,
        clock: Clock,
        ticker: Ticker,
    ) -> None:
        self._switches = switches
        self._ledger = ledger
        self._index = index
        self._bus = bus
        self._clock = clock
        self._open: dict[str, dict[tuple[str, str], _Open]] = {}
        self._said: dict[tuple[str, str, str], tuple[float, Event]] = {}
        """The moments of the last second, and when they were reported."""
        self._newest: dict[str, Event] = {}
        """By camera."""
        self._began_utc_ns = clock.utc_ns()
        self._stopped = False
        ticker.add(self._look)

    def begin_event(self, camera_id: str, label: str, source: str) -> Event:
        """See core.past.EventDesk."""
        self._demand_good(camera_id, label, source)
        lasting = self._open.setdefault(camera_id, {})
        if (open_one := lasting.get((label, source))) is not None:
            return event_of(open_one.entry)
        if len(lasting) >= MOST_AT_ONCE:
            raise LivecamError(
                ErrorKind.CONFLICT,
                f"{len(lasting)} events of {camera_id} last already",
                "end some of them first, or report what is over already",
            )
        now_ns = self._clock.utc_ns()
        entry = self._entry(camera_id, label, source, now_ns, now_ns if self._stopped else None)
        if not self._stopped:
            lasting[label, source] = _Open(entry, self._clock.monotonic(), self._clock.synchronised())
            self._switches.event(camera_id, lasts=True)
        return self._began(entry)

    def end_event(self, camera_id: str, label: str, source: str) -> Event | None:
        """See core.past.EventDesk."""
        self._demand_good(camera_id, label, source)
        open_one = self._open.get(camera_id, {}).pop((label, source), None)
        return None if open_one is None else self._end(open_one)

    def report_event(self, camera_id: str, label: str, source: str, *, lasted_s: float = 0.0) -> Event:
        """See core.past.EventDesk."""
        self._demand_good(camera_id, label, source)
        if not 0 <= lasted_s <= LONGEST_S:
            raise LivecamError(
                ErrorKind.INVALID,
                "an event cannot have lasted so long",
                f"it lasts 0 to {LONGEST_S:g} seconds",
            )
        now_ns, now_s = self._clock.utc_ns(), self._clock.monotonic()
        said = self._said.get((camera_id, label, source))
        if said is not None and now_s - said[0] < _SAME_S:
            self._switches.event(camera_id, lasts=bool(self._open.get(camera_id)), lasted_s=lasted_s)
            return said[1]
        entry = self._entry(camera_id, label, source, now_ns - round(lasted_s * NS), now_ns)
        self._switches.event(camera_id, lasts=bool(self._open.get(camera_id)), lasted_s=lasted_s)
        event = self._began(entry)
        self._said = {key: one for key, one in self._said.items() if now_s - one[0] < _SAME_S}
        self._said[camera_id, label, source] = (now_s, event)
        return event

    def lasting(self, camera_id: str) -> tuple[str, ...]:
        """The labels of what happens in front of the camera now, sorted, each once."""
        return tuple(sorted({label for label, _ in self._open.get(camera_id, {})}))

    def newest(self, camera_id: str) -> Event | None:
        """What was last told to begin there since the service started, as it is now; None if nothing was."""
        return self._newest.get(camera_id)

    async def events(self, camera_id: str, begin_utc_ns: int, end_utc_ns: int) -> list[Event]:
        """See core.past.EventDesk."""
        self._switches.recording(camera_id)
        found = await self._ledger.find(camera_id, {EntryKind.EVENT}, begin_utc_ns, end_utc_ns)
        return [event_of(entry) for entry in found]

    async def end_those_cut_off(self) -> None:
        """Ends what lasted when an earlier run of the service was killed: with the last that was recorded of it.

        To be called once, when the index knows the files of that run.

        Raises:
            LivecamError: UNAVAILABLE if there is no index; the next start tries again.
        """
        for camera_id in self._switches.ids():
            begun = self._began_utc_ns
            for entry in await self._ledger.find(camera_id, {EntryKind.EVENT}, begun - 1, begun):
                if entry.end_utc_ns is None and entry.begin_utc_ns < begun and not self._lasts(entry):
                    end = min(begun, entry.begin_utc_ns + round(LONGEST_S * NS))
                    files = await self._index.between(camera_id, entry.begin_utc_ns, end)
                    known = max((file.end_utc_ns for file in files), default=entry.begin_utc_ns)
                    self._write(replace(entry, end_utc_ns=max(entry.begin_utc_ns, min(known, end))))

    def remove(self, camera_id: str) -> None:
        """The camera is taken out of the service: what lasts there ends now; harmless if there is none."""
        for open_one in self._open.pop(camera_id, {}).values():
            self._close(open_one)
        self._newest.pop(camera_id, None)

    def stop(self) -> None:
        """The service stops: what lasts ends now; idempotent."""
        self._stopped = True
        for open_one in [one for lasting in self._open.values() for one in lasting.values()]:
            self._close(open_one)
        self._open.clear()

    def _look(self) -> float:
        """Ends what has lasted too long; returns when the next one will have."""
        limit_s = self._clock.monotonic() - LONGEST_S
        for lasting in self._open.values():
            for key, open_one in list(lasting.items()):
                if open_one.began_s <= limit_s:
                    del lasting[key]
                    event = self._end(open_one)
                    _log.warning(
                        "%s: the event %r of %s was never ended, and is over now after %g minutes",
                        event.camera_id,
                        event.label,
                        event.source,
                        LONGEST_S / 60,
                    )
        begins = [one.began_s for lasting in self._open.values() for one in lasting.values()]
        return min(begins) - limit_s if begins else NEVER_S

    def _end(self, open_one: _Open) -> Event:
        event = self._close(open_one)
        lasted_s = self._clock.monotonic() - open_one.began_s
        self._switches.event(event.camera_id, lasts=bool(self._open.get(event.camera_id)), lasted_s=lasted_s)
        return event

    def _close(self, open_one: _Open) -> Event:
        entry = open_one.entry
        end_ns = entry.begin_utc_ns + round((self._clock.monotonic() - open_one.began_s) * NS)
        if self._clock.synchronised() and not open_one.synchronised:
            # The clock was wrong when it began, and is right now; the ledger moves the begin.
            end_ns = self._clock.utc_ns()
        ended = replace(entry, end_utc_ns=end_ns)
        newest = self._newest.get(entry.camera_id)
        return self._began(ended) if newest is not None and newest.id == entry.id else self._write(ended)

    def _lasts(self, entry: Entry) -> bool:
        return any(one.entry.id == entry.id for one in self._open.get(entry.camera_id, {}).values())

    def _demand_good(self, camera_id: str, label: str, source: str) -> None:
        self._switches.recording(camera_id)
        if not _LABEL.fullmatch(label):
            raise LivecamError(
                ErrorKind.INVALID,
                f"{label[:40]!r} cannot be an event's label",
                "1 to 40 lower-case letters, digits, blanks, _ and -, such as motion or front door",
            )
        if not (0 < len(source) <= _SOURCE_LENGTH and source.isprintable()):
            raise LivecamError(
                ErrorKind.INVALID,
                f"{source[:40]!r} cannot be an event's source",
                f"1 to {_SOURCE_LENGTH} printable characters",
            )

    @staticmethod
    def _entry(camera_id: str, label: str, source: str, begin_utc_ns: int, end_utc_ns: int | None) -> Entry:
        data = {"label": label, "source": source}
        return Entry(camera_id, EntryKind.EVENT, begin_utc_ns, end_utc_ns, data)

    def _began(self, entry: Entry) -> Event:
        """Notes and tells an event that nothing has begun after."""
        self._newest[entry.camera_id] = event_of(entry)
        return self._write(entry)

    def _write(self, entry: Entry) -> Event:
        """Notes and tells an event."""
        self._ledger.put(entry)
        event = event_of(entry)
        self._bus.publish(EventChanged(event))
        return event


def event_of(entry: Entry) -> Event:
    """An EVENT entry as a value."""
    return Event(
        entry.id,
        entry.camera_id,
        str(entry.data.get("label", "")),
        str(entry.data.get("source", "")),
        entry.begin_utc_ns,
        entry.end_utc_ns,
    )
