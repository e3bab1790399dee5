"""The settings and the cameras' switch over HTTP, before a desk that answers as it is told."""

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fakes.web_service import Site, http
from support.web_people import deeds, signed_in, told

from livecam_nvr.core.access import Deed
from livecam_nvr.core.settings import Applied, Effect, Mistake, Review, Settings
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.errors import ErrorKind, LivecamError

EFFECT = Effect("camera", "cam1", "changed", ("name",))
EFFECT_JSON = {"what": "camera", "id": "cam1", "how": "changed", "keys": ["name"]}


class FakeDesk:
    """core.settings.SettingsDesk and CameraSwitch."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.fails: LivecamError | None = None

    async def settings(self) -> Settings:
        return Settings("r1", {"type": "object"}, {"node": {}}, {"data_dir": "data"}, (EFFECT,))

    async def check(self, revision: str, values: dict[str, Any]) -> Review:
        self.asked.append(("check", revision, values))
        return Review((Mistake("cameras.1.url", "is missing", "write it"),), ("-a", "+b"), (EFFECT,))

    async def apply(self, revision: str, values: dict[str, Any], by: str) -> Applied:
        self.asked.append(("apply", revision, values, by))
        if self.fails:
            raise self.fails
        return Applied("r2", (EFFECT,))

    async def set_enabled(self, camera_id: str, on: bool, by: str) -> bool:
        self.asked.append((camera_id, on, by))
        return on


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
async def site(tmp_path: Path, desk: FakeDesk) -> AsyncIterator[Site]:
    """A site with an admin, and an operator."""
    site = Site(tmp_path, ["cam0", "cam1"])
    site.gate.demo = None
    site.server = site.server_of(ports=replace(site.ports, settings=desk, power=desk))
    site.gate.let_in("anna", Role.ADMIN)
    site.gate.let_in("otto", Role.OPERATOR)
    await site.server.start()
    yield site
    await site.close()


async def test_a_form_is_filled_checked_and_applied(site: Site, desk: FakeDesk) -> None:
    async with http(site) as client:
        headers = signed_in(site, "anna")
        async with client.get("/api/settings", headers=headers) as answer:
            assert answer.headers["Cache-Control"] == "no-store"
            assert await answer.json() == {
                "revision": "r1",
                "schema": {"type": "object"},
                "values": {"node": {}},
                "defaults": {"data_dir": "data"},
                "pending": [EFFECT_JSON],
            }
        # More than other bodies may be.
        body = {"revision": "r1", "values": {"cameras": [{"id": "a", "name": "x" * 100_000}]}}
        status, said = await told(client.post("/api/settings/check", json=body, headers=headers))
        mistake = {"key": "cameras.1.url", "problem": "is missing", "hint": "write it"}
        assert (status, said) == (200, {"mistakes": [mistake], "diff": ["-a", "+b"], "effects": [EFFECT_JSON]})
        assert deeds(site) == []
        status, said = await told(client.post("/api/settings", json=body, headers=headers))
        assert (status, said) == (200, {"applied": True, "revision": "r2", "effects": [EFFECT_JSON]})
        assert desk.asked == [
            ("check", "r1", body["values"]),
            ("apply", "r1", body["values"], "anna (127.0.0.1)"),
        ]
        desk.fails = LivecamError(ErrorKind.CONFLICT, "cam1 does not run with these settings", "check its address")
        status, said = await told(client.post("/api/settings", json=body, headers=headers))
        assert (status, said["error"]["message"]) == (409, "cam1 does not run with these settings")
    assert deeds(site) == [
        (Deed.SETTINGS, "anna", "config", True, "cameras.cam1.name"),
        (Deed.SETTINGS, "anna", "", False, "cam1 does not run with these settings"),
    ]


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"revision": 1, "values": {}}', b'{"revision": "r", "values": []}', b'{"x": 1}']
)
async def test_other_bodies_are_refused(site: Site, desk: FakeDesk, body: bytes) -> None:
    headers = signed_in(site, "anna") | {"Content-Type": "application/json"}
    async with http(site) as client:
        for path in ("/api/settings", "/api/settings/check"):
            status, _ = await told(client.post(path, data=body, headers=headers))
            assert status == 400
    assert desk.asked == []


async def test_an_endless_body_is_refused(site: Site) -> None:
    headers = signed_in(site, "anna") | {"Content-Type": "application/json"}
    async with http(site) as client:
        try:
            status, _ = await told(
                client.post("/api/settings/check", data=io.BytesIO(b"x" * (2 << 20)), headers=headers)
            )
        except aiohttp.ClientError:
            return  # it did not even take all of it
        assert status == 413


async def test_a_camera_is_switched_off_by_an_operator(site: Site, desk: FakeDesk) -> None:
    headers = signed_in(site, "otto")
    address = "/api/cameras/cam0/enabled"
    async with http(site) as client:
        assert await told(client.post(address, json={"on": False}, headers=headers)) == (
            200,
            {"camera_id": "cam0", "enabled": False},
        )
        for wrong in ({"on": 1}, {}, {"on": True, "x": 1}):
            assert (await told(client.post(address, json=wrong, headers=headers)))[0] == 400
        unknown = address.replace("cam0", "attic")
        assert (await told(client.post(unknown, json={"on": True}, headers=headers)))[0] == 404
        assert (await told(client.get("/api/settings", headers=headers)))[0] == 403
    assert desk.asked == [("cam0", False, "otto (127.0.0.1)")]
    assert (Deed.ENABLED, "otto", "cam0", True, "off") in deeds(site)
