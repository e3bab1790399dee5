"""An archive with recordings in it, made from one real GOP whose times are moved: quick, whatever their length."""

from pathlib import Path

from fakes.storage_fragments import with_changes

from livecam_nvr.core.ports import SegmentStart
from livecam_nvr.domain.media import EndCause, Fragment
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.storage.files.names import Names
from livecam_nvr.storage.files.segment_file import SegmentFile


def moved(fragment: Fragment, seconds: int) -> Fragment:
    """The fragment, decoded and taken so much later."""
    data = bytearray(fragment.data)
    tracks = []
    scales = {track.track_id: track.timescale for track in fragment.init.tracks}
    for track in fragment.tracks:
        time = track.time + seconds * scales[track.track_id]
        data[track.tfdt_at : track.tfdt_at + track.tfdt_size] = time.to_bytes(track.tfdt_size, "big")
        tracks.append(track._replace(time=time))
    return with_changes(
        fragment,
        data=bytes(data),
        tracks=tuple(tracks),
        time=fragment.time + seconds * fragment.init.video.timescale,
        utc_ns=fragment.utc_ns + seconds * NS,
    )


def record(
    root: Path,
    second: list[Fragment],
    begin_utc_ns: int,
    lengths_s: list[int],
    *,
    camera_id: str = "cam0",
    run_id: int = 4711,
    sequence: int = 0,
    utc_offset_s: int = 3600,
    last: EndCause = EndCause.CLOCK,
) -> list[Segment]:
    """Segments one after the other, each of so many seconds; `second` is a GOP of one second."""
    names = Names()
    found = []
    at = 0
    for number, length in enumerate(lengths_s):
        began = begin_utc_ns + at * NS
        start = SegmentStart(camera_id, second[0].init, began, utc_offset_s, run_id, sequence + number)
        file = SegmentFile(root, start, names)
        file.create()
        for step in range(at, at + length):
            file.write([moved(fragment, step) for fragment in second])
        file.finish(last if number == len(lengths_s) - 1 else EndCause.CLOCK)
        found.append(file.seal())
        at += length
    return found
