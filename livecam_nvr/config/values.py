"""The config file's contents as plain values for a form: typed, and with secrets that do not leave the service."""

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from livecam_nvr.config import schema
from livecam_nvr.config.mistakes import ConfigMistake, dotted
from livecam_nvr.config.source import Data, KeyPath

_TRUE = frozenset({"1", "on", "t", "true", "y", "yes"})
_FALSE = frozenset({"0", "off", "f", "false", "n", "no"})


def typed(data: Data) -> dict[str, Any]:
    """What the file's text means: numbers and truth values where the models want them, text elsewhere."""
    found = _typed(data, (), data)
    return found if isinstance(found, dict) else {}


def masked(values: dict[str, Any]) -> dict[str, Any]:
    """The same with `{"secret": true, "set": …}` in place of every secret."""
    shown: dict[str, Any] = _replaced(values, (), values, lambda value: {"secret": True, "set": bool(value)})
    return shown


def secrets(values: Any) -> list[str]:
    """All secrets in there."""
    found: list[str] = []
    _replaced(values, (), values, lambda value: found.append(str(value)))
    return [text for text in found if text]


def is_mask(value: object) -> bool:
    """True for what stands in place of a secret."""
    return isinstance(value, dict) and value.get("secret") is True


def unmasked(values: dict[str, Any], now: dict[str, Any], file: str) -> tuple[dict[str, Any], list[ConfigMistake]]:
    """Settings that somebody sends, with the secrets that they left as they were; and what is wrong in them.

    Cameras are told apart by their ids. Empty values and sections are left out: they mean the default.
    """
    mistakes: list[ConfigMistake] = []
    cameras = {camera.get("id"): camera for camera in _cameras(now)}

    def restored(value: Any, before: Any, path: KeyPath) -> Any:
        if is_mask(value):
            if isinstance(before, str):
                return before
            if value.get("set"):
                hint = "write it again: nobody but its owner knows it"
                mistakes.append(ConfigMistake(file, None, dotted(path), "the secret is not known here", hint))
            return None
        if isinstance(value, dict):
            known = before if isinstance(before, dict) else {}
            return {str(key): restored(item, known.get(key), (*path, str(key))) for key, item in value.items()}
        if isinstance(value, list):
            known_list = before if isinstance(before, list) else []
            if path == ("cameras",):
                former = [cameras.get(item.get("id")) if isinstance(item, dict) else None for item in value]
            else:
                former = [*known_list, *[None] * len(value)][: len(value)]
            return [
                restored(item, old, (*path, at)) for at, (item, old) in enumerate(zip(value, former, strict=True))
            ]
        return value

    return pruned(restored(values, now, ())), mistakes


def pruned(value: Any) -> Any:
    """Without keys that hold nothing or an empty section: they mean the default."""
    if isinstance(value, dict):
        inner = {key: pruned(item) for key, item in value.items()}
        return {key: item for key, item in inner.items() if item is not None and item != {}}
    return [pruned(item) for item in value] if isinstance(value, list) else value


def _cameras(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    found = values.get("cameras")
    yield from (entry for entry in found if isinstance(entry, dict)) if isinstance(found, list) else ()


def _typed(value: Any, path: KeyPath, data: Data) -> Any:
    if isinstance(value, dict):
        return {key: _typed(item, (*path, key), data) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(item, (*path, number), data) for number, item in enumerate(value)]
    return _scalar(value, _kinds(path, data)) if isinstance(value, str) else value


def _scalar(text: str, kinds: set[Any]) -> Any:
    if bool in kinds and text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    for kind in (int, float):
        if kind in kinds or (kind is int and float in kinds):
            try:
                return kind(text)
            except ValueError:
                continue
    return text


def _kinds(path: KeyPath, data: Data) -> set[Any]:
    """The plain types that a value may have, or the innermost key around it that the models know."""
    for length in range(len(path), 0, -1):
        if isinstance(path[length - 1], str) and (field := schema.field_at(path[:length], data)) is not None:
            return set(_flat(field.annotation))
    return set()


def _flat(annotation: Any) -> Iterator[Any]:
    origin = get_origin(annotation)
    if origin is Literal:
        yield from {type(value) for value in get_args(annotation)}
    elif origin is Annotated:
        yield from _flat(get_args(annotation)[0])
    elif origin in (Union, UnionType, list, tuple, dict):
        for inner in get_args(annotation):
            yield from _flat(inner)
    else:
        yield annotation


def _replaced(value: Any, path: KeyPath, data: Any, by: Any) -> Any:
    if path and isinstance(path[-1], str) and not isinstance(value, dict | list):
        return by(value) if is_secret_at(path, data) else value
    if isinstance(value, dict):
        return {key: _replaced(item, (*path, key), data, by) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, (*path, number), data, by) for number, item in enumerate(value)]
    return value


def is_secret_at(path: KeyPath, data: object) -> bool:
    """True for a key whose value must not be shown."""
    field = schema.field_at(path, data) if path else None
    return field is not None and schema.is_secret(field)
