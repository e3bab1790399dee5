import pytest
from fakes.core_triggers import Cameras

from livecam_nvr.core.event_desk import LONGEST_S, MOST_AT_ONCE, EventReports
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.ledger import Entry, EntryKind
from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import NS, Segment
from livecam_nvr.domain.status import RecordingMode


def desk_of(cameras: Cameras) -> EventReports:
    return EventReports(
        cameras.switches,
        cameras.ledger,
        cameras.index,
        bus=cameras.bus,
        clock=cameras.clock,
        ticker=cameras.ticker,
    )


@pytest.fixture
def cameras() -> Cameras:
    return Cameras(RecordingMode.EVENTS, ids=("cam0", "cam1"))


@pytest.fixture
def desk(cameras: Cameras) -> EventReports:
    return desk_of(cameras)


def test_an_event_is_written_down_told_and_recorded(cameras: Cameras, desk: EventReports) -> None:
    cameras.film(10)
    began = cameras.clock.utc_ns()
    event = desk.begin_event("cam0", "person", "mqtt")
    assert (event.camera_id, event.label, event.source) == ("cam0", "person", "mqtt")
    assert (event.begin_utc_ns, event.end_utc_ns) == (began, None)
    assert cameras.status().active
    assert not cameras.status("cam1").active
    cameras.film(20)
    ended = desk.end_event("cam0", "person", "mqtt")
    assert ended is not None
    assert (ended.id, ended.begin_utc_ns, ended.end_utc_ns) == (event.id, began, began + 20 * NS)
    assert [changed.event for changed in cameras.events] == [event, ended]
    (entry,) = cameras.ledger.entries.values()
    assert (entry.kind, entry.id, entry.end_utc_ns) == (EntryKind.EVENT, event.id, ended.end_utc_ns)
    assert entry.data == {"label": "person", "source": "mqtt"}
    cameras.film(10)
    assert cameras.files[0].cause is EndCause.NO_EVENT


def test_one_that_lasts_already_is_not_begun_again(cameras: Cameras, desk: EventReports) -> None:
    first = desk.begin_event("cam0", "motion", "http")
    cameras.clock.advance(3)
    assert desk.begin_event("cam0", "motion", "http") == first
    assert desk.begin_event("cam0", "motion", "mqtt") != first, "another source"
    assert len(cameras.ledger.entries) == 2


def test_recording_goes_on_until_the_last_of_several_is_over(cameras: Cameras, desk: EventReports) -> None:
    cameras.film(1)
    desk.begin_event("cam0", "motion", "http")
    desk.begin_event("cam0", "person", "http")
    desk.end_event("cam0", "motion", "http")
    desk.report_event("cam0", "doorbell", "http")
    cameras.film(30)
    assert cameras.files[0].cause is None
    desk.end_event("cam0", "person", "http")
    cameras.film(10)
    assert cameras.files[0].cause is EndCause.NO_EVENT


def test_what_did_not_last_does_not_end(cameras: Cameras, desk: EventReports) -> None:
    assert desk.end_event("cam0", "motion", "http") is None
    assert cameras.events == []
    cameras.film(1)
    assert cameras.files == []


def test_what_is_over_already_began_before(cameras: Cameras, desk: EventReports) -> None:
    cameras.film(20)
    event = desk.report_event("cam0", "doorbell", "http", lasted_s=2.5)
    now = cameras.clock.utc_ns()
    assert (event.begin_utc_ns, event.end_utc_ns) == (now - 2_500_000_000, now)
    assert cameras.status().active
    cameras.film(10)
    assert not cameras.status().active


@pytest.mark.parametrize("label", ["", "Motion", "a" * 41, "a/b", "tür", "a\n", "motion\n"])
def test_a_label_that_is_not_right(cameras: Cameras, desk: EventReports, label: str) -> None:
    for call in (desk.begin_event, desk.end_event, desk.report_event):
        with pytest.raises(LivecamError, match="label") as caught:
            call("cam0", label, "http")
        assert caught.value.kind is ErrorKind.INVALID
        assert "motion" in caught.value.hint
    assert cameras.ledger.puts == []


@pytest.mark.parametrize("source", ["", "x" * 65, "a\nb"])
def test_a_source_that_is_not_right(desk: EventReports, source: str) -> None:
    with pytest.raises(LivecamError, match="source"):
        desk.begin_event("cam0", "motion", source)


@pytest.mark.parametrize("lasted_s", [-1, LONGEST_S + 1, float("nan"), float("inf"), 10**400])
def test_a_duration_that_is_not_right(cameras: Cameras, desk: EventReports, lasted_s: float) -> None:
    with pytest.raises(LivecamError, match="lasted"):
        desk.report_event("cam0", "motion", "http", lasted_s=lasted_s)
    assert cameras.ledger.puts == []


async def test_an_unknown_camera(desk: EventReports) -> None:
    for call in (desk.begin_event, desk.end_event, desk.report_event):
        with pytest.raises(LivecamError, match="attic"):
            call("attic", "motion", "http")
    with pytest.raises(LivecamError, match="attic"):
        await desk.events("attic", 0, 1)


def test_not_too_many_last_at_once(cameras: Cameras, desk: EventReports) -> None:
    for number in range(MOST_AT_ONCE):
        desk.begin_event("cam0", f"motion {number}", "http")
    with pytest.raises(LivecamError, match="last already") as caught:
        desk.begin_event("cam0", "one more", "http")
    assert caught.value.kind is ErrorKind.CONFLICT
    assert len(cameras.ledger.entries) == MOST_AT_ONCE
    desk.begin_event("cam1", "motion", "http")
    desk.end_event("cam0", "motion 3", "http")
    desk.begin_event("cam0", "one more", "http")


def test_one_that_nobody_ends_is_over_after_an_hour(
    cameras: Cameras, desk: EventReports, caplog: pytest.LogCaptureFixture
) -> None:
    cameras.film(1)
    began = cameras.clock.utc_ns()
    desk.begin_event("cam0", "motion", "http")
    cameras.clock.advance(1000)
    assert cameras.ticker.look() == pytest.approx(LONGEST_S - 1000)
    cameras.clock.advance(LONGEST_S - 1001)
    cameras.ticker.look()
    assert cameras.events[-1].event.end_utc_ns is None
    cameras.clock.advance(1)
    cameras.ticker.look()
    assert cameras.events[-1].event.end_utc_ns == began + LONGEST_S * NS
    assert "never ended" in caplog.text
    cameras.film(11)
    assert not cameras.status().active
    assert desk.end_event("cam0", "motion", "http") is None


def test_what_lasts_when_the_service_stops_ends_then(cameras: Cameras, desk: EventReports) -> None:
    began = cameras.clock.utc_ns()
    desk.begin_event("cam0", "motion", "http")
    cameras.clock.advance(7)
    desk.stop()
    desk.stop()
    assert [changed.event.end_utc_ns for changed in cameras.events] == [None, began + 7 * NS]
    late = desk.begin_event("cam0", "motion", "http")
    assert late.end_utc_ns == late.begin_utc_ns, "nobody would end it any more"


def test_a_clock_that_is_set_does_not_change_how_long_it_lasted(cameras: Cameras, desk: EventReports) -> None:
    event = desk.begin_event("cam0", "motion", "http")
    cameras.clock.advance(5)
    cameras.clock.step(-3600)
    ended = desk.end_event("cam0", "motion", "http")
    assert ended is not None
    assert ended.end_utc_ns == event.begin_utc_ns + 5 * NS


def test_the_end_is_told_by_a_clock_that_is_right_by_then(cameras: Cameras, desk: EventReports) -> None:
    cameras.clock.is_synchronised = False
    desk.begin_event("cam0", "motion", "http")
    cameras.clock.advance(5)
    cameras.clock.step(100_000)
    cameras.clock.is_synchronised = True
    ended = desk.end_event("cam0", "motion", "http")
    assert ended is not None
    assert ended.end_utc_ns == cameras.clock.utc_ns()


async def test_the_events_of_a_range(cameras: Cameras, desk: EventReports) -> None:
    now = cameras.clock.utc_ns()
    first = desk.report_event("cam0", "motion", "http", lasted_s=5)
    desk.report_event("cam1", "motion", "http", lasted_s=5)
    cameras.clock.advance(100)
    lasting = desk.begin_event("cam0", "person", "mqtt")
    assert await desk.events("cam0", now - 60 * NS, now + 60 * NS) == [first]
    assert await desk.events("cam0", now + 60 * NS, now + 160 * NS) == [lasting]


def segment(camera_id: str, begin_utc_ns: int, seconds: int) -> Segment:
    return Segment(
        camera_id,
        "x.mp4",
        begin_utc_ns,
        seconds * NS,
        0,
        1,
        1,
        1,
        0,
        EndCause.SERVICE,
        "avc1",
        640,
        360,
    )


async def test_what_a_crash_cut_off_ends_with_the_last_that_was_recorded_of_it(cameras: Cameras) -> None:
    begin = cameras.clock.utc_ns() - 500 * NS
    data = {"label": "motion", "source": "mqtt"}
    seen, blind = (Entry(camera, EntryKind.EVENT, begin, None, data) for camera in ("cam0", "cam1"))
    long_ago = Entry("cam0", EntryKind.EVENT, begin - 20_000 * NS, None, data)
    over = Entry("cam0", EntryKind.EVENT, begin, begin + NS, data)
    for entry in (seen, blind, long_ago, over):
        cameras.ledger.put(entry)
    cameras.index.segments = [segment("cam0", begin - 20_010 * NS, 9_000), segment("cam0", begin - 20 * NS, 60)]
    desk = desk_of(cameras)
    cameras.clock.advance(3)
    ours = desk.begin_event("cam0", "motion", "mqtt")
    await desk.end_those_cut_off()
    ends = {key: entry.end_utc_ns for key, entry in cameras.ledger.entries.items()}
    assert ends == {
        seen.id: begin + 40 * NS,
        blind.id: begin,
        long_ago.id: begin - 20_000 * NS + LONGEST_S * NS,
        over.id: begin + NS,
        ours.id: None,
    }
    puts = len(cameras.ledger.puts)
    await desk.end_those_cut_off()
    assert len(cameras.ledger.puts) == puts


async def test_without_an_index_they_wait_for_the_next_start(cameras: Cameras, desk: EventReports) -> None:
    cameras.ledger.away = True
    with pytest.raises(LivecamError, match="index"):
        await desk.end_those_cut_off()
    assert desk.begin_event("cam0", "motion", "http").end_utc_ns is None


def test_it_knows_what_lasts_and_what_began_last(cameras: Cameras, desk: EventReports) -> None:
    assert (desk.lasting("cam0"), desk.newest("cam0")) == ((), None)
    motion = desk.begin_event("cam0", "motion", "mqtt")
    desk.begin_event("cam0", "motion", "http")
    person = desk.begin_event("cam0", "person", "http")
    assert desk.lasting("cam0") == ("motion", "person")
    assert desk.newest("cam0") == person
    assert (desk.lasting("cam1"), desk.newest("cam1")) == ((), None)
    cameras.clock.advance(5)
    desk.end_event("cam0", "motion", "mqtt")
    assert desk.lasting("cam0") == ("motion", "person"), "one of two sources still says so"
    assert desk.newest("cam0") == person, "the end of an older one is no newer beginning"
    ended = desk.end_event("cam0", "person", "http")
    assert desk.newest("cam0") == ended
    assert ended is not None
    assert (ended.id, ended.end_utc_ns) == (person.id, person.begin_utc_ns + 5 * NS)
    assert desk.lasting("cam0") == ("motion",)
    moment = desk.report_event("cam0", "doorbell", "mqtt", lasted_s=600)
    assert desk.newest("cam0") == moment, "told last, although it began before"
    assert desk.lasting("cam0") == ("motion",)
    assert motion.id != moment.id
    desk.remove("cam0")
    assert (desk.lasting("cam0"), desk.newest("cam0")) == ((), None)


async def test_what_an_earlier_run_left_open_is_no_news(cameras: Cameras) -> None:
    began = cameras.clock.utc_ns() - 100 * NS
    data = {"label": "motion", "source": "http"}
    cameras.ledger.put(Entry("cam0", EntryKind.EVENT, began, None, data))
    desk = desk_of(cameras)
    await desk.end_those_cut_off()
    assert [changed.event.end_utc_ns for changed in cameras.events] == [began]
    assert (desk.lasting("cam0"), desk.newest("cam0")) == ((), None)
