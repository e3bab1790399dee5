"""What happens in front of the cameras: each event told once, and whether something moves now."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import EventChanged
from livecam_nvr.domain.ledger import Event
from livecam_nvr.domain.segment import NS
from livecam_nvr.mqtt.tell import occurrences
from livecam_nvr.mqtt.tell.telegrams import Telegrams
from livecam_nvr.mqtt.topics import Topics
from livecam_nvr.runtime.clock import Clock

MOTION = "motion"
"""The label of the events that are motion."""
_MOMENT_S = 5.0
_NEWS_S = 0.5
_PATIENCE_S = 30.0
_FROM_BEFORE = "from before"

Told = Callable[[str, bool], None]
"""A camera, and whether something moves in front of it."""


class Happenings:
    """Follows the events of all cameras from `listen` to `stop`.

    Something moves while an event with the label `motion` lasts, and for a few seconds after one that was over
    at once.

    Args:
        topics: The names.
        telegrams: Where each event goes. A broker that is away for longer than half a minute never hears of it:
            nobody is to be called to the door an hour later.
        clock: The service's.
        moves: Told of each change.
        moment_s: How long a moment counts as motion.
    """

    def __init__(
        self, topics: Topics, telegrams: Telegrams, clock: Clock, moves: Told, *, moment_s: float = _MOMENT_S
    ) -> None:
        self._topics = topics
        self._telegrams = telegrams
        self._clock = clock
        self._moves = moves
        self._moment_s = moment_s
        self._lasting: dict[str, dict[str, str]] = {}
        """Camera to the ids of its events that last, with their labels."""
        self._moments: dict[str, asyncio.TimerHandle] = {}

    def listen(self, bus: EventBus, lasting: Mapping[str, Sequence[str]]) -> Callable[[], None]:
        """Subscribes; returns what ends that. `lasting`: camera to the labels of what lasts already."""
        for camera_id, labels in lasting.items():
            # Their ids are not known: the first end that nobody saw begin is theirs.
            self._lasting[camera_id] = {f"{_FROM_BEFORE} {label}": label for label in labels}
            if MOTION in labels:
                self._moves(camera_id, True)
        return bus.subscribe(EventChanged, lambda changed: self._take(changed.event))

    def stop(self) -> None:
        """Waits for nothing any more; idempotent."""
        for timer in self._moments.values():
            timer.cancel()
        self._moments.clear()
        self._lasting.clear()

    def forget(self, camera_id: str) -> None:
        """The camera is gone."""
        self._lasting.pop(camera_id, None)
        if (timer := self._moments.pop(camera_id, None)) is not None:
            timer.cancel()

    def _take(self, event: Event) -> None:
        lasting = self._lasting.setdefault(event.camera_id, {})
        if event.end_utc_ns is None:
            lasting[event.id] = event.label
            moment = False
        else:
            moment = not self._ends(event, lasting)
            # An earlier run of the service may have left events behind that are only now written down as ended.
            if moment and self._clock.utc_ns() - event.end_utc_ns > _NEWS_S * NS:
                return
        payload = occurrences.happening(event, new=moment)
        self._telegrams.put(self._topics.event(event.camera_id), payload, patience_s=_PATIENCE_S)
        if event.label == MOTION:
            if moment:
                self._begin_moment(event.camera_id)
            self._tell(event.camera_id)

    @staticmethod
    def _ends(event: Event, lasting: dict[str, str]) -> bool:
        """Whether it is the end of one that lasted."""
        known = lasting.pop(event.id, None) or lasting.pop(f"{_FROM_BEFORE} {event.label}", None)
        return known is not None

    def _begin_moment(self, camera_id: str) -> None:
        if (timer := self._moments.pop(camera_id, None)) is not None:
            timer.cancel()
        loop = asyncio.get_running_loop()
        self._moments[camera_id] = loop.call_later(self._moment_s, self._end_moment, camera_id)

    def _end_moment(self, camera_id: str) -> None:
        del self._moments[camera_id]
        self._tell(camera_id)

    def _tell(self, camera_id: str) -> None:
        self._moves(camera_id, camera_id in self._moments or MOTION in self._lasting.get(camera_id, {}).values())
