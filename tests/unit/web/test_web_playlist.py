"""HLS playlists out of what the hub remembers."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.domain.media import Fragment, InitSegment, Track, TrackFragment
from livecam_nvr.domain.segment import NS
from livecam_nvr.web.playlist import Shelf, finished_gops, gop_bytes, master_playlist, media_playlist, shelve

SCALE = 1000
BEGAN_NS = 1_795_000_000 * NS


def make_init() -> InitSegment:
    return InitSegment(b"init", (Track(1, "video", "avc1.42c01f", SCALE, 1280, 720),))


class Camera:
    """Makes fragments as a camera's runs do."""

    def __init__(self) -> None:
        self.ring: list[Fragment] = []
        self.running: InitSegment | None = None
        self._number = 0
        self._time = 0

    def frame(self, *, keyframe: bool = False, duration: int = 40) -> None:
        if self.running is None:
            self.running, self._time, keyframe = make_init(), 0, True
        track = TrackFragment(1, 8, 8, self._time, duration, 1)
        data = b"%06d" % self._number
        utc_ns = BEGAN_NS + self._number * NS // 25
        init, number, time = self.running, self._number, self._time
        self.ring.append(Fragment(init, data, number, keyframe, 1, time, duration, (track,), 0.0, utc_ns))
        self._number += 1
        self._time += duration

    def gop(self, frames: int = 25, duration: int = 40) -> None:
        for at in range(frames):
            self.frame(keyframe=at == 0, duration=duration)

    def end(self) -> None:
        self.running = None
        self._number += 3  # fragments before the next keyframe were nobody's

    def shelf(self, before: Shelf = Shelf()) -> Shelf:  # noqa: B008 - frozen
        return shelve(before, finished_gops(self.ring, self.running))


def test_a_playlist_line_by_line() -> None:
    camera = Camera()
    for _ in range(3):
        camera.gop()
    camera.end()
    camera.gop(frames=30)
    camera.frame(keyframe=True)  # the newest GOP is not finished
    text = media_playlist(camera.shelf())
    assert text.splitlines() == [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-MEDIA-SEQUENCE:380000001",
        "#EXT-X-DISCONTINUITY-SEQUENCE:26388",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MAP:URI="init-26388.mp4"',
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-18T11:06:41.000Z",
        "#EXTINF:1.00000,",
        "380000001.m4s",
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-18T11:06:42.000Z",
        "#EXTINF:1.00000,",
        "380000002.m4s",
        "#EXT-X-DISCONTINUITY",
        '#EXT-X-MAP:URI="init-26389.mp4"',
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-18T11:06:43.120Z",
        "#EXTINF:1.20000,",
        "380000003.m4s",
    ]


def test_the_master_playlist_says_what_it_is() -> None:
    camera = Camera()
    camera.gop()
    camera.gop()
    assert master_playlist(camera.shelf()).splitlines()[3:] == [
        '#EXT-X-STREAM-INF:BANDWIDTH=1200,AVERAGE-BANDWIDTH=1200,CODECS="avc1.42c01f",RESOLUTION=1280x720',
        "live.m3u8",
    ]


def test_a_frame_lost_inside_a_gop_does_not_shorten_it() -> None:
    camera = Camera()
    camera.gop()
    camera.gop()
    del camera.ring[10]
    del camera.ring[23]  # the last one of the first GOP: its follower says where the GOP ends
    (gop,) = finished_gops(camera.ring, camera.running)
    assert gop.duration_s == pytest.approx(1.0)


def test_bytes_of_a_gop_and_of_one_that_is_gone() -> None:
    camera = Camera()
    for _ in range(3):
        camera.gop(frames=3)
    first, second = finished_gops(camera.ring, camera.running)
    assert gop_bytes(camera.ring, second) == b"000003000004000005"
    assert gop_bytes(camera.ring[3:], first) is None
    assert gop_bytes(camera.ring[3:], second) == b"000003000004000005"
    assert gop_bytes([], second) is None


def test_a_service_that_starts_again_counts_on_from_above() -> None:
    camera = Camera()
    for _ in range(4):
        camera.gop()
    before = camera.shelf()
    later = [f._replace(utc_ns=f.utc_ns + 3600 * NS) for f in camera.ring]
    after = shelve(Shelf(), finished_gops(later, camera.running))
    assert before.last is not None
    assert after.entries[0].sequence > before.last.sequence
    assert after.entries[0].run > before.last.run


def test_the_run_number_stays_small() -> None:
    """Players keep a list of that length, and some walk through it each time they read the playlist."""
    camera = Camera()
    camera.gop()
    camera.end()
    last = camera.shelf().last
    assert last is not None
    assert last.run < 100_000


def read(text: str) -> tuple[int, int, int, list[tuple[str, float, int]]]:
    """Target duration, media sequence, discontinuity sequence; and uri, duration, run of each segment."""

    def tag(name: str) -> int:
        return int(re.findall(rf"^#EXT-X-{name}:(\d+)$", text, re.MULTILINE)[0])

    run = tag("DISCONTINUITY-SEQUENCE")
    segments: list[tuple[str, float, int]] = []
    duration = 0.0
    for line in text.splitlines():
        if line == "#EXT-X-DISCONTINUITY":
            run += 1
        elif line.startswith("#EXTINF:"):
            duration = float(line[8:-1])
        elif not line.startswith("#"):
            segments.append((line, duration, run))
    return tag("TARGETDURATION"), tag("MEDIA-SEQUENCE"), tag("DISCONTINUITY-SEQUENCE"), segments


steps = st.lists(
    st.one_of(
        st.tuples(st.just("gop"), st.integers(1, 5), st.integers(1, 4000)),
        st.tuples(st.just("end"), st.just(0), st.just(0)),
        st.tuples(st.just("forget"), st.integers(1, 6), st.just(0)),
        st.tuples(st.just("ask"), st.just(0), st.just(0)),
    ),
    min_size=1,
    max_size=40,
)


@given(steps)
def test_whatever_happens_a_viewer_can_follow(plan: list[tuple[str, int, int]]) -> None:
    camera = Camera()
    shelf = Shelf()
    seen: dict[str, tuple[float, int]] = {}
    sequence = discontinuity = target = 0
    for what, amount, duration in [*plan, ("ask", 0, 0)]:
        if what == "gop":
            camera.gop(amount, duration)
        elif what == "end":
            camera.end()
        elif what == "forget":
            for _ in range(amount):  # as the hub does it: whole GOPs, never the last one
                starts = [at for at, f in enumerate(camera.ring) if f.keyframe]
                if len(starts) > 1:
                    del camera.ring[: starts[1]]
        else:
            shelf = camera.shelf(shelf)
            if not shelf.entries:
                continue
            new_target, new_sequence, new_discontinuity, segments = read(media_playlist(shelf))
            assert new_sequence >= sequence
            assert new_discontinuity >= discontinuity
            assert new_target >= target
            sequence, discontinuity, target = new_sequence, new_discontinuity, new_target
            for at, (uri, seconds, run) in enumerate(segments):
                assert uri == f"{sequence + at}.m4s"
                assert math.ceil(seconds - 1e-4) <= target
                assert seen.setdefault(uri, (seconds, run)) == (seconds, run)
                entry = shelf.find(sequence + at)
                assert entry is not None
                assert gop_bytes(camera.ring, entry.gop)
                assert shelf.init_of(run) is entry.gop.init
