"""What an examination of the archive can find, and its report: values."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from livecam_nvr.domain.segment import Segment


class FindingKind(StrEnum):
    """What is the matter."""

    INDEX = "index"
    """The index itself is missing, damaged or miscounts."""
    MISSING_FILE = "missing_file"
    """The index knows a file that is not there."""
    UNKNOWN_FILE = "unknown_file"
    """A finished file that the index does not know."""
    WRONG_ROW = "wrong_row"
    """The index says something else of a file than its label."""
    WRONG_SIZE = "wrong_size"
    """There is more in a file than when it was finished; it plays all the same."""
    UNFINISHED = "unfinished"
    """A killed service or a power cut left it."""
    DAMAGED = "damaged"
    """Something of a finished file is lost."""
    OVERLAP = "overlap"
    """Two files of a camera claim the same time."""
    ALTERED = "altered"
    """A file or a manifest was changed after it had been written."""
    UNREADABLE = "unreadable"
    """The disk refuses to show a file or folder."""
    FOREIGN = "foreign"
    """None of ours; left alone."""
    SET_ASIDE = "set_aside"
    """An earlier repair found nothing in it that can be used."""
    TEMPORARY = "temporary"
    """What a killed service was putting together; deleted at the next start."""

    @property
    def harmless(self) -> bool:
        """Whether nothing is lost or wrong because of it."""
        return self in _HARMLESS


_HARMLESS = {FindingKind.FOREIGN, FindingKind.SET_ASIDE, FindingKind.TEMPORARY}


@dataclass(slots=True)
class Finding:
    """One thing that was found."""

    kind: FindingKind
    path: str
    """Relative to the archive's root; empty for the index."""
    words: str
    repaired: bool = False
    segment: Segment | None = None
    """The file as its label describes it, where that can be told."""


@dataclass(slots=True)
class VerifyReport:
    """What was looked at, and what was found."""

    full: bool
    running: bool
    """A service was recording meanwhile."""
    files: int = 0
    bytes: int = 0
    frames: int = 0
    rows: int = 0
    writing: int = 0
    """Files that are being written: not looked at."""
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether all is well, now that what could be repaired is."""
        return all(finding.repaired or finding.kind.harmless for finding in self.findings)

    @property
    def counts(self) -> dict[FindingKind, int]:
        """How many of each kind."""
        counted = Counter(finding.kind for finding in self.findings)
        return {kind: counted[kind] for kind in FindingKind if counted[kind]}
