"""Puts values in their place that the config only names: secrets from the environment and from their files."""

import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final, cast

from livecam_nvr.config import schema
from livecam_nvr.config.secret_file import UnfitError, has_control, read_secret
from livecam_nvr.config.source import KeyPath, Source, leaves

VARIABLE: Final = re.compile(r"\$\$\{|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)\})?")
"""`${NAME}`; `$${`, which stands for `${`; or a `${` that is neither."""
CREDENTIAL_PATHS: Final = frozenset(
    {
        *("password_file", "url_file", "sub_url_file", "onvif_url_file"),
        *("ca_file", "client_certificate", "client_key", "certificate", "private_key"),
    }
)
"""Paths that may lead into a folder which only the environment names, as systemd's credentials do."""

_FILE = "_file"
# So that what is not known is not also told as missing or unfit; such a config never gets out of the loader.
_UNKNOWN: Final = {"url": "rtsp://unknown/", "sub_url": "rtsp://unknown/", "onvif_url": "http://unknown/"}
_ESCAPE = "`$${` stands for `${` itself"


def fill_in(source: Source, base: Path, only: Collection[KeyPath] = ()) -> None:
    """Replaces `${NAME}` and reads secrets from their files, where that is provided for; notes what cannot be.

    Blocks for the files. Relative ones are in `base`. With `only`, nothing but the entries at these paths is done.
    """
    places = [path for path, _ in leaves(source.data) if path and (not only or path[:2] in only)]
    failed = {path for path in places if not _substituted(path, source)}
    for path in places:
        secret = (*path[:-1], str(path[-1]).removesuffix(_FILE))
        if path[-1] in CREDENTIAL_PATHS and secret != path and _is_secret(secret, source):
            _fetch(path, secret, source, None if path in failed else base)


def _is_secret(path: KeyPath, source: Source) -> bool:
    field = schema.field_at(path, source.data)
    return field is not None and schema.is_secret(field)


def _substituted(path: KeyPath, source: Source) -> bool:
    """False if that failed, which then has been noted."""
    secret = _is_secret(path, source)
    if not secret and (path[-1] not in CREDENTIAL_PATHS or schema.field_at(path, source.data) is None):
        return True
    section, key = _section(path, source), str(path[-1])
    try:
        section[key] = VARIABLE.sub(lambda found: _value(found, named=not secret), section[key])
    except UnfitError as error:
        source.mistake(path, error.problem, error.hint)
        section[key] = _UNKNOWN.get(key, "unknown")
        return False
    return True


def _value(found: re.Match[str], *, named: bool) -> str:
    name = found["name"]
    if name is None:
        if found[0] == "$${":
            return "${"
        raise UnfitError("holds a `${` without a name and a `}`", f"write `${{NAME}}`; {_ESCAPE}")
    # In a password that was not meant to name anything, this would be a part of it.
    shown = f"`{name}`" if named else "that it names"
    value = os.environ.get(name)
    if not value:
        problem = f"the environment variable {shown} is {'empty' if value == '' else 'not there'}"
        raise UnfitError(problem, f"set it for the service; {_ESCAPE}")
    if has_control(value):
        raise UnfitError(f"the environment variable {shown} holds a control character", "set it in one line")
    return value


def _fetch(path: KeyPath, secret: KeyPath, source: Source, base: Path | None) -> None:
    """Fills `secret` from the file that `path` names; without a base that is known not to be one."""
    section, key = _section(path, source), str(secret[-1])
    if section.get(key):
        source.mistake(path, f"is there beside `{key}`", "keep one of the two")
        return
    section[key] = _UNKNOWN.get(key, "unknown")
    text = section[str(path[-1])]
    if base is None or not text.strip() or not text.isprintable() or "://" in text:
        return  # that this is no path is told with all the other paths
    try:
        section[key] = read_secret(base / Path(text).expanduser())
        source.read_from[secret] = path
    except UnfitError as error:
        source.mistake(path, error.problem, error.hint)
    except RuntimeError:
        return  # `~` of somebody unknown: told with all the other paths


def _section(path: KeyPath, source: Source) -> dict[str, Any]:
    section: Any = source.data
    for step in path[:-1]:
        section = section[step]
    return cast("dict[str, Any]", section)  # only a section has fields
