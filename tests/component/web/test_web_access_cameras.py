"""Who may see only some cameras is told of no others: status, clips, exports, retention."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fakes.web_service import Site, http
from support.waiting import PATIENCE_S
from support.web_people import deeds, signed_in, told

from livecam_nvr.core.exports import ExportRequest, ExportState, ExportStatus, no_such_export
from livecam_nvr.core.past import no_such_clip
from livecam_nvr.core.retention import Forecast
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.forecast import Holding, Inventory, Outlook
from livecam_nvr.domain.ledger import Clip
from livecam_nvr.domain.retention import Deletion, Reason, Rules
from livecam_nvr.web.past_ports import PastPorts

CAM0, CAM1, BOTH = ("cam0",), ("cam1",), ("cam0", "cam1")
RANGE = {"from": "2026-11-21T09:30:00Z", "to": "2026-11-21T09:31:00Z"}


class Clips:
    """core.past.ClipDesk, as far as it is asked."""

    def __init__(self) -> None:
        self.kept = {one: Clip(one, one.removeprefix("clip_"), "", "", 1, 2) for one in ("clip_cam0", "clip_cam1")}

    async def clips(self, camera_id: str | None = None) -> list[Clip]:
        return [clip for clip in self.kept.values() if camera_id in (None, clip.camera_id)]

    async def release(self, clip_id: str, by: str) -> Clip:
        if clip_id not in self.kept:
            raise no_such_clip()
        return self.kept.pop(clip_id)


@dataclass
class Orders:
    """core.exports.Exports, with a finished file for each."""

    folder: Path
    made: dict[str, ExportStatus] = field(default_factory=dict)

    def submit(self, request: ExportRequest, by: str) -> ExportStatus:
        key = f"of-{'-'.join(request.cameras)}"
        self.made[key] = ExportStatus(key, request, ExportState.DONE, 1, name=f"{key}.mp4")
        (self.folder / key).write_bytes(bytes(1000))
        return self.made[key]

    def exports(self) -> Sequence[ExportStatus]:
        return tuple(self.made.values())

    def export(self, export_id: str) -> ExportStatus:
        if export_id not in self.made:
            raise no_such_export()
        return self.made[export_id]

    async def remove(self, export_id: str, by: str) -> ExportStatus:
        return self.made.pop(export_id)

    def file(self, export_id: str) -> Path:
        return self.folder / export_id


class Retention:
    """core.retention.RetentionDesk."""

    async def forecast(
        self, changes: Mapping[str, str] | None = None, camera_id: str | None = None
    ) -> tuple[Rules, Forecast]:
        holdings = {one: Holding(one, 1, 1) for one in BOTH}
        deletions = tuple(Deletion(one, Reason.AGE, 1, 1, 1, 2) for one in BOTH)
        inventory = Inventory(holdings, 1, 1, complete=True)
        return Rules(), Forecast(inventory, Outlook({}, None, None), deletions, whole=True)


class Archive:
    """A site with a past of two cameras; anna sees all of it, ben and olga see cam1."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder, list(BOTH))
        self.site.gate.demo = None
        for name, role, cameras in (
            ("anna", Role.ADMIN, None),
            ("ben", Role.WATCHER, CAM1),
            ("olga", Role.OPERATOR, CAM1),
            ("vera", Role.VIEWER, None),
        ):
            self.site.gate.let_in(name, role, cameras)
        self.clips, self.orders = Clips(), Orders(folder)
        for cameras in (CAM0, CAM1, BOTH):
            self.orders.submit(ExportRequest(cameras, 1, 2), "test")
        ports: dict[str, Any] = dict.fromkeys(("ledger", "past", "footage", "pictures", "events"))
        ports |= {"retention": Retention(), "exports": self.orders, "clips": self.clips}
        past = PastPorts(**ports)
        self.site.server = self.site.server_of(past=past)


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[Archive]:
    archive = Archive(tmp_path)
    await archive.site.server.start()
    yield archive
    await archive.site.close()


@pytest.fixture
async def client(archive: Archive) -> AsyncIterator[aiohttp.ClientSession]:
    async with http(archive.site) as session:
        yield session


async def test_status(archive: Archive, client: aiohttp.ClientSession) -> None:
    ben = signed_in(archive.site, "ben")
    _, status = await told(client.get("/api/status", headers=ben))
    assert [camera["id"] for camera in status["cameras"]] == ["cam1"]
    assert status["disk"]["path"]
    async with client.ws_connect("/api/events", headers=ben) as socket:
        status = await socket.receive_json(timeout=PATIENCE_S)
    assert [camera["id"] for camera in status["cameras"]] == ["cam1"]


async def test_viewers_are_told_nothing_of_the_archive(archive: Archive, client: aiohttp.ClientSession) -> None:
    _, status = await told(client.get("/api/status", headers=signed_in(archive.site, "vera")))
    assert (len(status["cameras"]), status["disk"]["path"], status["retention"]) == (2, "", None)


async def test_clips(archive: Archive, client: aiohttp.ClientSession) -> None:
    anna, olga = signed_in(archive.site, "anna"), signed_in(archive.site, "olga")

    async def listed(who: dict[str, str], query: str = "") -> list[str]:
        _, body = await told(client.get(f"/api/clips{query}", headers=who))
        return [clip["id"] for clip in body["clips"]]

    assert await listed(anna) == ["clip_cam0", "clip_cam1"]
    assert await listed(olga) == ["clip_cam1"]
    assert await listed(olga, "?camera=cam1") == ["clip_cam1"]
    foreign = await told(client.get("/api/clips?camera=cam0", headers=olga))
    unknown = await told(client.get("/api/clips?camera=cam9", headers=olga))
    assert (foreign[0], foreign[1]["error"]["hint"]) == (404, "there are: cam1")
    assert foreign[1]["error"]["message"] == unknown[1]["error"]["message"].replace("cam9", "cam0")
    missing = await told(client.delete("/api/clips/nothing", headers=olga))
    assert await told(client.delete("/api/clips/clip_cam0", headers=olga)) == missing
    assert missing[0] == 404
    assert (await told(client.delete("/api/clips/clip_cam1", headers=olga)))[0] == 200
    assert list(archive.clips.kept) == ["clip_cam0"]
    assert [(deed.value, target, ok) for deed, _, target, ok, _ in deeds(archive.site)] == [
        ("refused", "GET /api/clips", False),
        ("release", "nothing", False),
        ("refused", "DELETE /api/clips/clip_cam0", False),
        ("release", "clip_cam1", True),
    ]


async def test_exports(archive: Archive, client: aiohttp.ClientSession) -> None:
    anna, olga = signed_in(archive.site, "anna"), signed_in(archive.site, "olga")
    for who, wanted in ((anna, ["of-cam0", "of-cam1", "of-cam0-cam1"]), (olga, ["of-cam1"])):
        _, body = await told(client.get("/api/exports", headers=who))
        assert [one["id"] for one in body["exports"]] == wanted
    missing = await told(client.get("/api/exports/nothing", headers=olga))
    for foreign in ("of-cam0", "of-cam0-cam1"):
        assert await told(client.get(f"/api/exports/{foreign}", headers=olga)) == missing
        assert await told(client.get(f"/api/exports/{foreign}/file", headers=olga)) == missing
        assert await told(client.delete(f"/api/exports/{foreign}", headers=olga)) == missing
    async with client.get("/api/exports/of-cam1/file", headers=olga) as answer:
        assert (answer.status, len(await answer.read())) == (200, 1000)
    for cameras, status in ((["cam0"], 404), (["cam1", "cam0"], 404), (["cam1"], 202)):
        order = {"cameras": cameras, **RANGE}
        assert (await told(client.post("/api/exports", json=order, headers=olga)))[0] == status
    assert (await told(client.delete("/api/exports/of-cam1", headers=olga)))[0] == 200
    assert sorted(archive.orders.made) == ["of-cam0", "of-cam0-cam1"]
    done = [entry for entry in deeds(archive.site) if entry[3]]
    assert [(deed.value, who, target, detail) for deed, who, target, _, detail in done] == [
        ("download", "olga", "of-cam1", "of-cam1.mp4"),
        ("export", "olga", "of-cam1", "cam1 from 2026-11-21T09:30:00.000Z to 2026-11-21T09:31:00.000Z"),
        ("export_removed", "olga", "of-cam1", "of-cam1.mp4"),
    ]


async def test_retention(archive: Archive, client: aiohttp.ClientSession) -> None:
    for who, wanted in (("anna", ["cam0", "cam1"]), ("ben", ["cam1"])):
        headers = signed_in(archive.site, who)
        _, found = await told(client.get("/api/retention", headers=headers))
        assert [one["camera_id"] for one in found["cameras"]] == wanted
        assert [one["camera_id"] for one in found["deletes"]] == wanted
    status, error = await told(client.get("/api/retention?camera=cam0", headers=headers))
    assert (status, error["error"]["hint"]) == (404, "there are: cam1")
