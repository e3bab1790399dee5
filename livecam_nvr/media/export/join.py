"""Joins footage into one ordinary MP4 file: copied as it is, or cut to the picture at both ends."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from livecam_nvr.core.past import Footage, Piece
from livecam_nvr.domain.coverage import Span
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS
from livecam_nvr.media.export.flat import FlatFile
from livecam_nvr.media.export.formats import Format, entry_for, length_bytes, parameter_sets, with_sets
from livecam_nvr.media.export.plan import PieceClock, Plan, plan
from livecam_nvr.media.export.recode import recode
from livecam_nvr.media.export.samples import Sample, SampleReader
from livecam_nvr.media.export.tables import Track

_COPYING = 0.9
"""The share of the work that it is to read and copy; the rest is to put the description in front."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of it."""

    frames: int
    recoded: int
    """How many of them were encoded anew."""
    duration_ns: int
    bytes: int
    begin_utc_ns: int
    """When the first picture was taken."""
    notes: tuple[str, ...] = ()
    """What a person should know of the file."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A sample as it goes into the file; times still those of its piece."""

    sample: Sample
    sets: tuple[bytes, ...] = ()
    """Of a keyframe: the parameter sets that it needs."""


class Joiner:
    """Joins `pieces` into the file `path`.

    Args:
        footage: Reads them.
        pieces: In order, at least one.
        path: Must not be there.
        within: Only the pictures that were taken in this time; those that cannot be copied are encoded anew. None:
            all of them are copied.
        keep_gaps_from: Each picture is shown so long after this moment as it was taken, so gaps stay as long as
            they were; None: the pieces follow one another.
        facts: Title and the like (`tables.movie`).
        progress: Told the share that is done, on the loop.
    """

    def __init__(
        self,
        footage: Footage,
        pieces: Sequence[Piece],
        path: Path,
        *,
        within: Span | None = None,
        keep_gaps_from: int | None = None,
        facts: Mapping[str, str] | None = None,
        progress: Callable[[float], None] = lambda _share: None,
    ) -> None:
        self._footage = footage
        self._pieces = pieces
        self._path = path
        self._within = within
        self._origin = keep_gaps_from
        self._facts = facts or {}
        self._progress = progress
        self._sets: dict[bytes, None] = {}
        self._begin_utc_ns = -1
        self._frames_read = 0
        self._recoded = 0

    async def run(self) -> Joined:
        """Does it; on cancellation nothing is left behind but perhaps a part of `path`.

        Raises:
            LivecamError: As the footage's; NOT_FOUND if there is no picture in the time.
            OSError: The disk refuses.
        """
        chosen = plan(self._pieces, exact=self._within is not None)
        video = Track(video=True, timescale=chosen.timescale, width=chosen.video.width, height=chosen.video.height)
        sound = _sound_track(chosen)
        flat = await asyncio.to_thread(FlatFile, self._path, video, sound)
        stop = Event()
        try:
            for piece, described in zip(self._pieces, chosen.formats, strict=True):
                await self._piece(_Work(chosen, described, PieceClock(piece), flat), piece)
            if not video.sizes:
                raise LivecamError(
                    ErrorKind.NOT_FOUND, "there is no picture in that time", "ask for a longer time"
                )
            video.entry = entry_for(chosen.video, list(self._sets), in_band=chosen.in_band)
            size = await self._finish(flat, stop)
        finally:
            stop.set()
            await asyncio.to_thread(flat.close)
        return Joined(
            len(video.sizes),
            self._recoded,
            (video.end - video.times[0]) * NS // video.timescale,
            size,
            self._begin_utc_ns,
            tuple(_notes(chosen)),
        )

    async def _finish(self, flat: FlatFile, stop: Event) -> int:
        loop = asyncio.get_running_loop()

        def moved(share: float) -> None:
            if stop.is_set():
                raise LivecamError(ErrorKind.CONFLICT, "it was given up")
            loop.call_soon_threadsafe(self._progress, _COPYING + (1 - _COPYING) * share)

        created = max(0, self._begin_utc_ns // NS)
        making = asyncio.to_thread(flat.finish, created, self._facts, moved)
        work = asyncio.create_task(making, name="finish a file")
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            stop.set()  # the thread must be done before its file is closed
            await asyncio.wait([work])
            work.exception()
            raise

    async def _piece(self, work: "_Work", piece: Piece) -> None:
        reader = SampleReader(piece.init)
        video_id = work.described.video.track_id
        gop: list[Sample] = []
        began = False
        async with aclosing(self._footage.read(piece)) as chunks:
            async for chunk in chunks:
                for sample in await asyncio.to_thread(reader.feed, chunk):
                    if sample.track_id == video_id and sample.sync:
                        if began:
                            await self._gop(work, gop)
                            gop = []
                        began = True
                    gop.append(sample)
        reader.end()
        if began:
            await self._gop(work, gop)

    async def _gop(self, work: "_Work", gop: list[Sample]) -> None:
        video_id = work.described.video.track_id
        pictures = [sample for sample in gop if sample.track_id == video_id]
        work.begin(pictures[0])
        kept = await self._pictures(work, pictures)
        if kept and self._begin_utc_ns < 0:
            self._begin_utc_ns = work.utc_ns(kept[0].sample.pts)
        if kept:
            work.place(kept[0].sample, self._origin)
            for one in kept:
                self._sets.update(dict.fromkeys(one.sets))
        sounds = [sample for sample in gop if work.hears(sample) and self._sounds_within(work, sample)]
        await asyncio.to_thread(work.write, kept, sounds)
        self._frames_read += len(pictures)
        self._progress(_COPYING * min(1.0, self._frames_read / sum(piece.frames for piece in self._pieces)))

    async def _pictures(self, work: "_Work", pictures: list[Sample]) -> list[_Kept]:
        """What goes into the file of a GOP."""
        shown = sorted(pictures, key=lambda sample: sample.pts)
        wanted = range(len(shown))
        if self._within is not None:
            inside = [
                number
                for number, sample in enumerate(shown)
                if self._within.begin_utc_ns <= work.utc_ns(sample.pts) < self._within.end_utc_ns
            ]
            wanted = range(inside[0], inside[-1] + 1) if inside else range(0)
        if not wanted:
            return []
        ordered = shown == pictures
        foreign = work.described.hevc is not work.chosen.hevc
        if not foreign and wanted.start == 0 and (ordered or len(wanted) == len(shown)):
            sets = parameter_sets(work.described.video)
            return [_Kept(sample, sets if sample.sync else ()) for sample in pictures[: wanted.stop]]
        made = await recode(work.described, pictures, wanted, hevc=work.chosen.hevc, set_id=work.chosen.set_id)
        self._recoded += len(wanted)
        lead = pictures[0].offset  # of decoding before showing, as in the GOPs that are copied
        originals = shown[wanted.start : wanted.stop]
        return [
            _Kept(
                Sample(old.track_id, old.pts - lead, old.duration, lead, sync, work.as_copied(data)),
                made.sets if sync else (),
            )
            for old, (data, sync) in zip(originals, made.pictures, strict=True)
        ]

    def _sounds_within(self, work: "_Work", sample: Sample) -> bool:
        if self._within is None:
            return True
        taken = work.utc_ns(work.in_video(sample.pts) + work.lead)
        return self._within.begin_utc_ns <= taken < self._within.end_utc_ns


class _Work:
    """Where one piece lies in the file, and what of it is written."""

    def __init__(self, chosen: Plan, described: Format, clock: PieceClock, flat: FlatFile) -> None:
        self.chosen = chosen
        self.described = described
        self.lead = 0
        """How long the first picture is decoded before it is shown, ticks."""
        self._clock = clock
        self._flat = flat
        self._sound_id = described.sound.track_id if _same_sound(chosen, described) and described.sound else 0
        self._length_size = length_bytes(described.video)
        self._begun = False
        self._base = 0
        """Time in the piece that lies at `_at` in the file."""
        self._at = flat.video.end
        self._placed = False

    def begin(self, first: Sample) -> None:
        """The first picture of a GOP is known."""
        if not self._begun:
            self._begun = True
            self.lead = first.offset

    def place(self, first: Sample, origin_utc_ns: int | None) -> None:
        """The first picture that is kept: from here on it is known where the piece lies in the file."""
        if self._placed:
            return
        self._placed = True
        self._base = first.dts
        if origin_utc_ns is not None:
            scale, own = self.chosen.timescale, self.described.video.timescale
            shown = (self.utc_ns(first.pts) - origin_utc_ns) * scale // NS
            self._at = max(self._at, shown - first.offset * scale // own)

    def utc_ns(self, pts: int) -> int:
        """When a picture was taken."""
        return self._clock.utc_ns(pts - self.lead)

    def in_video(self, ticks: int) -> int:
        """A time of the sound in the ticks of the pictures."""
        sound = self.described.sound
        return ticks * self.described.video.timescale // sound.timescale if sound else ticks

    def hears(self, sample: Sample) -> bool:
        """Whether it belongs to the sound that the file has."""
        return bool(self._sound_id) and sample.track_id == self._sound_id

    def as_copied(self, data: bytes) -> bytes:
        """What was encoded anew, with lengths as the copied samples of this piece have them."""
        return _with_lengths(data, 4, self._length_size)

    def write(self, kept: Sequence[_Kept], sounds: Sequence[Sample]) -> None:
        """Writes pictures and sound of a GOP. Blocks."""
        if not self._placed:
            return
        size = self.chosen.length_size
        for one in kept:
            data = _with_lengths(one.sample.data, self._length_size, size)
            if self.chosen.in_band and one.sets:
                data = with_sets(data, [nal for nal in one.sets if nal not in data], size)
            sample = one.sample
            scale, own = self.chosen.timescale, self.described.video.timescale
            dts = max(self._at + (sample.dts - self._base) * scale // own, _last(self._flat.video))
            duration, offset = sample.duration * scale // own, sample.offset * scale // own
            self._flat.write(self._flat.video, data, dts, duration, offset, sync=sample.sync)
        for sample in sounds:
            self._sound(sample)

    def _sound(self, sample: Sample) -> None:
        track = self._flat.sound
        if track is None:
            return
        begin = self._at * track.timescale // self.chosen.timescale
        base = self._base * track.timescale // self.described.video.timescale
        time = begin + sample.dts - base
        # Half a packet may be moved; what overlaps more is heard once.
        if time < track.end - sample.duration // 2:
            return
        self._flat.write(track, sample.data, max(time, track.end), sample.duration, sample.offset, sync=True)


def _sound_track(chosen: Plan) -> Track | None:
    sound = chosen.sound
    return Track(video=False, timescale=sound.timescale, entry=sound.entry) if sound else None


def _last(track: Track) -> int:
    return track.times[-1] + 1 if track.times else 0


def _same_sound(chosen: Plan, described: Format) -> bool:
    mine, theirs = described.sound, chosen.sound
    return bool(mine and theirs and (mine.entry, mine.timescale) == (theirs.entry, theirs.timescale))


def _with_lengths(data: bytes, old: int, new: int) -> bytes:
    if old == new:
        return data
    return b"".join(len(nal).to_bytes(new, "big") + nal for nal in _nals(data, old))


def _nals(data: bytes, size: int) -> Iterator[bytes]:
    at = 0
    while at + size <= len(data):
        end = at + size + int.from_bytes(data[at : at + size], "big")
        yield data[at + size : end]
        at = end


def _notes(chosen: Plan) -> Iterator[str]:
    if chosen.in_band and len({one.video.entry for one in chosen.formats}) > 1:
        yield "the format of the pictures changes within the file"
    if any(one.hevc is not chosen.hevc for one in chosen.formats):
        yield "pictures of another codec were encoded anew"
    if any(one.sound and not _same_sound(chosen, one) for one in chosen.formats):
        yield "sound of another format is left out"
