"""Remembers, over restarts and power cuts, when the clock was not right and by how much: a small file."""

import json
import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path

from livecam_nvr.runtime import durable

_log = logging.getLogger(__name__)

_MOST_BOOTS = 20
_MOST_STRETCHES = 100
# A clock that is slewed drifts away from what was noted; only a step begins another stretch.
_SAME_NS = 250_000_000
_ALIKE_NS = 60_000_000_000


@dataclass(slots=True)
class Stretch:
    """The wall clock ran on without a step, and was not synchronised."""

    offset_ns: int
    """UTC as shown, minus the time since the machine's start."""
    begin_boot_ns: int
    end_boot_ns: int | None = None
    told_ns: int = 0
    """The shift that everybody else was told of."""
    true_offset_ns: int | None = None
    """What the offset should have been, once that is known."""
    final: bool = False
    """It will not be known any better."""


@dataclass(slots=True)
class Boot:
    """One start of the machine during which something was recorded with a clock that was not synchronised."""

    id: str
    stretches: list[Stretch] = field(default_factory=list)
    done: bool = False
    """Everything that can have its true time has it."""

    @property
    def known(self) -> list[Stretch]:
        """Those of which is known what was true."""
        return [stretch for stretch in self.stretches if stretch.true_offset_ns is not None]

    def stretch_of(self, offset_ns: int, boot_ns: int) -> Stretch | None:
        """The one in which the clock showed so much at that moment; None if it was none of them."""

        def distance(stretch: Stretch) -> tuple[bool, int]:
            after = 0 if stretch.end_boot_ns is None else max(0, boot_ns - stretch.end_boot_ns)
            return abs(stretch.offset_ns - offset_ns) > _ALIKE_NS, max(after, stretch.begin_boot_ns - boot_ns)

        nearest = min(self.stretches, key=distance, default=None)
        return None if nearest is None or distance(nearest)[0] else nearest


class ClockJournal:
    """The file at `path`; to be used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.boots: list[Boot] = []

    def load(self) -> None:
        """Reads it; what cannot be read is logged and counts as empty."""
        try:
            values = json.loads(self._path.read_text())
            self.boots = [
                Boot(**{**boot, "stretches": [Stretch(**stretch) for stretch in boot["stretches"]]})
                for boot in values["boots"]
            ]
        except FileNotFoundError:
            self.boots = []
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.warning("%s cannot be read; what was recorded with a wrong clock keeps it: %s", self._path, error)
            self.boots = []

    def boot(self, boot_id: str) -> Boot | None:
        """What is known of one start of the machine."""
        return next((boot for boot in self.boots if boot.id == boot_id), None)

    def note(self, boot_id: str, offset_ns: int, boot_ns: int) -> None:
        """A stretch begins (or goes on, if it is the newest one's); durable.

        Raises:
            OSError: The disk refuses.
        """
        boot = self.boot(boot_id)
        if boot is None:
            boot = Boot(boot_id)
            self.boots = [*self.boots[-_MOST_BOOTS:], boot]
        newest = boot.stretches[-1] if boot.stretches else None
        if newest is None or newest.final or abs(newest.offset_ns - offset_ns) > _SAME_NS:
            if newest is not None and newest.end_boot_ns is None:
                newest.end_boot_ns = boot_ns
            boot.stretches = [*boot.stretches[-_MOST_STRETCHES:], Stretch(offset_ns, boot_ns)]
        else:
            newest.end_boot_ns = None
        boot.done = False
        self.save()

    def learn(self, boot_id: str, offset_ns: int, boot_ns: int, *, final: bool) -> None:
        """What the offset should have been in all stretches of which that was not known for good; durable.

        Raises:
            OSError: The disk refuses.
        """
        boot = self.boot(boot_id)
        open_ones = [stretch for stretch in boot.stretches if not stretch.final] if boot else []
        for stretch in open_ones:
            stretch.true_offset_ns, stretch.final = offset_ns, final
            if final and stretch.end_boot_ns is None:
                stretch.end_boot_ns = boot_ns
        if open_ones:
            self.save()

    def save(self) -> None:
        """Writes it, atomically and durably; a file that would say nothing is not made.

        Raises:
            OSError: The disk refuses.
        """
        if not self.boots and not self._path.exists():
            return
        durable.replace(self._path, json.dumps({"boots": [asdict(boot) for boot in self.boots]}, indent=1))
