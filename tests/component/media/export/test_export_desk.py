"""Orders for exports: how they are carried out, given up, kept."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes.export_footage import BEGAN, ClipFootage
from fakes.runtime_clock import FakeClock
from support.packets import is_faststart
from support.waiting import until

from livecam_nvr.core.exports import ExportReport, ExportRequest, ExportState, ExportStatus
from livecam_nvr.domain.coverage import Coverage, Gap, GapCause, Span
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS
from livecam_nvr.media.export.desk import ExportDesk
from livecam_nvr.media.export.maker import ExportMaker
from livecam_nvr.media.export.store import ExportStore

NOW = BEGAN + 3600 * NS


class OnePast:
    """core.past.Past: the camera was away for two seconds."""

    async def coverage(self, camera_id: str, begin_utc_ns: int, end_utc_ns: int) -> Coverage:
        away = Gap(BEGAN + 4 * NS, BEGAN + 6 * NS, GapCause.CAMERA, "no route to host")
        return Coverage(camera_id, Span(begin_utc_ns, end_utc_ns), (), (away,), 0)

    async def days(self, camera_id: str) -> list[Any]:
        raise NotImplementedError


@pytest.fixture
def footage(fragmented_clip: Path) -> ClipFootage:
    footage = ClipFootage()
    footage.add("cam0", fragmented_clip)
    footage.add("cam0", fragmented_clip, BEGAN + 6 * NS)
    return footage


@asynccontextmanager
async def desk_of(
    root: Path, footage: ClipFootage, clock: FakeClock | None = None, store: ExportStore | None = None, **more: Any
) -> AsyncIterator[ExportDesk]:
    root.mkdir(exist_ok=True)
    maker = ExportMaker(footage, {"cam0": "Door", "cam1": "Garden"}, OnePast())
    desk = ExportDesk(maker, store or ExportStore(root), clock or FakeClock(NOW), **more)
    await desk.start()
    try:
        yield desk
    finally:
        await desk.stop()


def order(begin_s: float = 0, end_s: float = 4, camera_id: str = "cam0", **more: Any) -> ExportRequest:
    return ExportRequest((camera_id,), BEGAN + round(begin_s * NS), BEGAN + round(end_s * NS), **more)


async def over(desk: ExportDesk, export_id: str) -> ExportStatus:
    running = (ExportState.QUEUED, ExportState.RUNNING)
    await until(lambda: desk.export(export_id).state not in running, what="the export is over")
    return desk.export(export_id)


def files(root: Path) -> list[str]:
    return sorted(path.name for path in (root / ".livecam-nvr/exports").glob("*"))


async def test_an_order_becomes_a_file(tmp_path: Path, footage: ClipFootage) -> None:
    async with desk_of(tmp_path / "rec", footage) as desk:
        taken = desk.submit(order(0, 10, title="A fox"), "me")
        assert taken.state is ExportState.QUEUED
        status = await over(desk, taken.id)
        assert (status.state, status.progress, status.finished_utc_ns) == (ExportState.DONE, 1.0, NOW)
        report = status.report
        assert report is not None
        assert report.frames == 120
        (gap,) = report.gaps
        assert (gap.begin_utc_ns, gap.end_utc_ns) == (BEGAN + 4 * NS, BEGAN + 6 * NS)
        assert (gap.cause, gap.words) == ("camera", "no route to host")
        assert [(one.path, one.frames) for one in report.segments] == [
            ("cam0/260921/cam0_0.mp4", 60),
            ("cam0/260921/cam0_1.mp4", 60),
        ]
        path = desk.file(taken.id)
        assert is_faststart(path)
        assert path.stat().st_size == report.bytes
        assert files(tmp_path / "rec") == [f"{taken.id}.json", f"{taken.id}.mp4"]
        beside = json.loads(path.with_suffix(".json").read_text())
        assert beside["report"]["segments"][0]["path"] == "cam0/260921/cam0_0.mp4"


async def test_what_was_made_survives_a_restart_and_nothing_else(tmp_path: Path, footage: ClipFootage) -> None:
    root = tmp_path / "rec"
    async with desk_of(root, footage) as desk:
        done = await over(desk, desk.submit(order(), "me").id)
        footage.held.clear()
        desk.submit(order(), "me")
        await until(lambda: any(".part" in name for name in files(root)), what="the second one has begun")
    footage.held.set()
    folder = root / ".livecam-nvr/exports"
    for name in ("0123456789abcdef.mp4", "0123456789abcdee.part", "0123456789abcdee.part.media"):
        (folder / name).write_bytes(b"left by a killed service")
    (folder / "fedcba9876543210.mp4").write_bytes(b"damaged")
    (folder / "fedcba9876543210.json").write_text("{")
    (folder / "notes.txt").write_text("of somebody else")
    async with desk_of(root, footage) as desk:
        assert list(desk.exports()) == [done]
        assert desk.file(done.id).is_file()
        assert files(root) == sorted([f"{done.id}.json", f"{done.id}.mp4", "notes.txt"])


async def test_given_up_while_it_waits_and_while_it_runs(tmp_path: Path, footage: ClipFootage) -> None:
    footage.held.clear()
    async with desk_of(tmp_path / "rec", footage) as desk:
        ids = [desk.submit(order(), "me").id for _ in range(4)]
        await until(lambda: desk.export(ids[1]).state is ExportState.RUNNING)
        await until(lambda: len([name for name in files(tmp_path / "rec") if "media" in name]) == 2)
        assert desk.export(ids[2]).state is ExportState.QUEUED, "two at a time"
        for export_id in (ids[3], ids[0]):
            assert (await desk.remove(export_id, "me")).state is ExportState.CANCELLED
        assert not [name for name in files(tmp_path / "rec") if ids[0] in name or ids[3] in name]
        footage.held.set()
        assert (await over(desk, ids[1])).state is ExportState.DONE
        assert (await over(desk, ids[2])).state is ExportState.DONE, "the turn of one that was given up is free"
        await desk.remove(ids[1], "me")
        assert files(tmp_path / "rec") == [f"{ids[2]}.json", f"{ids[2]}.mp4"]
        with pytest.raises(LivecamError, match="no such export"):
            desk.export(ids[1])


async def test_too_many_are_refused(tmp_path: Path, footage: ClipFootage) -> None:
    footage.held.clear()
    async with desk_of(tmp_path / "rec", footage) as desk:
        for _ in range(18):
            desk.submit(order(), "me")
        with pytest.raises(LivecamError) as caught:
            desk.submit(order(), "me")
        assert caught.value.kind is ErrorKind.CONFLICT


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (order(camera_id="cam7"), ErrorKind.NOT_FOUND),
        (order(4, 0), ErrorKind.INVALID),
        (order(0, 0), ErrorKind.INVALID),
        (order(0, 90_000), ErrorKind.INVALID),
        (order(4000, 5000), ErrorKind.INVALID),
        (order(title="two\nlines"), ErrorKind.INVALID),
        (order(title="x" * 300), ErrorKind.INVALID),
        (ExportRequest((), BEGAN, BEGAN + NS), ErrorKind.INVALID),
        (ExportRequest(("cam0", "cam0"), BEGAN, BEGAN + NS), ErrorKind.INVALID),
    ],
)
async def test_orders_that_are_not_right(
    tmp_path: Path, footage: ClipFootage, request_: ExportRequest, kind: ErrorKind
) -> None:
    async with desk_of(tmp_path / "rec", footage) as desk:
        with pytest.raises(LivecamError) as caught:
            desk.submit(request_, "me")
        assert caught.value.kind is kind
        assert not desk.exports()


async def test_failures_are_told_in_words(tmp_path: Path, footage: ClipFootage) -> None:
    root = tmp_path / "rec"
    async with desk_of(root, footage) as desk:
        nothing = await over(desk, desk.submit(order(20, 30), "me").id)
        assert (nothing.state, "nothing of cam0" in nothing.words) == (ExportState.FAILED, True)
        footage.gone.add("cam0")
        gone = await over(desk, desk.submit(order(), "me").id)
        assert "deleted meanwhile" in gone.words
        with pytest.raises(LivecamError) as caught:
            desk.file(gone.id)
        assert caught.value.kind is ErrorKind.CONFLICT
        assert files(root) == []
    async with desk_of(root, footage, floor_bytes=1 << 60) as desk:
        full = await over(desk, desk.submit(order(), "me").id)
        assert "no room" in full.words
    (root / ".livecam-nvr/exports").rmdir()
    (root / ".livecam-nvr").rmdir()
    async with desk_of(root, footage) as desk:
        root.rename(tmp_path / "away")
        away = await over(desk, desk.submit(order(), "me").id)
        assert "is not there" in away.words
        assert not root.exists(), "the folder of a missing disk is not made"


async def test_files_that_are_merged_meanwhile_are_found_again(tmp_path: Path, footage: ClipFootage) -> None:
    async with desk_of(tmp_path / "rec", footage) as desk:
        footage.merging.add("cam0")
        status = await over(desk, desk.submit(order(), "me").id)
        assert status.state is ExportState.DONE, status.words
        assert files(tmp_path / "rec") == [f"{status.id}.json", f"{status.id}.mp4"]


async def test_old_ones_go(tmp_path: Path, footage: ClipFootage) -> None:
    root, clock = tmp_path / "rec", FakeClock(NOW)
    async with desk_of(root, footage, clock, ExportStore(root, most=2)) as desk:
        done = []
        for _ in range(3):
            clock.advance(60)
            done.append(await over(desk, desk.submit(order(), "me").id))
        await until(lambda: len(desk.exports()) == 2, what="the oldest one is gone")
        assert [status.id for status in desk.exports()] == [done[2].id, done[1].id]
        clock.advance(90_000)
    async with desk_of(root, footage, clock, ExportStore(root, most=2)) as desk:
        await until(lambda: not desk.exports(), what="all are too old")
        assert files(root) == []


async def test_whoever_signs_it_is_told_before_it_is_done(tmp_path: Path, footage: ClipFootage) -> None:
    told: list[tuple[str, ExportReport]] = []

    async def sign(export_id: str, report: ExportReport, path: Path) -> None:
        told.append((export_id, report))
        with path.open("ab") as file:
            file.write(b"\0\0\0\x0cfreesign")
        if len(told) == 2:
            raise OSError("the key is gone")

    async with desk_of(tmp_path / "rec", footage, on_done=sign) as desk:
        status = await over(desk, desk.submit(order(), "me").id)
        assert told[0][0] == status.id
        assert status.report is not None
        assert status.report.bytes == desk.file(status.id).stat().st_size == told[0][1].bytes + 12
        assert (await over(desk, desk.submit(order(), "me").id)).state is ExportState.DONE
