"""What the models know about a key: which section it is in, what it takes, an example."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, Final, Literal, TypeGuard, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import BaseModel, ByteSize, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from livecam_nvr.config.models import CAMERA_KINDS, CameraBase, Config, Drill
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
    "exposure_us": "10000",
    "gain": "4",
    "tuning_file": "/usr/share/libcamera/ipa/rpi/pisp/ov5647_noir.json",
}
# What the type itself does not say in a person's words.
_SPECIAL: Final = {
    "masks": "a list of areas, each a list of at least 3 points [x, y] with both from 0 to 1",
    "controls": "names of the camera's controls, each with a whole number",
    "drills": "a list of drills, each with `what`, `every_seconds` and so on",
    "white_balance": "a mode such as auto or daylight, or the two gains [red, blue], each above 0 and up to 32",
    "focus": "auto, continuous, or dioptres from 0 to 32",
}
_PATTERNS: Final = (
    ("x", "WIDTHxHEIGHT with even numbers of pixels up to 9998"),
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
    if not path:
        return Config
    if path[0] == "cameras":
        if path[2:3] == ("drills",) and len(path) == 4:  # noqa: PLR2004 - ("cameras", number, "drills", number)
            return Drill
        if len(path) != 2 or not isinstance(path[1], int):  # noqa: PLR2004 - ("cameras", number)
            return None
        cameras = data.get("cameras") if isinstance(data, dict) else None
        camera = cameras[path[1]] if isinstance(cameras, list) and path[1] < len(cameras) else None
        kind = camera.get("kind") if isinstance(camera, dict) else None
        return CAMERA_KINDS.get(kind, CameraBase) if isinstance(kind, str) else CameraBase
    found = Config.model_fields.get(str(path[0])) if len(path) == 1 else None
    annotation: object = found.annotation if found else None
    return annotation if is_section(annotation) else None


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
    return _SCALARS.get(kinds[0], "text") + bounds(field)


def bounds(field: FieldInfo) -> str:
    """The limits of a number or of a text's length, in words; empty if it has none."""
    low = next((m.ge for m in field.metadata if isinstance(m, Ge)), None)
    high = next((m.le for m in field.metadata if isinstance(m, Le)), None)
    if low is not None and high is not None:
        return f" from {low} to {high}"
    shortest = next((m.min_length for m in field.metadata if isinstance(m, MinLen)), 0)
    longest = next((m.max_length for m in field.metadata if isinstance(m, MaxLen)), None)
    return f" of {shortest} to {longest} characters" if longest is not None else ""


def example(key: str, field: FieldInfo) -> str:
    """`e.g. …`, or nothing where an example would say no more than `wanted`."""
    if choices(field):
        return ""
    value = field.default
    if value is PydanticUndefined or value in ("", None, (), "auto"):
        value = _EXAMPLES.get(key)
    if isinstance(value, ByteSize):
        value = value.human_readable()
    elif isinstance(value, bool):
        value = str(value).lower()
    return "" if value is None or isinstance(value, BaseModel) else f"e.g. `{key}: {value}`"
