"""Remembers under which names we have announced ourselves at which broker, so that nothing is left there."""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from livecam_nvr.mqtt.topics import Topics
from livecam_nvr.runtime import durable

_log = logging.getLogger(__name__)

_VERSION = 1
_MOST = 20


@dataclass(frozen=True, slots=True)
class Place:
    """What the names of all our topics are made of, at one broker."""

    broker: str
    """`host:port`, as configured."""
    base_topic: str
    discovery_prefix: str
    node_id: str

    @property
    def topics(self) -> Topics:
        """The names there."""
        return Topics(self.base_topic, self.discovery_prefix, self.node_id)


class Places:
    """The newest 20, in the file at `path`. Both calls block: for threads. Failures are logged, never raised.

    Args:
        path: Its folder is there; None: nothing is remembered.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def add(self, place: Place) -> list[Place]:
        """Remembers `place`, durably; returns the others."""
        known = self._read()
        others = [other for other in known if other != place]
        if len(others) == len(known):
            self._write([*others[1 - _MOST :], place])
        return others

    def remove(self, place: Place) -> None:
        """Forgets one."""
        self._write([other for other in self._read() if other != place])

    def _read(self) -> list[Place]:
        if self._path is None or not self._path.exists():
            return []
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            places = [Place(**values) for values in found["places"] if found["version"] == _VERSION]
        except (OSError, ValueError, TypeError, KeyError) as error:
            _log.warning("%s cannot be read, so what we said under earlier names may stay: %s", self._path, error)
            return []
        return [place for place in places if all(isinstance(value, str) for value in asdict(place).values())]

    def _write(self, places: Sequence[Place]) -> None:
        if self._path is None:
            return
        values = {"version": _VERSION, "places": [asdict(place) for place in places]}
        try:
            durable.replace(self._path, json.dumps(values, indent=1))
        except OSError as error:
            _log.warning(
                "%s cannot be written, so what is announced now may stay at the broker when node.id or a topic is"
                " changed: %s",
                self._path,
                error.strerror,
            )
