"""What the page of the system asks for: the log, versions, diagnostics, alarms."""

import io
import json
import logging
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.web_about import FakeAbout
from fakes.web_service import Site, http
from support.web_people import Reached, reached_past, signed_in, told

from livecam_nvr.core.access import Deed
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.status import Alarm, ServiceStatus, Severity

LOGGER = logging.getLogger("livecam_nvr.example")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path, ["cam0", "cam1"])
    ports = replace(site.ports, about=FakeAbout())
    site.server = site.server_of(ports=ports, past=replace(reached_past(), past=Reached()))
    with site.ports.log.collecting():
        await site.server.start()
        yield site
    await site.close()


async def test_the_log_is_told_from_where_somebody_knows_it(site: Site) -> None:
    async with http(site) as client:
        _, first = await told(client.get("/api/log"))
        LOGGER.warning("opening %s", "rtsp://me:secret@cam/1")
        LOGGER.error("it failed")
        _, news = await told(client.get(f"/api/log?after={first['newest']}"))
        assert [(line["level"], line["text"]) for line in news["lines"]] == [
            ("WARNING", "opening rtsp://me:***@cam/1"),
            ("ERROR", "it failed"),
        ]
        assert news["lines"][0]["at_utc"].endswith("Z")
        assert news["lines"][0]["logger"] == "livecam_nvr.example"
        _, bad = await told(client.get(f"/api/log?after={first['newest']}&level=error&limit=5"))
        assert [line["text"] for line in bad["lines"]] == ["it failed"]
        _, none = await told(client.get(f"/api/log?after={news['newest']}"))
        assert none == {"lines": [], "newest": news["newest"]}
        for query in ("limit=0", "limit=1001", "after=-1", "level=loud"):
            assert (await told(client.get(f"/api/log?{query}")))[0] == 400, query


async def test_diagnostics_are_one_file_without_secrets(site: Site) -> None:
    LOGGER.warning("the broker said hush")
    async with http(site) as client:
        async with client.get("/api/diagnostics") as answer:
            assert answer.status == 200
            assert answer.content_type == "application/zip"
            assert 'filename="livecam-nvr_' in answer.headers["Content-Disposition"]
            body = await answer.read()
        assert (await told(client.get("/api/versions")))[1]["versions"]["media server"] == "gstreamer 1.22"
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    assert sorted(texts) == [
        "README.txt",
        "checks.txt",
        "config.json",
        "coverage.json",
        "log.txt",
        "status.json",
        "versions.json",
    ]
    assert "BAD  broker: it is away\n     -> start it" in texts["checks.txt"]
    assert "livecam_nvr.example: the broker said ***" in texts["log.txt"]
    assert "hush" not in "".join(texts.values())
    assert [camera["id"] for camera in json.loads(texts["status.json"])["cameras"]] == ["cam0", "cam1"]
    # Whatever the index says, the rest is there.
    assert json.loads(texts["coverage.json"])[0] == {"camera_id": "cam0", "error": "it was reached"}
    assert (Deed.DOWNLOAD, "diagnostics") in [(entry.deed, entry.target) for entry in site.audit.entries]


async def test_alarms_of_other_cameras_are_not_told(site: Site) -> None:
    site.gate.demo = None
    site.gate.let_in("anna", Role.VIEWER, ["cam1"])
    whole = site.home.status
    alarms = tuple(
        Alarm(Severity.ERROR, "camera", f"of {camera or 'all'}", "", 7, camera) for camera in ("", "cam0", "cam1")
    )

    def status() -> ServiceStatus:
        return replace(whole(), alarms=alarms)

    site.home.status = status  # type: ignore[method-assign]
    async with http(site) as client:
        _, seen = await told(client.get("/api/status", headers=signed_in(site, "anna")))
    assert [alarm["words"] for alarm in seen["alarms"]] == ["of all", "of cam1"]
    assert seen["alarms"][0]["since_utc"] == "1970-01-01T00:00:00.000Z"
