"""The janitor: when it deletes, what it never deletes, what it writes down."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import ClassVar

import pytest
from fakes.core_shedding import FakeShedding
from fakes.runtime_clock import NOON_UTC_NS, FakeClock
from fakes.storage_recordings import FakeLedger, segment
from support.waiting import until

from livecam_nvr.config import models
from livecam_nvr.config.recording import RecordingConfig
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import ClipChanged, FootageDeleted, SegmentFinished, SegmentRedated
from livecam_nvr.core.janitor import Janitor, Pace
from livecam_nvr.core.retention import Settings, Unlinked
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.ledger import Clip, Entry, EntryKind
from livecam_nvr.domain.retention import Recorded
from livecam_nvr.domain.segment import NS

MINUTE = 60 * NS
FAST = Pace(every_s=0.05, soon_s=0.0, step_pause_s=0.0)
GIB = 1 << 30


def recorded(age_min: int, size: int = 100, *, event: bool = False) -> Recorded:
    """A minute that ended so long ago."""
    end = NOON_UTC_NS - age_min * MINUTE
    return Recorded("cam0", f"cam0/{age_min}", end - MINUTE, end, size, event)


def clip(age_min: int, clip_id: str = "c") -> Clip:
    at = NOON_UTC_NS - age_min * MINUTE
    return Clip(clip_id, "cam0", "", "", at - 30 * NS, at - 20 * NS)


class Home:
    """A janitor and what it works with."""

    def __init__(
        self, shed: FakeShedding, limits: dict[str, object], ready: Callable[[], bool], pace: Pace
    ) -> None:
        self.shed = shed
        self.ledger = FakeLedger()
        self.bus = EventBus()
        self.clock = FakeClock()
        recording = RecordingConfig.model_validate({"retention": {"keep_free": 0, **limits}})
        settings = Settings.of(recording, [models.TestCamera(id="cam0", kind="test")])
        self.janitor = Janitor(shed, self.ledger, self.bus, self.clock, settings, ready=ready, pace=pace)

    @property
    def entries(self) -> list[Entry]:
        return list(self.ledger.entries.values())


@asynccontextmanager
async def running(
    shed: FakeShedding, ready: Callable[[], bool] = lambda: True, pace: Pace = FAST, **limits: object
) -> AsyncIterator[Home]:
    home = Home(shed, limits, ready, pace)
    await home.janitor.start()
    try:
        yield home
    finally:
        await home.janitor.stop()


async def looks(shed: FakeShedding, more: int = 2) -> None:
    """It has looked again, so what was to be done is done."""
    seen = shed.plans
    await until(lambda: shed.plans >= seen + more)


async def test_what_is_too_old_goes_in_small_steps_and_is_written_down_once() -> None:
    shed = FakeShedding([recorded(age) for age in range(100)], free_bytes=2 * GIB)
    async with running(shed, max_age_days=60 / 1440) as home:
        await until(lambda: len(shed.files) == 60)
        assert [len(step) for step in shed.steps] == [5] * 8
        assert shed.steps[0][0] == "cam0/99"
        await until(lambda: home.janitor.status().bytes == 6000)
        assert home.janitor.status().oldest_utc_ns == NOON_UTC_NS - 60 * MINUTE
        assert len(home.entries) == 1
        assert home.ledger.puts < len(shed.steps), "not a line for each step"
    (entry,) = home.entries
    assert (entry.kind, entry.camera_id) == (EntryKind.DELETED, "cam0")
    assert entry.begin_utc_ns == NOON_UTC_NS - 100 * MINUTE
    assert entry.end_utc_ns == NOON_UTC_NS - 60 * MINUTE
    assert entry.data == {"files": 40, "bytes": 4000, "reason": "age"}
    assert shed.unsettled == 0


async def test_each_pass_tells_once_what_has_gone() -> None:
    files = [recorded(age) for age in range(100)]
    files += [replace(recorded(age), camera_id="cam1", path=f"cam1/{age}") for age in range(55, 65)]
    shed = FakeShedding(files, free_bytes=2 * GIB)
    told: list[FootageDeleted] = []
    async with running(shed, max_age_days=60 / 1440) as home:
        home.bus.subscribe(FootageDeleted, told.append)
        await until(lambda: len(shed.files) == 65)
        await looks(shed)
        assert sorted(told, key=lambda event: event.camera_id) == [
            FootageDeleted("cam0", 40, 4000, "age"),
            FootageDeleted("cam1", 5, 500, "age"),
        ]
        told.clear()
        shed.files["cam0/61"] = recorded(61)
        await until(lambda: told == [FootageDeleted("cam0", 1, 100, "age")])
    assert len(told) == 1


async def test_what_has_gone_is_told_also_if_the_pass_fails_then() -> None:
    class Failing(FakeShedding):
        async def unlink(self, files: Sequence[Recorded]) -> Unlinked:
            if len(self.steps) == 2:
                raise LivecamError(ErrorKind.DISK, "input/output error")
            return await super().unlink(files)

    shed = Failing([recorded(age) for age in range(100)], free_bytes=2 * GIB)
    told: list[FootageDeleted] = []
    async with running(shed, max_age_days=60 / 1440) as home:
        home.bus.subscribe(FootageDeleted, told.append)
        await until(lambda: told)
        await looks(shed)
    assert told == [FootageDeleted("cam0", 10, 1000, "age")]


async def test_an_entry_grows_for_an_hour() -> None:
    shed = FakeShedding([recorded(age) for age in range(10)], free_bytes=2 * GIB)
    async with running(shed, max_size=1000) as home:
        for at in range(4):
            shed.files[f"new{at}"] = recorded(-at)
            await looks(shed)
            home.clock.advance(301)
            await until(lambda at=at: sum(int(entry.data["files"]) for entry in home.entries) == at + 1)
        assert (len(home.entries), home.ledger.puts) == (1, 5), "one to announce it, and one each five minutes"
        home.clock.advance(3600)
        await looks(shed)
        shed.files["last"] = recorded(-4)
        await looks(shed)
    assert [entry.data["files"] for entry in home.entries] == [4, 1]


async def test_what_goes_is_explained_before_it_goes() -> None:
    class Witness(FakeShedding):
        unexplained: ClassVar[list[Recorded]] = []

        async def unlink(self, files: Sequence[Recorded]) -> Unlinked:
            told = home.entries
            self.unexplained += [
                file
                for file in files
                if not any(
                    entry.begin_utc_ns <= file.begin_utc_ns and file.end_utc_ns <= (entry.end_utc_ns or 0)
                    for entry in told
                )
            ]
            return await super().unlink(files)

    shed = Witness([recorded(age) for age in range(100)], free_bytes=2 * GIB)
    async with running(shed, max_size=5000) as home:
        await until(lambda: len(shed.files) == 50)
        for at in range(30):
            shed.files[f"new{at}"] = recorded(-at)
            await looks(shed)
        assert shed.unexplained == [], "a service that is killed here could never tell of them"


async def test_it_looks_at_once_when_a_file_is_finished() -> None:
    shed = FakeShedding([recorded(1)], free_bytes=2 * GIB)
    async with running(shed, pace=Pace(3600, 0.0, 0.0), max_size=100) as home:
        await until(lambda: shed.plans == 1)
        shed.files["new"] = recorded(0)
        home.bus.publish(SegmentFinished(segment(NOON_UTC_NS)))
        await until(lambda: len(shed.files) == 1)


async def test_nothing_goes_before_the_index_and_the_clips_are_known() -> None:
    shed = FakeShedding([recorded(1000)], free_bytes=2 * GIB)
    asked = 0
    ready = False

    def is_ready() -> bool:
        nonlocal asked
        asked += 1
        return ready

    async with running(shed, ready=is_ready, max_age_days=0.1) as home:
        await until(lambda: asked > 2)
        assert home.janitor.status().bytes == 100
        assert (shed.plans, len(shed.files)) == (0, 1)
        ready = True
        await until(lambda: not shed.files)


async def test_an_index_that_is_being_rebuilt_does_not_have_the_wrong_ones_deleted() -> None:
    shed = FakeShedding([recorded(1000)], free_bytes=2 * GIB)
    shed.complete = False
    async with running(shed, max_age_days=0.1) as home:
        await looks(shed)
        assert len(shed.files) == 1
        home.clock.advance(3601)  # something keeps it from ever becoming complete
        await until(lambda: not shed.files)


async def test_unless_space_is_urgent() -> None:
    shed = FakeShedding([recorded(age, GIB // 4) for age in range(10)], free_bytes=GIB)
    shed.complete = False
    async with running(shed, keep_free=2 * GIB):
        await until(lambda: shed.free_bytes >= 2 * GIB)
        await looks(shed)
    assert len(shed.files) == 6


async def test_clips_stay_although_the_index_does_not_know_them_yet_or_any_more() -> None:
    shed = FakeShedding([recorded(age) for age in (500, 400, 300)], free_bytes=2 * GIB)
    shed.clips = [clip(400)]
    async with running(shed, max_age_days=0.2) as home:
        home.bus.publish(ClipChanged(clip(300, "new")))
        await until(lambda: not {"cam0/500"} & set(shed.files))
        shed.clips = []  # a damaged index was replaced
        home.clock.advance(24 * 3600)
        await looks(shed)
        assert set(shed.files) == {"cam0/400", "cam0/300"}
        home.bus.publish(ClipChanged(clip(400), removed=True))
        await until(lambda: set(shed.files) == {"cam0/300"})
        shed.clips = [clip(300, "new")]
        await looks(shed)
        home.bus.publish(ClipChanged(clip(300, "new"), removed=True))
        await looks(shed)  # the index lags behind
        shed.clips = []
        await until(lambda: not shed.files)


async def test_a_clip_that_is_kept_while_files_go_stays() -> None:
    shed = FakeShedding([recorded(age) for age in range(100, 200)], free_bytes=2 * GIB)
    home: Home

    def keep() -> None:
        if len(shed.steps) == 2:
            home.bus.publish(ClipChanged(clip(150)))

    shed.on_unlink = keep
    async with running(shed, max_age_days=0.01) as home:
        await until(lambda: len(shed.files) == 1)
        await looks(shed)
    assert set(shed.files) == {"cam0/150"}


async def test_a_clock_that_was_not_synchronised_makes_nothing_too_old() -> None:
    shed = FakeShedding([recorded(1000)], free_bytes=2 * GIB)
    home = Home(shed, {"max_age_days": 0.1}, lambda: True, FAST)
    home.clock.is_synchronised = False
    await home.janitor.start()
    await looks(shed)
    assert len(shed.files) == 1
    home.clock.advance(3601)  # nobody will ever set this clock
    await until(lambda: not shed.files)
    await home.janitor.stop()


async def test_a_recording_without_a_right_date_is_not_the_oldest() -> None:
    wrong = segment(NOON_UTC_NS - 10**6 * MINUTE, unsynced=True)
    file = Recorded("cam0", wrong.path, wrong.start_utc_ns, wrong.end_utc_ns, 100)
    shed = FakeShedding([recorded(age) for age in range(5)], free_bytes=2 * GIB)
    async with running(shed, max_size=500) as home:
        await looks(shed)
        home.bus.publish(SegmentFinished(wrong))
        shed.files[file.path] = file
        await until(lambda: len(shed.files) == 5)
        assert file.path in shed.files
        # The clock was right after all; only the mark is taken from it.
        home.bus.publish(SegmentRedated(replace(wrong, unsynced=False), wrong.path))
        shed.files["new"] = recorded(-1)
        await until(lambda: file.path not in shed.files)


async def test_a_recording_that_never_gets_a_right_date_waits_for_an_hour() -> None:
    wrong = segment(NOON_UTC_NS - 10**6 * MINUTE, unsynced=True)
    file = Recorded("cam0", wrong.path, wrong.start_utc_ns, wrong.end_utc_ns, 100)
    shed = FakeShedding([recorded(age) for age in range(5)], free_bytes=2 * GIB)
    async with running(shed, max_size=500) as home:
        home.bus.publish(SegmentFinished(wrong))
        shed.files[file.path] = file
        await until(lambda: len(shed.files) == 5)
        assert file.path in shed.files
        shed.files["new"] = recorded(-1)
        home.clock.advance(3601)
        await until(lambda: file.path not in shed.files)


async def test_pauses_between_steps_but_not_when_space_is_urgent() -> None:
    slow = Pace(every_s=0.05, soon_s=0.0, step_pause_s=30.0)
    calm = FakeShedding([recorded(age, GIB // 10) for age in range(50)], free_bytes=0)
    async with running(calm, pace=slow, keep_free=4 * GIB):
        # It hurries until 1.25 GiB are free (critical), and then takes its time.
        await until(lambda: calm.free_bytes >= 1.25 * GIB)
        for _ in range(100):
            await asyncio.sleep(0)
        assert calm.free_bytes < 1.25 * GIB + GIB
    assert calm.unsettled == 0, "stopping ends the pause, and settles"


async def test_what_fails_is_said_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    shed = FakeShedding([recorded(1000)], free_bytes=2 * GIB)
    shed.broken = True
    with caplog.at_level(logging.INFO):
        async with running(shed, max_age_days=0.1):
            await until(lambda: shed.refusals > 2)
            assert [record.getMessage() for record in caplog.records] == [
                "no recordings are deleted now: there is no index; mend it"
            ]
            shed.broken = False
            await until(lambda: not shed.files)


async def test_files_that_cannot_be_deleted_do_not_stop_the_rest() -> None:
    shed = FakeShedding([recorded(age) for age in range(1000, 1010)], free_bytes=2 * GIB)
    shed.stubborn = {"cam0/1009", "cam0/1004"}
    async with running(shed, max_age_days=0.1) as home:
        await until(lambda: len(shed.files) == 2)
        await looks(shed)
    assert set(shed.files) == shed.stubborn
    (entry,) = home.entries
    assert (entry.end_utc_ns, entry.data["files"]) == (NOON_UTC_NS - 1000 * MINUTE, 8), (
        "what was announced ahead is not"
    )


async def test_where_nothing_could_be_deleted_nothing_is_said_to_be() -> None:
    shed = FakeShedding([recorded(1000)], free_bytes=2 * GIB)
    shed.stubborn = {"cam0/1000"}
    async with running(shed, max_age_days=0.1) as home:
        await until(lambda: home.entries)
        await looks(shed)
    assert home.entries == []


async def test_a_disk_that_hangs_does_not_keep_the_service_from_ending() -> None:
    hangs = asyncio.Event()

    class Hanging(FakeShedding):
        async def unlink(self, files: Sequence[Recorded]) -> Unlinked:
            hangs.set()
            return await asyncio.Future()

        async def settle(self) -> None:
            await asyncio.Future()

    home = Home(Hanging([recorded(1000)], free_bytes=2 * GIB), {"max_age_days": 0.1}, lambda: True, FAST)
    await home.janitor.start()
    await hangs.wait()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await home.janitor.stop()
    assert "retention" not in {task.get_name() for task in asyncio.all_tasks()}
    assert (home.entries[0].end_utc_ns or 0) >= recorded(1000).end_utc_ns, "it may be gone: that stays explained"


async def test_stopping_twice_and_without_a_start() -> None:
    home = Home(FakeShedding([]), {}, lambda: True, FAST)
    await home.janitor.stop()
    async with running(FakeShedding([])) as home:
        await home.janitor.stop()


async def test_a_forecast_deletes_nothing() -> None:
    shed = FakeShedding([recorded(age) for age in (10, 100, 1000)], free_bytes=2 * GIB)
    async with running(shed) as home:
        await until(lambda: home.janitor.status().bytes == 300)
        rules, found = await home.janitor.forecast({"max_age_days": "0.05", "max_size": "100 B"})
        assert rules.whole.max_bytes == 100
        assert [(part.reason, part.files) for part in found.deletions] == [("age", 2)]
        rules, found = await home.janitor.forecast({"max_age_days": ""}, "cam0")
        assert (rules.whole.max_bytes, found.deletions) == (None, ())
        rules, found = await home.janitor.forecast({"max_size": "150"}, "cam0")
        assert rules.own("cam0").max_bytes == 150
        assert [(part.reason, part.files) for part in found.deletions] == [("size", 2)]
        assert len(shed.files) == 3


@pytest.mark.parametrize(
    ("changes", "camera_id", "kind", "said"),
    [
        ({"max_size": "lots"}, None, ErrorKind.INVALID, "max_size"),
        ({"max_age_days": "-1"}, None, ErrorKind.INVALID, "max_age_days"),
        ({"max_age_days": "nan"}, "cam0", ErrorKind.INVALID, "max_age_days"),
        ({"keep_free": "1"}, None, ErrorKind.INVALID, "warning_free"),
        ({"max_size": "1GB"}, "cam7", ErrorKind.NOT_FOUND, "cam7"),
    ],
)
async def test_limits_that_are_not_right(
    changes: dict[str, str], camera_id: str | None, kind: ErrorKind, said: str
) -> None:
    home = Home(FakeShedding([]), {}, lambda: True, FAST)
    with pytest.raises(LivecamError, match=said) as error:
        await home.janitor.forecast(changes, camera_id)
    assert error.value.kind is kind
    await home.janitor.stop()
