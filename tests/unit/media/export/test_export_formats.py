import struct

import pytest
from fakes.storage_fragments import make_clip, read_clip

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.media import base_times, rebased
from livecam_nvr.media.boxes import find
from livecam_nvr.media.export.formats import (
    annex_b,
    conflicting,
    entry_for,
    free_id,
    parameter_sets,
    read_format,
    with_sets,
)
from livecam_nvr.media.export.samples import SampleReader
from livecam_nvr.media.export.tables import Track, movie


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, bytes]]:
    """Init segment and fragments of each kind."""
    found = {}
    for kind in ("h264", "bframes", "hevc", "aac"):
        fragments = read_clip(make_clip(tmp_path_factory.mktemp("formats") / f"{kind}.mp4", kind, 1))
        bases = base_times(fragments[0])
        body = b"".join(bytes(part) for fragment in fragments for part in rebased(fragment, bases))
        found[kind] = fragments[0].init.data, body
    return found


def test_what_a_stream_says_of_itself(streams: dict[str, tuple[bytes, bytes]]) -> None:
    aac = read_format(streams["aac"][0])
    assert (aac.video.fourcc, aac.video.width, aac.video.height, aac.hevc) == ("avc1", 320, 180, False)
    assert aac.sound is not None
    assert (aac.sound.fourcc, aac.sound.timescale) == ("mp4a", 48_000)
    hevc = read_format(streams["hevc"][0])
    assert hevc.hevc
    assert hevc.sound is None
    assert [nal[0] >> 1 for nal in parameter_sets(hevc.video)][:3] == [32, 33, 34]
    for damaged in (b"", streams["h264"][0][:40], streams["h264"][0].replace(b"avc1", b"vp09")):
        with pytest.raises(LivecamError):
            read_format(damaged)


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_samples_come_out_whatever_the_chunks(streams: dict[str, tuple[bytes, bytes]], size: int) -> None:
    init, body = streams["bframes"]
    reader = SampleReader(init)
    samples = [one for at in range(0, len(body), size) for one in reader.feed(body[at : at + size])]
    reader.end()
    assert len(samples) == 15
    assert [one.sync for one in samples] == [True] + [False] * 14
    assert len({one.pts for one in samples}) == 15
    assert all(one.data in body for one in samples)
    assert sum(len(one.data) for one in samples) > len(body) * 0.8


def test_a_stream_that_breaks_off(streams: dict[str, tuple[bytes, bytes]]) -> None:
    init, body = streams["h264"]
    reader = SampleReader(init)
    reader.feed(body[:-10])
    with pytest.raises(LivecamError, match="cut off"):
        reader.end()
    at = body.index(b"trun")
    with pytest.raises(LivecamError):
        SampleReader(init).feed(body[: at + 8] + struct.pack(">I", 1 << 30) + body[at + 12 :])
    with pytest.raises(LivecamError):
        SampleReader(init).feed(b"\0\0\0\1moof" + b"\xff" * 8)


def test_parameter_sets_of_one_id_cannot_stand_together(streams: dict[str, tuple[bytes, bytes]]) -> None:
    one, other = (read_format(streams[kind][0]).video for kind in ("h264", "bframes"))
    assert not conflicting([one, one])
    assert conflicting([one, other])
    assert free_id([one, other]) == 1


def test_one_description_of_two(streams: dict[str, tuple[bytes, bytes]]) -> None:
    track = read_format(streams["h264"][0]).video
    sets = parameter_sets(track)
    assert entry_for(track, sets, in_band=False) == track.entry
    assert entry_for(track, sets, in_band=True)[4:8] == b"avc3"
    # The same sets once more, of a higher profile and level.
    sps = bytes((sets[0][0], 100, 0, 41)) + sets[0][4:]
    entry = entry_for(track, [*sets, sps], in_band=False)
    assert struct.unpack(">I", entry[:4])[0] == len(entry)
    box = find(entry, 86, len(entry), b"avcC")
    assert box is not None
    assert entry[box[0] + 1 : box[0] + 4] == bytes((100, 0, 41))
    assert entry[box[0] + 5] & 0x1F == 2


def test_nal_units() -> None:
    sample = b"\0\0\0\2ab\0\0\0\1c"
    assert annex_b(sample, 4) == b"\0\0\0\1ab\0\0\0\1c"
    assert with_sets(sample, [b"xyz"], 4) == b"\0\0\0\3xyz" + sample


def test_places_beyond_four_gigabytes_have_64_bits() -> None:
    track = Track(video=True, timescale=90_000, entry=b"\0\0\0\x08avc1", width=640, height=360)
    for number in range(3):
        track.add(number * 3000, 3000, 0, 100, sync=number == 0, at=(5 << 30) * number)
    moov = movie([track], 1000, 1_790_000_000, {"\xa9nam": "Fuchs"}, large=True)
    at = moov.index(b"co64") + 8
    assert struct.unpack_from(">IQQQ", moov, at) == (3, 1000, 1000 + (5 << 30), 1000 + (10 << 30))
    assert b"Fuchs" in moov
    assert b"stco" not in moov
