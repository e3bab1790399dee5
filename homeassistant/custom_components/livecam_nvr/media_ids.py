"""What the identifiers in the media source mean. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

MOST_S = 86_400
"""So much the service plays at once."""


class Shelf(StrEnum):
    """Where in a camera's past one is. All behind it in an identifier is its `item`."""

    RECORDINGS = "recordings"
    """The days; with a day, its hours."""
    HOUR = "hour"
    """A range that plays, and opens into pieces."""
    PIECE = "piece"
    """A range that plays, and opens into files."""
    FILM = "film"
    """A range that plays."""
    FILE = "file"
    """A file of the archive, by its path there without the camera's folder."""
    EVENTS = "events"
    """The days and earlier months; with a month, its days; with a day, its events."""
    CLIPS = "clips"
    """What somebody has kept."""
    CLIP = "clip"
    """A range that is too long to play at once, and opens into such that are not."""


_RANGE = re.compile(r"([0-9]{1,11})-([0-9]{1,11})")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*\.mp4")
_RANGES = (Shelf.HOUR, Shelf.PIECE, Shelf.FILM, Shelf.CLIP)


@dataclass(frozen=True, slots=True)
class MediaId:
    """`ENTRY[/CAMERA[/SHELF[/ITEM]]]`."""

    entry_id: str
    camera_id: str = ""
    shelf: Shelf | None = None
    item: str = ""

    def __str__(self) -> str:
        """As it stands in Home Assistant's address of it."""
        return "/".join(part for part in (self.entry_id, self.camera_id, self.shelf, self.item) if part)

    @classmethod
    def of(cls, text: str) -> Self:
        """What an identifier means; whether there is such a thing is another question.

        Raises:
            ValueError: It means nothing.
        """
        entry_id, _, rest = text.partition("/")
        camera_id, _, rest = rest.partition("/")
        shelf, _, item = rest.partition("/")
        found = cls(entry_id, camera_id, Shelf(shelf) if shelf else None, item)
        if found.shelf in _RANGES:
            found.range  # noqa: B018 - raises
        elif found.shelf is Shelf.FILE and not _FILE.fullmatch(item):
            raise ValueError(f"{item!r} is no file of the archive")
        return found

    @property
    def range(self) -> tuple[int, int]:
        """Begin and end, Unix seconds, of those that are a range.

        Raises:
            ValueError: This is none.
        """
        if (found := _RANGE.fullmatch(self.item)) is None or (begin := int(found[1])) >= (end := int(found[2])):
            raise ValueError(f"{self.item!r} is no range of time")
        if end - begin > MOST_S and self.shelf is not Shelf.CLIP:
            raise ValueError(f"{self.item!r} is longer than a day")
        return begin, end

    def at(self, shelf: Shelf, item: str = "") -> MediaId:
        """Another place in the same camera's past."""
        return MediaId(self.entry_id, self.camera_id, shelf, item)

    def between(self, shelf: Shelf, begin_s: float, end_s: float) -> MediaId:
        """A range of the same camera, widened to whole seconds."""
        return self.at(shelf, f"{int(begin_s)}-{-int(-end_s // 1)}")
