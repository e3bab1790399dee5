"""What the models know about a key: which section it is in, what it takes, an example."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, Final, Literal, TypeGuard, get_args, get_origin

from annotated_types import Ge, Gt, Le, MaxLen, MinLen
from pydantic import BaseModel, ByteSize, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from livecam_nvr.config.models import CAMERA_KINDS, CameraBase, Config
from livecam_nvr.config.section import Section

# Where the default is no good example.
_EXAMPLES: Final = {
    "id": "cam0",
    "url": "rtsp://192.168.1.20:554/stream1",
    "path": "/home/me/video.mp4",
    "name": "Front door",
    "host": "192.168.1.10",
    "mediamtx_path": "/usr/local/bin/mediamtx",
    "sub_url": "rtsp://192.168.1.20:554/stream2",
    "onvif_url": "http://192.168.1.20/onvif/device_service",
    "masks": "[[[0, 0], [0.3, 0], [0.3, 0.2]]]",
    "controls": "{brightness: 10}",
    "drills": "[{what: stall, every_seconds: 60, for_seconds: 8}]",
    "white_balance": "[1.8, 1.5]",
    "focus": "2.5",
    "days": "[mon, tue, wed]",
    "begin": "'07:00'",
    "end": "'22:30'",
    "schedule": "[{days: [mon, tue, wed, thu, fri], begin: '08:00', end: '18:00'}]",
    "max_age_days": "14",
    "event_max_age_days": "60",
    "max_size": "200GB",
    "keep_free": "2GiB",
    "warning_free": "1.5GiB",
    "critical_free": "1.25GiB",
    "exposure_us": "10000",
    "gain": "4",
    "port": "1883",
    "trusted_proxies": "[172.30.33.0/24]",
    "certificate": "tls/certificate.pem",
    "private_key": "tls/private_key.pem",
    "url_file": "secrets/front-url",
    "sub_url_file": "secrets/front-sub-url",
    "onvif_url_file": "secrets/front-onvif-url",
    "password_file": "secrets/mqtt",
    "ca_file": "secrets/broker-ca.pem",
    "client_certificate": "secrets/mqtt-client.pem",
    "client_key": "secrets/mqtt-client.key",
    "tuning_file": "/usr/share/libcamera/ipa/rpi/pisp/ov5647_noir.json",
}
# What the type itself does not say in a person's words.
_SPECIAL: Final = {
    "masks": "a list of areas, each a list of at least 3 points [x, y] with both from 0 to 1",
    "controls": "names of the camera's controls, each with a whole number",
    "drills": "a list of drills, each with `what`, `every_seconds` and so on",
    "schedule": "a list of times, each with `days`, `begin` and `end`",
    "trusted_proxies": "a list of IP addresses and networks",
    "days": "a list of days such as [mon, tue, wed]",
    "white_balance": "a mode such as auto or daylight, or the two gains [red, blue], each above 0 and up to 32",
    "focus": "auto, continuous, or dioptres from 0 to 32",
}
_PATTERNS: Final = (
    ("x", "WIDTHxHEIGHT with even numbers of pixels up to 9998"),
    (":", "a time of the day from 00:00 to 24:00, in 'single quotes'"),
    ("#", "an MQTT topic: no spaces, no + or #, no / at either end"),
    ("", "1 to 32 of the characters a-z, 0-9, - and _, beginning with a letter or a digit"),
)
_SCALARS: Final[Mapping[Any, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    ByteSize: "a size such as 500MB or 2GiB",
    Path: "a path",
}


def section_at(path: Sequence[str | int], data: object) -> type[BaseModel] | None:
    """The model that judges the mapping at `path` of the file's `data`; None where the models know of none."""
    model: type[BaseModel] = Config
    value = data
    steps = list(path)
    while steps:
        key = steps.pop(0)
        field = model.model_fields.get(key) if isinstance(key, str) else None
        value = value.get(key) if isinstance(value, dict) else None
        if field is None:
            return None
        if is_section(field.annotation):
            model = field.annotation
            continue
        if not steps or not isinstance(steps[0], int):
            return None
        number = steps.pop(0)
        value = (
            value[number] if isinstance(value, list) and isinstance(number, int) and number < len(value) else None
        )
        inner = _camera(value) if model is Config and key == "cameras" else entries(field)
        if inner is None:
            return None
        model = inner
    return model


def _camera(entry: object) -> type[CameraBase]:
    kind = entry.get("kind") if isinstance(entry, dict) else None
    return CAMERA_KINDS.get(kind, CameraBase) if isinstance(kind, str) else CameraBase


def entries(field: FieldInfo) -> type[Section] | None:
    """The model of the entries of a list of sections; None for anything else."""
    return next((inner for inner in get_args(field.annotation) if is_section(inner)), None)


def is_section(annotation: object) -> TypeGuard[type[Section]]:
    """True for a model of its own."""
    return isinstance(annotation, type) and issubclass(annotation, Section)


def field_at(path: Sequence[str | int], data: object) -> FieldInfo | None:
    """The field that a key fills; None for a key that is unknown."""
    section = section_at(path[:-1], data) if path else None
    return section.model_fields.get(str(path[-1])) if section else None


def is_secret(field: FieldInfo | None) -> bool:
    """True if the field's value must never be shown; also for keys that nobody knows."""
    return field is None or SecretStr in (field.annotation, *get_args(field.annotation))


def takes_path(field: FieldInfo) -> bool:
    """True for a file or folder."""
    return field.annotation is Path or Path in get_args(field.annotation)


def choices(field: FieldInfo) -> tuple[str, ...]:
    """The words it may be; empty if it may be more than that."""
    return tuple(map(str, get_args(field.annotation))) if get_origin(field.annotation) is Literal else ()


def wanted(key: str, field: FieldInfo) -> str:
    """What the field takes, to stand after "is not"."""
    if key in _SPECIAL:
        return _SPECIAL[key]
    if is_section(field.annotation):
        return "a section (`key: value` lines, indented under it)"
    if get_origin(field.annotation) is list:
        return "a list (entries that begin with `- `, indented under it)"
    if words := choices(field):
        return words[0] if len(words) == 1 else f"one of {', '.join(words)}"
    pattern = next((m.pattern for m in field.metadata if getattr(m, "pattern", None)), None)
    if pattern is not None:
        return next(words for mark, words in _PATTERNS if mark in pattern)
    kinds = [k for k in (get_args(field.annotation) or (field.annotation,)) if k is not NoneType]
    plain, *_ = get_args(kinds[0]) or kinds  # the first of Annotated's is the type itself
    return _SCALARS.get(plain, "text") + bounds(field)


def bounds(field: FieldInfo) -> str:
    """The limits of a number or of a text's length, in words; empty if it has none."""
    limits = list(field.metadata)
    for form in get_args(field.annotation):  # `Annotated[float, Field(…)] | None` has them one step further in
        limits += [m for inner in get_args(form)[1:] for m in getattr(inner, "metadata", ())]
    low = next((m.ge for m in limits if isinstance(m, Ge)), None)
    high = next((m.le for m in limits if isinstance(m, Le)), None)
    if low is not None and high is not None:
        return f" from {low} to {high}"
    above = next((m.gt for m in limits if isinstance(m, Gt)), None)
    if above is not None and high is not None:
        return f" above {above} and up to {high}"
    shortest = next((m.min_length for m in field.metadata if isinstance(m, MinLen)), 0)
    longest = next((m.max_length for m in field.metadata if isinstance(m, MaxLen)), None)
    return f" of {shortest} to {longest} characters" if longest is not None else ""


def example(key: str, field: FieldInfo) -> str:
    """`e.g. …`, or nothing where an example would say no more than `wanted`."""
    if choices(field):
        return ""
    value = field.default
    if value is PydanticUndefined or value in ("", None, "auto") or isinstance(value, tuple):
        value = _EXAMPLES.get(key)
    if isinstance(value, ByteSize):
        value = value.human_readable()
    elif isinstance(value, bool):
        value = str(value).lower()
    return "" if value is None or isinstance(value, BaseModel) else f"e.g. `{key}: {value}`"
