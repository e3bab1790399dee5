"""The actions."""

from typing import Any

import probatio
import pytest
from custom_components.livecam_nvr import services
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from pytest_homeassistant_custom_component.common import MockConfigEntry

from fake_service import FakeService

CAMERA = "camera.front_door"
RANGE = {"begin": "2026-11-21T10:00:00+01:00", "end": "2026-11-21T10:01:00+01:00"}
EXPORT = "5689fa155799ee84"


async def call(hass: HomeAssistant, action: str, *, response: bool = False, **data: Any) -> Any:
    target = {"entity_id": CAMERA}
    answer = await hass.services.async_call(
        "livecam_nvr", action, {**target, **data}, blocking=True, return_response=response
    )
    return answer[CAMERA] if answer else None


async def test_they_are_there_without_an_entry(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    entry.mock_state(hass, entry.state)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert await hass.config_entries.async_unload(entry.entry_id)
    names = {"keep_clip", "export_clip", "start_recording", "stop_recording"}
    assert names <= set(hass.services.async_services_for_domain("livecam_nvr"))


@pytest.mark.parametrize(("action", "on"), [("start_recording", True), ("stop_recording", False)])
async def test_recording(
    hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry, action: str, on: bool
) -> None:
    await call(hass, action)
    assert service.ordered("/api/cameras/cam0/recording") == [{"on": on}]


async def test_a_device_is_a_target(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    entity = hass.data["entity_registry"].async_get(CAMERA)
    target = {"device_id": entity.device_id}
    await hass.services.async_call("livecam_nvr", "stop_recording", {}, target=target, blocking=True)
    assert [path for _, path, body in service.orders if body == {"on": False}] == ["/api/cameras/cam0/recording"]


@pytest.mark.parametrize(
    ("data", "body"),
    [
        ({}, {}),
        ({"before": 10, "after": {"minutes": 1}, "title": "dog"}, {"before_s": 10, "after_s": 60, "title": "dog"}),
        (RANGE, {"from": "2026-11-21T09:00:00+00:00", "to": "2026-11-21T09:01:00+00:00"}),
    ],
)
async def test_keep(
    hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry, data: dict[str, Any], body: dict[str, Any]
) -> None:
    answer = await call(hass, "keep_clip", response=True, **data)
    assert service.ordered("/api/cameras/cam0/keep") == [body]
    assert answer == {
        "id": "219e5fd92c234209",
        "camera": "cam0",
        "title": "hello",
        "begin": "2026-11-21T22:50:23.523000+00:00",
        "end": "2026-11-21T22:50:35.523000+00:00",
    }


async def test_moments_without_an_offset_are_local(
    hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry
) -> None:
    await hass.config.async_set_time_zone("Asia/Seoul")
    await call(hass, "keep_clip", begin="2026-11-21 10:00:00", end="2026-11-21 10:01:00")
    assert service.ordered("/api/cameras/cam0/keep")[0]["from"] == "2026-11-21T01:00:00+00:00"


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({**RANGE, "before": 5}, "range_or_around"),
        ({"begin": RANGE["end"], "end": RANGE["begin"]}, "range_reversed"),
    ],
)
async def test_keep_what(
    hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry, data: dict[str, Any], key: str
) -> None:
    with pytest.raises(ServiceValidationError) as refused:
        await call(hass, "keep_clip", **data)
    assert refused.value.translation_key == key
    assert not service.ordered("/api/cameras/cam0/keep")


@pytest.mark.parametrize("data", [{"begin": RANGE["begin"]}, {"before": 3601}, {"title": "x" * 101}, {"before": -1}])
async def test_keep_is_checked(hass: HomeAssistant, loaded: MockConfigEntry, data: dict[str, Any]) -> None:
    with pytest.raises(probatio.Invalid):
        await call(hass, "keep_clip", **data)


async def test_keep_is_refused(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    service.refusals["/api/cameras/cam0/keep"] = (404, "not_found", "nothing was recorded", "look")
    with pytest.raises(ServiceValidationError) as refused:
        await call(hass, "keep_clip", **RANGE)
    assert refused.value.translation_placeholders == {"words": "nothing was recorded: look"}


async def test_export(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    answer = await call(hass, "export_clip", response=True, exact=True, title="t", **RANGE)
    assert service.ordered("/api/exports") == [
        {
            "cameras": ["cam0"],
            "exact": True,
            "title": "t",
            "from": "2026-11-21T09:00:00+00:00",
            "to": "2026-11-21T09:01:00+00:00",
        }
    ]
    assert (answer["id"], answer["state"]) == (EXPORT, "done")
    assert answer["url"] == f"/api/livecam_nvr/{loaded.entry_id}/export/{EXPORT}.mp4"


async def test_export_at_once(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    answer = await call(hass, "export_clip", response=True, wait=False, **RANGE)
    assert (answer["state"], answer["url"]) == ("queued", None)


async def test_export_fails(hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry) -> None:
    service.export_states = ["failed"]
    with pytest.raises(HomeAssistantError) as failed:
        await call(hass, "export_clip", **RANGE)
    assert failed.value.translation_key == "export_failed"
    assert failed.value.translation_placeholders == {"words": "the disk is full"}
    with pytest.raises(ServiceValidationError):
        await call(hass, "export_clip", begin=RANGE["end"], end=RANGE["begin"])


async def test_export_takes_too_long(
    hass: HomeAssistant, service: FakeService, loaded: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "_EXPORT_WITHIN_S", 0.1)
    service.export_states = []
    with pytest.raises(HomeAssistantError) as slow:
        await call(hass, "export_clip", **RANGE)
    assert slow.value.translation_placeholders == {"id": EXPORT}
