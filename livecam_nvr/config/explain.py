"""Turns what pydantic says about a config into mistakes with line, key and what would be right."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from livecam_nvr.config import schema
from livecam_nvr.config.models import CAMERA_KINDS, Config
from livecam_nvr.config.source import KeyPath, Source
from livecam_nvr.domain.redact import redact

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

_SHOWN = 40
_WORD = re.compile(r"[\w.-]*")


def explain(errors: "Iterable[ErrorDetails]", source: Source) -> None:
    """Adds a mistake to `source` for each of pydantic's errors (of `Config`, without their inputs)."""
    told: set[KeyPath] = set()
    for error in errors:
        path = _path(error["loc"], source)
        kind = error["type"]
        if kind == "missing" and path[-1:] != error["loc"][-1:]:
            kind = "too_short"
        if kind not in {"extra_forbidden", "missing"}:
            if path in told:  # each form of a union complains
                continue
            told.add(path)
        if kind == "extra_forbidden":
            _unknown(path, source)
        elif kind == "missing":
            field = schema.field_at(path, source.data)
            source.mistake(path, "is missing", schema.example(str(path[-1]), field) if field else "")
        elif kind in {"union_tag_invalid", "union_tag_not_found"}:
            _camera_kind(path, source)
        elif kind == "value_error":
            # Our own validators: their words are made for people and hold no secret.
            source.mistake(path, str(error.get("ctx", {}).get("error", "will not do")))
        elif path == ("cameras",) and kind in {"too_short", "too_long"}:
            source.mistake(path, "must have 1 to 64 entries", "leave `cameras` out for two test cameras")
        else:
            _unfit(path, source)


def _path(loc: tuple[int | str, ...], source: Source) -> KeyPath:
    """Where it is in the file: without the camera's kind, which pydantic puts behind its number.

    What is wrong within a list or a union (a point of a mask, one of the forms of `focus`) is wrong with the key.
    """
    camera = 2
    path = loc
    if len(loc) > camera and loc[0] == "cameras" and loc[camera] in CAMERA_KINDS:
        path = (*loc[:camera], *loc[camera + 1 :])
    for length in range(1, len(path)):
        inner = schema.section_at(path[:length], source.data)
        field = schema.field_at(path[:length], source.data)
        # Beyond a key that holds no section (and no list of them) lie the parts of its value.
        if inner is None and field is not None and schema.entries(field) is None and path[:length] != ("cameras",):
            return path[:length]
    return path


def _unknown(path: KeyPath, source: Source) -> None:
    section = schema.section_at(path[:-1], source.data)
    known = list(section.model_fields) if section else []
    key = str(path[-1])
    several = [name for name in known if name.endswith(f"_{key}")]
    if len(several) > 1:
        hint = f"one of {', '.join(several)}"
    elif near := difflib.get_close_matches(key.lower(), known, 1, 0.6):
        hint = f'did you mean "{near[0]}"?'
    elif places := list(_elsewhere(key, path)):
        hint = f"it belongs {' or '.join(places)}"
    else:
        hint = f"known here: {', '.join(known)}"
    source.mistake(path, "unknown key", hint)


def _elsewhere(key: str, path: KeyPath) -> Iterable[str]:
    """Where a key of this name would be right."""
    if path[0] == "cameras":
        kinds = [kind for kind, model in CAMERA_KINDS.items() if key in model.model_fields]
        if kinds:
            yield f"to cameras of kind {', '.join(kinds)}"
    elif key in Config.model_fields:
        yield "to the left margin, outside of any section"
    else:
        for name, field in Config.model_fields.items():
            section = schema.section_at((name,), None)
            if section and schema.is_section(field.annotation) and key in section.model_fields:
                yield f"under `{name}:`"


def _camera_kind(path: KeyPath, source: Source) -> None:
    camera = _value(path, source)
    kind = camera.get("kind") if isinstance(camera, Mapping) else None
    kinds = ", ".join(CAMERA_KINDS)
    if kind is None:
        source.mistake((*path, "kind"), "is missing", f"one of {kinds}")
    elif isinstance(kind, str):
        near = _near_kind(kind)
        guess = f'; did you mean "{near}"?' if near else ""
        source.mistake((*path, "kind"), f"{_shown(kind)} is not a kind of camera", f"one of {kinds}{guess}")
    else:
        source.mistake((*path, "kind"), f"{_shown(kind)} is not a kind of camera", f"one of {kinds}")


def _near_kind(kind: str) -> str:
    return next(iter(difflib.get_close_matches(kind.lower(), CAMERA_KINDS, 1, 0.4)), "")


def guess_kinds(source: Source) -> set[tuple[int]]:
    """Replaces the misspelt kinds of cameras in `source.data` by those probably meant; returns which cameras."""
    guessed = set()
    cameras = source.data.get("cameras") if isinstance(source.data, dict) else None
    for number, camera in enumerate(cameras if isinstance(cameras, list) else ()):
        kind = camera.get("kind") if isinstance(camera, dict) else None
        if isinstance(kind, str) and kind not in CAMERA_KINDS and _near_kind(kind):
            camera["kind"] = _near_kind(kind)
            guessed.add((number,))
    return guessed


def _unfit(path: KeyPath, source: Source) -> None:
    value = _value(path, source)
    field = schema.field_at(path, source.data)
    if field is None:
        # An entry of `cameras`, or the file itself.
        entry = "an entry" if path else "the file"
        source.mistake(
            path,
            f"{entry} must consist of `key: value` lines",
            "see init-config" if not path else "e.g. `- id: cam0`" if path[:-1] == ("cameras",) else "",
        )
        return
    shown = "this" if schema.is_secret(field) or _hides_keys(field, value) else _shown(value)
    hint = schema.example(str(path[-1]), field)
    words = schema.choices(field)
    if isinstance(value, str) and (near := difflib.get_close_matches(value.lower(), words, 1, 0.5)):
        hint = f'did you mean "{near[0]}"?'
    source.mistake(path, f"{shown} is not {schema.wanted(str(path[-1]), field)}", hint)


def _hides_keys(field: "FieldInfo", value: object) -> bool:
    """True for text that may be keys and values that YAML did not take for such: `password:secret`."""
    return schema.is_section(field.annotation) and isinstance(value, str) and not _WORD.fullmatch(value)


def _shown(value: object) -> str:
    if isinstance(value, str):
        text = redact(value)
        return f'"{text}"' if len(text) <= _SHOWN and text.isprintable() else "this text"
    return "a list" if isinstance(value, list) else "a section" if isinstance(value, Mapping) else "nothing"


def _value(path: KeyPath, source: Source) -> object:
    value: object = source.data
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value
