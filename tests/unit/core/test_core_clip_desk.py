import pytest
from fakes.core_triggers import Cameras

from livecam_nvr.core.clip_desk import LONGEST_S, MOST_S, KeptClips
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import RecordingMode


@pytest.fixture
def cameras() -> Cameras:
    return Cameras(RecordingMode.EVENTS, ids=("cam0", "cam1"))


@pytest.fixture
def desk(cameras: Cameras) -> KeptClips:
    return KeptClips(
        cameras.switches,
        cameras.ledger,
        cameras.index,
        bus=cameras.bus,
        clock=cameras.clock,
        before_s=30,
        after_s=20,
    )


async def recorded(cameras: Cameras, seconds: int) -> None:
    """So much is in finished files."""
    cameras.switches.set_mode("cam0", RecordingMode.ALWAYS, by="the test")
    cameras.film(seconds)
    cameras.switches.set_mode("cam0", RecordingMode.EVENTS, by="the test")
    begin = cameras.files[0].start.start_utc_ns
    cameras.archive.settle()
    segment = cameras.files[0].segment()
    cameras.index.add(segment)
    assert segment.start_utc_ns == begin


async def test_kept_at_once_with_both_times(cameras: Cameras, desk: KeptClips) -> None:
    cameras.film(60)
    now = cameras.clock.utc_ns()
    clip = desk.keep("cam0", by="MQTT", title="the parcel")
    assert (clip.camera_id, clip.title, clip.by) == ("cam0", "the parcel", "MQTT")
    assert (clip.begin_utc_ns, clip.end_utc_ns) == (now - 30 * NS, now + 20 * NS)
    (entry,) = cameras.ledger.entries.values()
    assert (entry.id, entry.kind, entry.end_utc_ns) == (clip.id, EntryKind.CLIP, clip.end_utc_ns)
    assert [(changed.clip, changed.removed) for changed in cameras.clips] == [(clip, False)]
    assert cameras.status().keeping_until_utc_ns == clip.end_utc_ns
    cameras.film(21)
    file = cameras.files[0]
    assert file.start.start_utc_ns == clip.begin_utc_ns
    assert file.fragments[-1].utc_ns + NS // 4 >= clip.end_utc_ns
    assert not cameras.status().active


def test_other_times_than_usual(cameras: Cameras, desk: KeptClips) -> None:
    now = cameras.clock.utc_ns()
    clip = desk.keep("cam0", by="MQTT", before_s=0, after_s=5)
    assert (clip.begin_utc_ns, clip.end_utc_ns) == (now, now + 5 * NS)


def test_pressed_again_while_it_grows_it_goes_on_longer(cameras: Cameras, desk: KeptClips) -> None:
    first = desk.keep("cam0", by="MQTT")
    other = desk.keep("cam1", by="MQTT")
    cameras.clock.advance(15)
    again = desk.keep("cam0", by="MQTT")
    assert (again.id, again.begin_utc_ns) == (first.id, first.begin_utc_ns)
    assert again.end_utc_ns == first.end_utc_ns + 15 * NS
    assert desk.keep("cam0", by="MQTT", title="another").id not in {first.id, other.id}
    cameras.clock.advance(21)
    assert desk.keep("cam0", by="MQTT").id != first.id


def test_pressed_for_ever_it_becomes_several(cameras: Cameras, desk: KeptClips) -> None:
    for _ in range(1000):
        desk.keep("cam0", by="a mad automation")
        cameras.clock.advance(19)
    entries = list(cameras.ledger.entries.values())
    assert len(entries) == 3
    assert all((e.end_utc_ns or 0) - e.begin_utc_ns <= 2 * MOST_S * NS for e in entries)


@pytest.mark.parametrize(
    ("before_s", "after_s"),
    [
        (-1, 5),
        (5, -1),
        (MOST_S + 1, 0),
        (0, MOST_S + 1),
        (float("nan"), 1),
        (1, float("inf")),
        (0, 0),
        (10**400, 1),
    ],
)
def test_times_that_are_not_right(cameras: Cameras, desk: KeptClips, before_s: float, after_s: float) -> None:
    with pytest.raises(LivecamError) as caught:
        desk.keep("cam0", by="MQTT", before_s=before_s, after_s=after_s)
    assert caught.value.kind is ErrorKind.INVALID
    assert caught.value.hint
    assert cameras.ledger.puts == []
    assert cameras.status().idle is not None


@pytest.mark.parametrize("title", ["x" * 101, "two\nlines", "\x00"])
async def test_titles_that_are_not_right(cameras: Cameras, desk: KeptClips, title: str) -> None:
    with pytest.raises(LivecamError, match="title"):
        desk.keep("cam0", by="MQTT", title=title)
    with pytest.raises(LivecamError, match="title"):
        await desk.keep_range("cam0", 0, NS, by="MQTT", title=title)
    assert cameras.ledger.puts == []


async def test_an_unknown_camera(desk: KeptClips) -> None:
    with pytest.raises(LivecamError, match="attic"):
        desk.keep("attic", by="MQTT")
    with pytest.raises(LivecamError, match="attic"):
        await desk.keep_range("attic", 0, NS, by="MQTT")
    with pytest.raises(LivecamError, match="attic"):
        await desk.clips("attic")


async def test_a_range_of_the_past(cameras: Cameras, desk: KeptClips) -> None:
    begin = cameras.clock.utc_ns()
    await recorded(cameras, 20)
    cameras.film(100)
    clip = await desk.keep_range("cam0", begin - 5 * NS, begin + 30 * NS, by="the page", title="a fox")
    assert (clip.begin_utc_ns, clip.end_utc_ns, clip.title) == (begin - 5 * NS, begin + 30 * NS, "a fox")
    assert list(cameras.ledger.entries) == [clip.id]
    assert cameras.status().keeping_until_utc_ns is None
    with pytest.raises(LivecamError, match="nothing of cam0 was recorded") as caught:
        await desk.keep_range("cam0", begin + 50 * NS, begin + 60 * NS, by="the page")
    assert caught.value.kind is ErrorKind.NOT_FOUND


async def test_a_range_of_the_file_that_is_being_written(cameras: Cameras, desk: KeptClips) -> None:
    cameras.film(10)
    cameras.switches.event("cam0", lasts=True)
    cameras.film(10)
    now = cameras.clock.utc_ns()
    clip = await desk.keep_range("cam0", now - 5 * NS, now + 1000 * NS, by="the page")
    assert clip.end_utc_ns == now, "what is to come cannot be kept this way"


@pytest.mark.parametrize(
    ("begin_s", "end_s"), [(0, 0), (10, 0), (100, 200), (-LONGEST_S - 100, 0), (-(10**12), 10**12)]
)
async def test_ranges_that_are_not_right(cameras: Cameras, desk: KeptClips, begin_s: int, end_s: int) -> None:
    now = cameras.clock.utc_ns()
    with pytest.raises(LivecamError) as caught:
        await desk.keep_range("cam0", now + int(begin_s) * NS, now + int(end_s) * NS, by="the page")
    assert caught.value.kind is ErrorKind.INVALID


async def test_the_newest_clip_comes_first(cameras: Cameras, desk: KeptClips) -> None:
    old = Entry("cam1", EntryKind.CLIP, 5, 10, {"title": "old", "by": "the page"})
    cameras.ledger.put(old)
    first = desk.keep("cam0", by="MQTT", title="first")
    cameras.clock.advance(1)
    second = desk.keep("cam0", by="MQTT", title="second")
    assert [clip.id for clip in await desk.clips()] == [second.id, first.id, old.id]
    assert [clip.title for clip in await desk.clips("cam1")] == ["old"]


async def test_given_up_it_is_gone(cameras: Cameras, desk: KeptClips) -> None:
    clip = desk.keep("cam0", by="MQTT")
    assert await desk.release(clip.id, by="the page") == clip
    assert cameras.ledger.entries == {}
    assert (cameras.clips[-1].clip, cameras.clips[-1].removed) == (clip, True)
    assert await desk.clips() == []
    for unknown in (clip.id, "no-such-clip"):
        with pytest.raises(LivecamError, match="no such clip") as caught:
            await desk.release(unknown, by="the page")
        assert caught.value.kind is ErrorKind.NOT_FOUND
    assert desk.keep("cam0", by="MQTT").id != clip.id, "what was given up does not grow again"


async def test_only_clips_can_be_given_up(cameras: Cameras, desk: KeptClips) -> None:
    event = Entry("cam0", EntryKind.EVENT, 0, 1)
    cameras.ledger.put(event)
    with pytest.raises(LivecamError, match="no such clip"):
        await desk.release(event.id, by="the page")
    assert list(cameras.ledger.entries) == [event.id]


async def test_what_the_ledger_does_not_find_yet_is_known_all_the_same(cameras: Cameras, desk: KeptClips) -> None:
    kept = desk.keep("cam0", by="MQTT")
    cameras.ledger.entries.clear()  # it takes a moment
    assert await desk.clips() == [kept]
    cameras.clock.advance(6)
    assert await desk.clips() == []


async def test_what_the_ledger_still_finds_is_gone_all_the_same(cameras: Cameras, desk: KeptClips) -> None:
    kept = desk.keep("cam0", by="MQTT")
    (entry,) = cameras.ledger.entries.values()
    await desk.release(kept.id, by="MQTT")
    cameras.ledger.entries[kept.id] = entry
    assert await desk.clips() == []
    with pytest.raises(LivecamError, match="no such clip"):
        await desk.release(kept.id, by="MQTT")
