"""The actions: keep and export what was recorded, start and stop recording. Their targets are the camera entities."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

import probatio
from homeassistant.components.camera import DOMAIN as CAMERA_DOMAIN
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.service import async_register_platform_entity_service
from homeassistant.util import dt as dt_util

from .client import Export
from .const import DOMAIN
from .entity import LivecamCameraEntity
from .helpers import told
from .views import export_path

KEEP_CLIP: Final = "keep_clip"
EXPORT_CLIP: Final = "export_clip"
START_RECORDING: Final = "start_recording"
STOP_RECORDING: Final = "stop_recording"

BEFORE, AFTER, BEGIN, END = "before", "after", "begin", "end"
TITLE, EXACT, WAIT = "title", "exact", "wait"

_MOST_S = 3600
_MOST_CLIP_TITLE = 100
_MOST_EXPORT_TITLE = 200
_EXPORT_WITHIN_S = 900.0
_LOOK_EVERY_S = 0.5

_KEEP: dict[Any, Any] = {
    probatio.Optional(BEFORE): probatio.All(cv.positive_time_period, probatio.Range(max=timedelta(seconds=_MOST_S))),
    probatio.Optional(AFTER): probatio.All(cv.positive_time_period, probatio.Range(max=timedelta(seconds=_MOST_S))),
    probatio.Inclusive(BEGIN, "range"): cv.datetime,
    probatio.Inclusive(END, "range"): cv.datetime,
    probatio.Optional(TITLE, default=""): probatio.All(cv.string, probatio.Length(max=_MOST_CLIP_TITLE)),
}
_EXPORT: dict[Any, Any] = {
    probatio.Required(BEGIN): cv.datetime,
    probatio.Required(END): cv.datetime,
    probatio.Optional(EXACT, default=False): cv.boolean,
    probatio.Optional(TITLE, default=""): probatio.All(cv.string, probatio.Length(max=_MOST_EXPORT_TITLE)),
    probatio.Optional(WAIT, default=True): cv.boolean,
}


@callback
def async_setup_services(hass: HomeAssistant) -> None:
    """Registers them, whatever entries there are."""
    for name, function, schema, response in (
        (KEEP_CLIP, _keep_clip, _KEEP, SupportsResponse.OPTIONAL),
        (EXPORT_CLIP, _export_clip, _EXPORT, SupportsResponse.OPTIONAL),
        (START_RECORDING, _start_recording, {}, SupportsResponse.NONE),
        (STOP_RECORDING, _stop_recording, {}, SupportsResponse.NONE),
    ):
        async_register_platform_entity_service(
            hass,
            DOMAIN,
            name,
            entity_domain=CAMERA_DOMAIN,
            func=function,
            schema=schema,
            supports_response=response,
        )


async def _start_recording(camera: LivecamCameraEntity, call: ServiceCall) -> None:
    del call
    await _record(camera, True)


async def _stop_recording(camera: LivecamCameraEntity, call: ServiceCall) -> None:
    del call
    await _record(camera, False)


async def _record(camera: LivecamCameraEntity, on: bool) -> None:
    with told(camera.entry):
        await camera.client.set_recording(camera.camera_id, on)
    await camera.coordinator.confirm()


async def _keep_clip(camera: LivecamCameraEntity, call: ServiceCall) -> ServiceResponse:
    begin, end = (dt_util.as_utc(call.data[key]) if key in call.data else None for key in (BEGIN, END))
    before, after = call.data.get(BEFORE), call.data.get(AFTER)
    if begin is not None and (before is not None or after is not None):
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="range_or_around")
    _demand_order(begin, end)
    with told(camera.entry):
        clip = await camera.client.keep(
            camera.camera_id,
            before_s=None if before is None else before.total_seconds(),
            after_s=None if after is None else after.total_seconds(),
            begin=begin,
            end=end,
            title=call.data[TITLE],
        )
    await camera.coordinator.confirm()
    return {
        "id": clip.id,
        "camera": clip.camera_id,
        "title": clip.title,
        "begin": clip.begin.isoformat(),
        "end": clip.end.isoformat(),
    }


async def _export_clip(camera: LivecamCameraEntity, call: ServiceCall) -> ServiceResponse:
    begin, end = dt_util.as_utc(call.data[BEGIN]), dt_util.as_utc(call.data[END])
    _demand_order(begin, end)
    with told(camera.entry):
        export = await camera.client.export(
            [camera.camera_id], begin, end, exact=call.data[EXACT], title=call.data[TITLE]
        )
        if call.data[WAIT]:
            export = await _over(camera, export)
    if export.state in ("failed", "cancelled"):
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="export_failed",
            translation_placeholders={"words": export.words or export.state},
        )
    done = export.state == "done"
    return {
        "id": export.id,
        "state": export.state,
        "progress": export.progress,
        "name": export.name,
        "url": export_path(camera.entry.entry_id, export.id) if done else None,
    }


async def _over(camera: LivecamCameraEntity, export: Export) -> Export:
    """The export when it is done, or has failed."""
    try:
        async with asyncio.timeout(_EXPORT_WITHIN_S):
            # The service does not push how far an export is.
            while not export.over:
                await asyncio.sleep(_LOOK_EVERY_S)
                export = await camera.client.export_state(export.id)
    except TimeoutError:
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="export_slow", translation_placeholders={"id": export.id}
        ) from None
    return export


def _demand_order(begin: datetime | None, end: datetime | None) -> None:
    if begin is not None and end is not None and end <= begin:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="range_reversed")
