"""Joins what the files give to pieces that can be shown without a break; pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from livecam_nvr.core.past import Part, Piece
from livecam_nvr.domain.segment import NS
from livecam_nvr.storage.footage.footage_form import Form

_SHORTEST_GAP_NS = NS // 2
# Times in UTC follow the camera's clock by at most 300 ppm; over a long file that adds up, and nothing is missing.
_DRIFT = 1000


@dataclass(frozen=True, slots=True)
class Cut:
    """What one file gives, and which one it is."""

    part: Part
    form: Form
    run_id: int
    sequence: int
    merged: int = 1
    """How many files of the run it was made of."""

    @property
    def end_utc_ns(self) -> int:
        """When its last frame ends."""
        return self.part.begin_utc_ns + self.part.duration * NS // self.form.moov.video.timescale


def join(camera_id: str, cuts: Iterable[Cut]) -> list[Piece]:
    """Pieces out of `cuts` (oldest first): a new one begins after each gap and at each change of format."""
    groups: list[list[Cut]] = []
    for cut in cuts:
        if groups and _goes_on(groups[-1][-1], cut):
            groups[-1].append(cut)
        else:
            groups.append([cut])
    return [_piece(camera_id, group) for group in groups]


def _goes_on(before: Cut, after: Cut) -> bool:
    if before.form.init != after.form.init:
        return False
    follows = before.run_id == after.run_id and before.sequence + before.merged == after.sequence
    if not follows and before.form.sound:
        # Closing up even a small gap would move the sound against itself: it overlaps the pictures' borders.
        return False
    length = before.end_utc_ns - before.part.begin_utc_ns
    slack = _SHORTEST_GAP_NS + (length // _DRIFT if follows else 0)
    return abs(after.part.begin_utc_ns - before.end_utc_ns) < slack


def _piece(camera_id: str, cuts: list[Cut]) -> Piece:
    form = cuts[0].form
    return Piece(
        camera_id=camera_id,
        init=form.init,
        mime=form.mime,
        timescale=form.moov.video.timescale,
        begin_utc_ns=cuts[0].part.begin_utc_ns,
        end_utc_ns=cuts[-1].end_utc_ns,
        frames=sum(cut.part.frames for cut in cuts),
        parts=tuple(cut.part for cut in cuts),
    )
