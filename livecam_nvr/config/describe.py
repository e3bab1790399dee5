"""Describes the config for a form: a JSON Schema made from the models, and what holds where nothing is written."""

import ast
import inspect
from functools import cache
from pathlib import Path
from typing import Any, get_args

from pydantic import ByteSize
from pydantic.fields import FieldInfo

from livecam_nvr.config import schema, values
from livecam_nvr.config.models import CAMERA_KINDS, Config
from livecam_nvr.config.section import Section


@cache
def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the values in `config.yaml`: titles, descriptions, defaults, bounds.

    Beyond the standard's: `format` is `password` for secrets, `path` for files and folders, and `bytes` for sizes,
    which may be written as `200GB`. Reads this package's own files once.
    """
    found = Config.model_json_schema()
    sections = {model.__name__: model for model in _sections(Config)}
    for name, described in (("Config", found), *found.get("$defs", {}).items()):
        model = sections.get(name)
        if model is None:
            continue
        said = _docs(model)
        for key, field in model.model_fields.items():
            own = described["properties"].get(key)
            if own is not None:
                _add(own, field, key, said.get(key, ""))
    return found


def defaults() -> dict[str, Any]:
    """The whole config as it is without a file, as a form shows it. Relative paths are left as they are."""
    plain = Config().model_dump(mode="json", exclude_none=True)
    shown: dict[str, Any] = values.masked(plain)
    return shown


def _add(own: dict[str, Any], field: FieldInfo, key: str, said: str) -> None:
    own["title"] = key.replace("_", " ").capitalize()
    if said:
        own["description"] = said
    if schema.is_secret(field):
        own["format"], own["writeOnly"] = "password", True
        own.pop("default", None)
    elif ByteSize in (field.annotation, *get_args(field.annotation)):
        own.pop("anyOf", None)
        own.pop("minimum", None)
        own["type"], own["format"] = ["string", "integer", "null"], "bytes"
    elif schema.takes_path(field):
        own["format"] = "path"


def _sections(model: type[Section]) -> set[type[Section]]:
    found: set[type[Section]] = {model}
    for field in model.model_fields.values():
        inner = schema.entries(field)
        for candidate in (field.annotation, inner):
            if schema.is_section(candidate) and candidate not in found:
                found |= _sections(candidate)
    if model is Config:
        for kind in CAMERA_KINDS.values():
            found |= _sections(kind)
    return found


def _docs(model: type[Section]) -> dict[str, str]:
    """What stands below each field of a model in its source, also of those it inherits."""
    found: dict[str, str] = {}
    for part in reversed(model.__mro__):
        if isinstance(part, type) and issubclass(part, Section):
            found |= _docs_in(Path(inspect.getfile(part))).get(part.__name__, {})
    return found


@cache
def _docs_in(file: Path) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(file.read_text("utf-8")).body:
        if not isinstance(node, ast.ClassDef):
            continue
        said = found.setdefault(node.name, {})
        for field, after in zip(node.body, node.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                match after:
                    case ast.Expr(value=ast.Constant(value=str() as text)):
                        said[field.target.id] = " ".join(text.split())
    return found
