"""Writes plain values as YAML that the config's reader takes back as they were."""

import json
import re
from collections.abc import Mapping
from typing import Any

# What can stand without quotes wherever a value can, also within [] and {}.
_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+-]*(?: [A-Za-z0-9_./+-]+)*")
# For our reader each of these is text; people and other programs take them for something else.
_ODD = re.compile(r"(?i)null|true|false|yes|no|on|off|y|n|[\d._+-]+(e[\d+-]+)?|0[xo][0-9a-f_]+")


def scalar(value: str | float | bool | None) -> str:
    """A value in one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(value)
    if _PLAIN.fullmatch(value) and not _ODD.fullmatch(value):
        return value
    if value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    return json.dumps(value)  # a double-quoted YAML scalar has JSON's escapes (YAML 1.2, 5.7)


def flow(value: Any) -> str:
    """Any value in one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(key))}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def entry(key: str, value: Any, indent: int) -> list[str]:
    """The lines of `key: value`; sections and lists of sections go over several lines."""
    margin = " " * indent
    if isinstance(value, Mapping) and value:
        return [f"{margin}{scalar(key)}:", *block(value, indent + 2)]
    if isinstance(value, list) and value and all(isinstance(item, Mapping) and item for item in value):
        return [f"{margin}{scalar(key)}:", *(line for item in value for line in list_entry(item, indent + 2))]
    return [f"{margin}{scalar(key)}: {flow(value)}".rstrip()]


def block(section: Mapping[str, Any], indent: int) -> list[str]:
    """The lines of a section."""
    return [line for key, value in section.items() for line in entry(key, value, indent)]


def list_entry(section: Mapping[str, Any], indent: int) -> list[str]:
    """The lines of a section in a list; `indent` is that of its dash."""
    first, *rest = block(section, indent + 2)
    return [f"{' ' * indent}- {first.lstrip()}", *rest]
