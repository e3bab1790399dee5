"""Says no: one line in the log, and one answer at the broker."""

import logging

from livecam_nvr.domain.redact import redact
from livecam_nvr.mqtt.tell import occurrences
from livecam_nvr.mqtt.tell.occurrences import Refused
from livecam_nvr.mqtt.tell.telegrams import Telegrams
from livecam_nvr.mqtt.topics import Topics
from livecam_nvr.runtime.clock import Clock

_log = logging.getLogger(__name__)

_LINES = 120
_PER_S = 60.0
_LONGEST_LINE = 600


class Refusals:
    """Commands that were not carried out.

    Whoever gives hundreds a minute does not fill the log with that: what is more than 120 a minute is counted,
    and said in one line. Answers are given to all, as far as they fit into the telegrams.
    """

    def __init__(self, topics: Topics, telegrams: Telegrams, clock: Clock) -> None:
        self._topics = topics
        self._telegrams = telegrams
        self._clock = clock
        self._since_s = clock.monotonic()
        self._lines = 0
        self._unsaid = 0

    def refuse(self, refused: Refused, line: str = "") -> None:
        """Logs it (`line`, if that has more to say than the answer may) and answers."""
        self.log(line or f"{refused.topic!r}: {refused.reason}; {refused.hint}")
        self.answer(refused)

    def answer(self, refused: Refused) -> None:
        """Only answers: the log has it already."""
        self._telegrams.put(self._topics.events, occurrences.refused(refused, self._clock.utc_ns()))

    def log(self, words: str) -> None:
        """Only logs."""
        now = self._clock.monotonic()
        if now - self._since_s > _PER_S:
            self.sum_up()
            self._since_s, self._lines = now, 0
        if self._lines >= _LINES:
            self._unsaid += 1
            return
        self._lines += 1
        _log.warning("MQTT command ignored: %s", redact(words)[:_LONGEST_LINE])

    def sum_up(self) -> None:
        """Says how many were not logged, if any."""
        if self._unsaid:
            _log.warning("MQTT: %d more commands were ignored than were logged", self._unsaid)
        self._unsaid = 0
