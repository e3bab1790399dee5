"""What another config means for the running service. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel

from livecam_nvr.app.fleet import must_reopen, streams_of
from livecam_nvr.config.models import Camera, Config
from livecam_nvr.core.settings import Effect

_FIXED: Final = ("listen", "tls", "media_server", "encoding", "data_dir")
"""Sections that are read at the start only."""
_FIXED_RECORDING: Final = ("path", "durability_seconds", "archive_minutes")


@dataclass(frozen=True, slots=True)
class Changes:
    """From one config to another.

    Attributes:
        config: The other one, but with the running one's values where only a restart changes something.
        removed: Ids of cameras that go.
        added: Cameras that come.
        changed: Cameras that have other settings.
        broker: Whether the broker, or how we speak with it, is another one.
        devices: Whether what the broker is told of the node and the cameras themselves is different.
        effects: All of that, for people and programs.
    """

    config: Config
    removed: tuple[str, ...]
    added: tuple[Camera, ...]
    changed: tuple[Camera, ...]
    broker: bool
    devices: bool
    effects: tuple[Effect, ...]


def changes(running: Config, new: Config) -> Changes:
    """What has to be done so that the service runs as `new` says."""
    before, after = (_enabled(config) for config in (running, new))
    removed = tuple(camera_id for camera_id in before if camera_id not in after)
    added = tuple(camera for camera_id, camera in after.items() if camera_id not in before)
    changed = tuple(c for c in after.values() if c.id in before and c != before[c.id])
    effects = [
        *(Effect("camera", camera_id, "removed") for camera_id in removed),
        *(_camera_effect(before[camera.id], camera) for camera in changed),
        *(Effect("camera", camera.id, "added") for camera in added),
        *_whole_effects(running, new),
    ]
    cards = any(_card(before.get(c.id)) != _card(c) for c in (*added, *changed)) or bool(removed)
    broker = running.mqtt != new.mqtt
    devices = running.node.name != new.node.name or cards
    if broker and (new.mqtt.host or running.mqtt.host):
        effects.append(Effect("mqtt", "", "restarted", _keys(running.mqtt, new.mqtt, "mqtt.")))
    fixed = {key: getattr(running, key) for key in _FIXED}
    recording = {key: getattr(running.recording, key) for key in _FIXED_RECORDING}
    config = new.model_copy(
        update={
            **fixed,
            "node": new.node.model_copy(update={"id": running.node.id}),
            "recording": new.recording.model_copy(update=recording),
        }
    )
    return Changes(config, removed, added, changed, broker, devices, tuple(effects))


def _enabled(config: Config) -> dict[str, Camera]:
    return {camera.id: camera for camera in config.cameras if camera.enabled}


def _card(camera: Camera | None) -> tuple[str, str, bool] | None:
    """What Home Assistant is told of a camera itself."""
    return None if camera is None else (camera.title, camera.kind, bool(camera.schedule))


def _camera_effect(before: Camera, after: Camera) -> Effect:
    had, has = ({stream.id: stream for stream in streams_of(camera)} for camera in (before, after))
    reopened = had.keys() != has.keys() or any(must_reopen(had[key], has[key]) for key in has)
    return Effect("camera", after.id, "restarted" if reopened else "changed", _keys(before, after))


def _whole_effects(running: Config, new: Config) -> Iterable[Effect]:
    fixed = [
        key for section in _FIXED for key in _keys_of(getattr(running, section), getattr(new, section), section)
    ]
    fixed += ["node.id"] if running.node.id != new.node.id else []
    if fixed:
        yield Effect("service", "", "needs_restart", tuple(fixed))
    if running.node.name != new.node.name:
        yield Effect("service", "", "changed", ("node.name",))
    keys = [key for key in _keys(running.recording, new.recording) if key != "retention"]
    late = tuple(f"recording.{key}" for key in keys if key in _FIXED_RECORDING)
    live = tuple(f"recording.{key}" for key in keys if key not in _FIXED_RECORDING)
    if late:
        yield Effect("recording", "", "needs_restart", late)
    if live:
        yield Effect("recording", "", "changed", live)
    if retention := _keys(running.recording.retention, new.recording.retention, "recording.retention."):
        yield Effect("retention", "", "changed", retention)
    orders = [[c.id for c in config.cameras if c.id in _enabled(running)] for config in (running, new)]
    if sorted(orders[0]) == sorted(orders[1]) and orders[0] != orders[1]:
        yield Effect("service", "", "changed", ("cameras",))


def _keys_of(before: object, after: object, name: str) -> tuple[str, ...]:
    if isinstance(before, BaseModel) and isinstance(after, BaseModel):
        return _keys(before, after, f"{name}.")
    return (name,) if before != after else ()


def _keys(before: BaseModel, after: BaseModel, prefix: str = "") -> tuple[str, ...]:
    """The keys that differ; of another kind of camera, its kind."""
    if type(before) is not type(after):
        return (f"{prefix}kind",)
    fields: Mapping[str, object] = type(after).model_fields
    return tuple(f"{prefix}{key}" for key in fields if getattr(before, key) != getattr(after, key))
