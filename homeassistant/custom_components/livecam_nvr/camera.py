"""Camera entities: live by RTSP and WebRTC, stills and motion JPEG over HTTP."""

import asyncio
from typing import Any, override

from aiohttp import web
from homeassistant.components.camera import Camera as CameraEntity
from homeassistant.components.camera import CameraEntityFeature
from homeassistant.components.stream import CONF_RTSP_TRANSPORT
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .client import ApiError
from .client.transport import camera_path
from .const import DOMAIN
from .coordinator import LivecamConfigEntry
from .entity import LivecamCameraEntity, add_for_cameras, snapshot_signal
from .helpers import told
from .relay import relay
from .stream_source import stream_source
from .webrtc import PROVIDERS, async_setup_webrtc

# What is pushed needs no turns, and a still must not wait for another camera's.
PARALLEL_UPDATES = 0

_KEY = "camera"
_HEIGHTS = 16, 4320
"""Of a still, as the service takes them."""


async def async_setup_entry(
    hass: HomeAssistant,
    entry: LivecamConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """One for each camera, and WebRTC for all of them."""
    async_setup_webrtc(hass, entry)
    add_for_cameras(entry, async_add_entities, lambda camera: [LivecamCamera(entry, camera.id)])


class LivecamCamera(LivecamCameraEntity, CameraEntity):
    """A camera as it is now.

    It stays available while it is off or away: then its state is idle, and there is no picture.
    """

    _attr_name = None
    still_s = 9.0
    """Home Assistant waits ten seconds for a still, and then knows no reason."""

    def __init__(self, entry: LivecamConfigEntry, camera_id: str) -> None:
        """Of the camera with that id at the service."""
        LivecamCameraEntity.__init__(self, entry, _KEY, camera_id)
        CameraEntity.__init__(self)
        # Over UDP, packets are lost under load; the media server takes TCP in any case.
        self.stream_options[CONF_RTSP_TRANSPORT] = "tcp"
        self._show()

    @override
    def shown(self) -> object:
        camera = self.camera
        return camera.enabled, camera.delivers, camera.recording.active, camera.addresses

    @override
    async def async_added_to_hass(self) -> None:
        """Also renews the picture when somebody asks for that."""
        await super().async_added_to_hass()
        signal = snapshot_signal(self.entry.entry_id, self.camera_id)
        self.async_on_remove(async_dispatcher_connect(self.hass, signal, self._renew))

    @override
    async def stream_source(self) -> str | None:
        """See stream_source.py."""
        return stream_source(self.entry, self.camera) if self.available else None

    @override
    async def async_camera_image(self, width: int | None = None, height: int | None = None) -> bytes | None:
        """The newest picture, made at most `height` high by the service; `width` follows."""
        least, most = _HEIGHTS
        asked = None if height is None else min(max(height, least), most)
        try:
            async with asyncio.timeout(self.still_s):
                return await self.client.snapshot(self.camera_id, asked)
        except ApiError as error:
            words = error.words
        except TimeoutError:
            words = "the service does not answer in time"
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="no_picture",
            translation_placeholders={"camera": self.camera_id, "words": words},
        )

    @override
    async def handle_async_mjpeg_stream(self, request: web.Request) -> web.StreamResponse | None:
        """The service's own: ten pictures a second, decoded once for all who watch."""
        return await relay(request, self.client, camera_path(self.camera_id, "stream.mjpeg"))

    @override
    async def async_turn_on(self) -> None:
        """Starts a camera that was switched off."""
        await self._enable(True)

    @override
    async def async_turn_off(self) -> None:
        """Stops the whole camera: nothing is shown or recorded of it."""
        await self._enable(False)

    async def _enable(self, on: bool) -> None:
        with told(self.entry):
            await self.client.set_enabled(self.camera_id, on)
        await self.coordinator.confirm()

    @callback
    def _renew(self) -> None:
        """Has whoever shows the still fetch it anew: its address changes with the token."""
        self.async_update_token()
        self.async_write_ha_state()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        if self.coordinator.last_update_success and self.coordinator.camera(self.camera_id) is not None:
            before = self._addresses
            self._show()
            if before != self._addresses:
                self._move()
        super()._handle_coordinator_update()

    def _move(self) -> None:
        """The media server is another one now, or somewhere else."""
        source = stream_source(self.entry, self.camera)
        if self.stream is not None and source is not None:
            self.stream.update_source(source)
        self.hass.async_create_task(self.async_refresh_providers(), f"WebRTC of {self.entity_id}")

    def _show(self) -> None:
        camera = self.camera
        self._attr_is_on = camera.enabled
        self._attr_is_recording = camera.recording.active
        self._attr_is_streaming = camera.delivers
        features = CameraEntityFeature.ON_OFF
        if stream_source(self.entry, camera) is not None:
            features |= CameraEntityFeature.STREAM
        self._attr_supported_features = features
        self._addresses = camera.addresses

    @override
    async def _async_get_supported_webrtc_provider(self, fn: Any) -> Any:
        """Our own provider first: which of several that can do it is taken is otherwise left to chance.

        Home Assistant's restreamer can take our RTSP, too, but that is one more copy of each stream. Where this
        method is no longer asked, it is chance again, and works all the same.
        """
        provider = self.hass.data.get(PROVIDERS, {}).get(self.entry.entry_id)
        source = await self.stream_source()
        if provider is not None and source is not None and provider.async_is_supported(source):
            return provider
        return await super()._async_get_supported_webrtc_provider(fn)
