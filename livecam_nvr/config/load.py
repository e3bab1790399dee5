"""Loads `config.yaml`: every mistake at once, or a config whose paths are absolute."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from livecam_nvr.config.mistakes import ConfigErrors, ConfigMistake
from livecam_nvr.config.models import Config

if TYPE_CHECKING:
    from livecam_nvr.config.source import Source

__all__ = ["ConfigErrors", "ConfigMistake", "load_config", "parse_config"]

_MAX_BYTES = 1_000_000
_INIT = "write one with `livecam-nvr init-config`"

M = TypeVar("M", bound=BaseModel)


def load_config(path: Path | None = None, home: Path | None = None) -> Config:
    """The config in `path`; without one, `config.yaml` in `home`; without that file, two test cameras.

    Args:
        path: A config file that must exist.
        home: The folder for `config.yaml` and, without a config file, for recordings and data; the current
            folder if None. Relative paths in a file are relative to that file's folder.

    Raises:
        ConfigErrors: With all mistakes, also for a file that cannot be read.
    """
    base = Path.cwd() if home is None else home.absolute()
    if path is None:
        path = base / "config.yaml"
        # A dangling link is not "no config": its owner does not expect test cameras.
        if not os.path.lexists(path):
            return _absolute(Config(), base)
        shown = "config.yaml" if path.parent == Path.cwd() else str(path)
    else:
        shown = str(path)
    return parse_config(_read(path, shown), shown, path.absolute().parent)


def parse_config(text: str, file: str, base: Path) -> Config:
    """The config that `text` holds; `file` is named in mistakes; relative paths are put into `base`.

    Secrets that are in files of their own are read, too.

    Raises:
        ConfigErrors: With all mistakes.
    """
    # YAML is only needed where there is a file; a start without one is the faster for it.
    from livecam_nvr.config.explain import explain  # noqa: PLC0415
    from livecam_nvr.config.secret_values import fill_in  # noqa: PLC0415
    from livecam_nvr.config.source import parse  # noqa: PLC0415
    from livecam_nvr.config.whole import check_whole  # noqa: PLC0415

    source = parse(text, file)
    if source.data is None and not source.mistakes:
        source.mistake((), "is empty", _INIT)
    if source.data is None:
        raise ConfigErrors(source.mistakes)
    fill_in(source, base)
    check_whole(source)
    config = None
    try:
        config = Config.model_validate(source.data)
    except ValidationError as error:
        known = bool(source.mistakes)
        errors = error.errors(include_url=False, include_input=False)
        # What the whole of it violates has been told above, with its line.
        explain((e for e in errors if not (known and _is_whole(e["loc"], e["type"]))), source)
        _explain_guessed(source, base)
    if source.mistakes or config is None:
        raise ConfigErrors(source.mistakes)
    return _absolute(config, base)


def _explain_guessed(source: "Source", base: Path) -> None:
    """Tells the other mistakes of cameras whose kind is misspelt, as if it were what was probably meant."""
    from livecam_nvr.config.explain import explain, guess_kinds  # noqa: PLC0415
    from livecam_nvr.config.secret_values import fill_in  # noqa: PLC0415

    guessed = guess_kinds(source)
    if not guessed:
        return
    fill_in(source, base, {("cameras", *number) for number in guessed})
    try:
        Config.model_validate(source.data)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        # What the guessed kind demands may not be missing from the one that was meant.
        of_them = (e for e in errors if e["loc"][:1] == ("cameras",) and e["loc"][1:2] in guessed)
        explain((e for e in of_them if e["type"] != "missing"), source)


def _is_whole(loc: tuple[int | str, ...], kind: str) -> bool:
    return kind == "value_error" and loc in {(), ("listen",)}


def _read(path: Path, shown: str) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigErrors([ConfigMistake(shown, None, "", "there is no such file", _INIT)]) from None
    except IsADirectoryError:
        hint = f"give the file itself, e.g. {Path(shown) / 'config.yaml'}"
        raise ConfigErrors([ConfigMistake(shown, None, "", "is a folder", hint)]) from None
    except PermissionError:
        hint = "let this user read it, e.g. with chmod or chown"
        raise ConfigErrors([ConfigMistake(shown, None, "", "may not be read by this user", hint)]) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise ConfigErrors([ConfigMistake(shown, None, "", f"cannot be read: {reason}")]) from None
    if len(raw) > _MAX_BYTES:
        raise ConfigErrors([ConfigMistake(shown, None, "", "is larger than 1 MB", "is this the config file?")])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        hint = "save the file as UTF-8"
        raise ConfigErrors([ConfigMistake(shown, line, "", "holds bytes that are not UTF-8 text", hint)]) from None


def _absolute(section: M, base: Path) -> M:
    """`section` with `~` expanded and every path absolute."""
    return section.model_copy(update={name: _placed(value, base) for name, value in section})


def _placed(value: Any, base: Path) -> Any:
    if isinstance(value, Path):
        return base / value.expanduser()
    if isinstance(value, BaseModel):
        return _absolute(value, base)
    return [_placed(entry, base) for entry in value] if isinstance(value, list) else value
