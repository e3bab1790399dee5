"""Turns the bytes of ffmpeg's fragmented MP4 into an init segment and fragments, as they come.

ffmpeg with `frag_every_frame` writes each `moof` + `mdat` in one go, so most reads are one whole fragment: those
are taken as they are, without a copy. Box layouts: ISO/IEC 14496-12, section 8.8.
"""

import struct
from collections.abc import Callable, Iterator
from time import monotonic

from livecam_nvr.domain.media import Fragment, InitSegment, TrackFragment
from livecam_nvr.media.boxes import broken, children, default_samples, name_hvc1, parse_moov
from livecam_nvr.media.parameter_sets import restated
from livecam_nvr.media.timestamps import Timeline

_MAX_BOX = 64 << 20
_NON_SYNC = 0x10000
_BOX = struct.Struct(">I4s")
_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")
_TWO_U32 = struct.Struct(">II")
# The one layout that ffmpeg gives a fragment of one frame: moof, mfhd, traf, tfhd with duration, size and flags,
# tfdt of version 1, trun with one sample. It is read in one go; everything else is read box by box.
_PLAIN = struct.Struct(">I4x16x 4x4s 4x4sI I III 4x4sI Q 4x4sII4x")
_PLAIN_BOXES = (b"traf", b"tfhd", b"tfdt", b"trun")
_PLAIN_SMALLEST = _PLAIN.size + 4 + 8
_PLAIN_TFDT = 1 << 24  # version 1: the time has 64 bits
_PLAIN_DURATION_AT, _PLAIN_TFDT_AT = 48, 72
_PLAIN_TFHD = 0x020038
_PLAIN_TRUN, _PLAIN_TRUN_FIRST_FLAGS = 0x001, 0x005

Stamp = Callable[[float, float | None], tuple[float, int]]
"""Decode time and duration of a frame (seconds of the stream's clock) to arrival (monotonic s) and UTC (ns).

Sound without a frame has no duration here (None): it comes as it is buffered, and says nothing about the frames.
"""


class FragmentReader:
    """One run of a camera's ffmpeg: feed it what comes, get fragments.

    Times that cannot be true are put right (`Timeline`), in the fragments' bytes, too. A keyframe that brings
    other parameter sets than the init segment has begins a new one: `init` is then another, and so is the
    fragments'.

    Args:
        numbers: Gives each fragment its number; shared by all runs of the camera.
        stamp: Tells when a frame arrived and was taken.
        now: The service's monotonic clock, seconds.
    """

    def __init__(self, numbers: Iterator[int], stamp: Stamp, now: Callable[[], float] = monotonic) -> None:
        self.init: InitSegment | None = None
        self._numbers = numbers
        self._stamp = stamp
        self._now = now
        self._lines: dict[int, Timeline] = {}
        self._first = True
        """No keyframe has come yet."""
        self._chunks: list[bytes] = []
        self._held = 0
        self._need = 8
        self._ftyp = b""
        self._defaults: dict[int, tuple[int, int]] = {}
        self._video_id = 0
        self._video_scale = 1

    def feed(self, chunk: bytes) -> list[Fragment]:
        """The fragments that `chunk` completes.

        Raises:
            LivecamError: MEDIA if the bytes are not fragmented MP4, or have no video; the reader is then done.
        """
        if not self._chunks and (whole := self._plain(chunk)):
            return [whole]
        self._held += len(chunk)
        if self._held < self._need:
            self._chunks.append(chunk)
            return []
        data = b"".join((*self._chunks, chunk)) if self._chunks else chunk
        result: list[Fragment] = []
        at = 0
        try:
            while (size := self._unit_size(data, at)) and at + size <= len(data):
                unit = data if size == len(data) else data[at : at + size]
                at += size
                if fragment := self._unit(unit):
                    result.append(fragment)
        except (struct.error, IndexError) as error:
            raise broken("a fragment is damaged") from error
        rest = data[at:] if at else data
        self._chunks = [rest] if rest else []
        self._held = len(rest)
        self._need = max(8, size)
        return result

    def _plain(self, data: bytes) -> Fragment | None:
        """`data` as one whole fragment of the video in ffmpeg's usual layout, or None: then read it box by box."""
        if self.init is None or len(data) < _PLAIN_SMALLEST:
            return None
        (
            moof,
            traf,
            tfhd,
            tfhd_flags,
            track_id,
            duration,
            _,
            flags,
            tfdt,
            version,
            begin,
            trun,
            trun_flags,
            count,
        ) = _PLAIN.unpack_from(data)
        if (
            tfhd_flags != _PLAIN_TFHD
            or version != _PLAIN_TFDT
            or count != 1
            or track_id != self._video_id
            or (traf, tfhd, tfdt, trun) != _PLAIN_BOXES
        ):
            return None
        if moof == _PLAIN.size + 4 and trun_flags == _PLAIN_TRUN_FIRST_FLAGS:
            flags = _U32.unpack_from(data, _PLAIN.size)[0]
        elif moof != _PLAIN.size or trun_flags != _PLAIN_TRUN:
            return None
        mdat, kind = _BOX.unpack_from(data, moof)
        if kind != b"mdat" or moof + mdat != len(data):
            return None
        claimed = begin, duration
        begin, duration = self._lines[track_id].place(begin, duration, self._now())
        if (begin, duration) != claimed:
            data = _retimed(data, (_PLAIN_TFDT_AT, 8), begin, _PLAIN_DURATION_AT, duration)
        scale = self._video_scale
        arrived_s, utc_ns = self._stamp(begin / scale, duration / scale)
        track = TrackFragment(track_id, _PLAIN_TFDT_AT, 8, begin, duration, 1)
        sync, number = not flags & _NON_SYNC, next(self._numbers)
        if sync:
            self.init = self._described(self.init, data)
        return Fragment(self.init, data, number, sync, 1, begin, duration, (track,), arrived_s, utc_ns)

    def _unit_size(self, data: bytes, at: int) -> int:
        """Bytes of the next unit (`moof` with its `mdat`, or one other box), or how many are needed to tell."""
        have = len(data) - at
        if have < 8:  # noqa: PLR2004 - a box header
            return 8 if have else 0
        size, kind = _BOX.unpack_from(data, at)
        if size < 8 or size > _MAX_BOX:  # noqa: PLR2004
            raise broken(f"box {kind!r} claims {size} bytes")
        if kind != b"moof":
            return int(size)
        if have < size + 8:
            return int(size) + 8
        mdat, next_kind = _BOX.unpack_from(data, at + size)
        if next_kind != b"mdat" or mdat < 8 or mdat > _MAX_BOX:  # noqa: PLR2004
            raise broken(f"moof is followed by {next_kind!r} of {mdat} bytes")
        return int(size + mdat)

    def _unit(self, unit: bytes) -> Fragment | None:
        size, kind = _BOX.unpack_from(unit)
        if kind == b"moof":
            return self._fragment(unit, size)
        if kind == b"ftyp":
            self._ftyp = unit
        elif kind == b"moov":
            unit = name_hvc1(unit)
            tracks = parse_moov(unit, 8, size)
            if not any(t.kind == "video" for t in tracks):
                raise broken("it has no video track")
            self.init = InitSegment(self._ftyp + unit, tracks)
            self._defaults = default_samples(unit, 8, size)
            self._lines = {t.track_id: Timeline(t.timescale, sound=t.kind == "audio") for t in tracks}
            self._video_id = self.init.video.track_id
            self._video_scale = self.init.video.timescale
        return None

    def _fragment(self, data: bytes, moof_size: int) -> Fragment:
        if self.init is None:
            raise broken("a fragment came before the moov")
        keyframe, video = False, None
        tracks: list[TrackFragment] = []
        for kind, begin, end in children(data, 8, moof_size):
            if kind == b"traf":
                track, sync, duration_at = self._traf(data, begin, end)
                if track.samples == 1 and duration_at:
                    data, track = self._placed(data, track, duration_at)
                tracks.append(track)
                if track.track_id == self._video_id:
                    video, keyframe = track, sync
        if not tracks:
            raise broken("a fragment has no track")
        if video is None:  # sound alone: it stands at the video's clock
            other = tracks[0]
            scale = next((t.timescale for t in self.init.tracks if t.track_id == other.track_id), 0)
            if not scale:
                raise broken(f"a fragment of the unknown track {other.track_id}")
            time, duration, frames = other.time * self._video_scale // scale, 0, 0
        else:
            time, duration, frames = video.time, video.duration, video.samples
        lasts_s = None if video is None else duration / self._video_scale
        arrived_s, utc_ns = self._stamp(time / self._video_scale, lasts_s)
        if keyframe and frames:
            self.init = self._described(self.init, data)
        return Fragment(
            self.init,
            data,
            next(self._numbers),
            keyframe and frames > 0,
            frames,
            time,
            duration,
            tuple(tracks),
            arrived_s,
            utc_ns,
        )

    def _described(self, init: InitSegment, keyframe: bytes) -> InitSegment:
        first, self._first = self._first, False
        return restated(init, keyframe, first=first) or init

    def _placed(self, data: bytes, track: TrackFragment, duration_at: int) -> tuple[bytes, TrackFragment]:
        """A fragment's bytes and one track's part of it, with its one sample where it belongs in time."""
        line = self._lines.get(track.track_id)
        if line is None:
            raise broken(f"a fragment of the unknown track {track.track_id}")
        begin, duration = line.place(track.time, track.duration, self._now())
        if (begin, duration) == (track.time, track.duration):
            return data, track
        data = _retimed(data, (track.tfdt_at, track.tfdt_size), begin, duration_at, duration)
        return data, track._replace(time=begin, duration=duration)

    def _traf(self, data: bytes, begin: int, end: int) -> tuple[TrackFragment, bool, int]:
        """One track's part of a fragment, whether its first sample is a sync sample, where its duration stands.

        The latter is 0 if that is in the init segment.
        """
        duration_at = 0
        track_id = tfdt_at = tfdt_size = time = samples = duration = 0
        default_duration = default_flags = 0
        first_flags: int | None = None
        for kind, at, _ in children(data, begin, end):
            if kind == b"tfhd":
                track_id, default_duration, default_flags, duration_at = self._tfhd(data, at)
            elif kind == b"tfdt":
                tfdt_at, tfdt_size = at + 4, 8 if data[at] else 4
                time = (_U64 if data[at] else _U32).unpack_from(data, at + 4)[0]
            elif kind == b"trun":
                count, run_duration, flags, own_at = _trun(data, at, default_duration)
                duration_at = own_at or duration_at
                samples += count
                duration += run_duration
                if first_flags is None:
                    first_flags = default_flags if flags is None else flags
        if not track_id or not tfdt_at:
            raise broken("a traf lacks its tfhd or tfdt")
        sync = first_flags is not None and not first_flags & _NON_SYNC
        return TrackFragment(track_id, tfdt_at, tfdt_size, time, duration, samples), sync, duration_at

    def _tfhd(self, data: bytes, at: int) -> tuple[int, int, int, int]:
        """Track id, default sample duration and flags (its own, else the `trex`'s), where the duration stands."""
        duration_at = 0
        flags, track_id = _TWO_U32.unpack_from(data, at)
        duration, sample_flags = self._defaults.get(track_id, (0, 0))
        at += 8
        at += 8 * bool(flags & 0x01) + 4 * bool(flags & 0x02)
        if flags & 0x08:
            duration, duration_at = _U32.unpack_from(data, at)[0], at
            at += 4
        at += 4 * bool(flags & 0x10)
        if flags & 0x20:
            sample_flags = _U32.unpack_from(data, at)[0]
        return track_id, duration, sample_flags, duration_at


def _retimed(data: bytes, tfdt: tuple[int, int], begin: int, duration_at: int, duration: int) -> bytes:
    """A fragment's bytes with other times in them; `tfdt`: where its decode time stands and how long that is."""
    changed = bytearray(data)
    at, size = tfdt
    (_U64 if size == _U64.size else _U32).pack_into(changed, at, begin)
    _U32.pack_into(changed, duration_at, duration)
    return bytes(changed)


def _trun(data: bytes, at: int, default_duration: int) -> tuple[int, int, int | None, int]:
    """Sample count, their total duration, the first sample's flags and where its duration stands, if it does."""
    flags, count = _TWO_U32.unpack_from(data, at)
    at += 8 + 4 * bool(flags & 0x001)
    first: int | None = None
    if flags & 0x004:
        first = _U32.unpack_from(data, at)[0]
        at += 4
    size, duration_at, flags_at = 0, -1, -1
    if flags & 0x100:
        duration_at, size = size, size + 4
    size += 4 * bool(flags & 0x200)
    if flags & 0x400:
        flags_at, size = size, size + 4
    size += 4 * bool(flags & 0x800)
    if count and flags_at >= 0 and first is None:
        first = _U32.unpack_from(data, at + flags_at)[0]
    if duration_at < 0:
        return count, count * default_duration, first, 0
    if count * size > len(data) - at:
        raise broken("a trun claims more samples than it holds")
    total = sum(_U32.unpack_from(data, at + duration_at + size * n)[0] for n in range(count))
    return count, total, first, at + duration_at
