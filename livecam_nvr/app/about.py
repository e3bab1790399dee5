"""What the service says of itself (core.about.About): versions, checks, the config without its secrets."""

import asyncio
import json
import platform
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, SecretStr

from livecam_nvr import __version__
from livecam_nvr.app.checks import checks
from livecam_nvr.config.models import Config
from livecam_nvr.core.ports import Check
from livecam_nvr.core.self_checks import results, while_running
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.redact import redact
from livecam_nvr.runtime.process import spawn

_PATIENCE_S = 8.0
_FFMPEG_PATIENCE_S = 5.0
_HIDDEN = "***"
# What is shorter could be a part of many words; it is still hidden wherever it stands in an address.
_SHORTEST = 4


class ServiceAbout:
    """Asks the running service's machine.

    Args:
        config: The one in force.
    """

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self._ffmpeg = ""

    async def versions(self) -> Mapping[str, str]:
        """See core.about.About. ffmpeg is asked once."""
        if not self._ffmpeg:
            self._ffmpeg = await _ffmpeg_version()
        return {
            "livecam-nvr": __version__,
            "Python": platform.python_version(),
            "ffmpeg": self._ffmpeg,
            "SQLite": sqlite3.sqlite_version,
            "system": await asyncio.to_thread(_system),
            "machine": platform.machine(),
        }

    async def checks(self) -> Sequence[Check]:
        """See core.about.About."""
        found: list[Check] = []
        async for some in results(checks(self._config()), _PATIENCE_S):
            found += [while_running(check) for check in some]
        return sorted(found, key=lambda check: check.name)

    def config(self) -> Mapping[str, Any]:
        """See core.about.About."""
        shown: dict[str, Any] = self._config().model_dump(mode="json")
        return shown

    def clean(self, text: str) -> str:
        """See core.about.About."""
        secrets = sorted(set(_secrets(self._config())), key=len, reverse=True)
        for secret in secrets:
            text = text.replace(secret, _HIDDEN)
        return redact(text)


def _system() -> str:
    try:
        name = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        name = ""
    return f"{name or platform.system()}, {platform.release()}"


def _secrets(section: BaseModel) -> Iterator[str]:
    """All that is secret in a config: whole values, and the passwords in addresses."""
    for value in dict(section).values():
        yield from _secrets_in(value)


def _secrets_in(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield from _parts(value.get_secret_value())
    elif isinstance(value, BaseModel):
        yield from _secrets(value)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _secrets_in(one)


def _parts(secret: str) -> Iterator[str]:
    found = [secret]
    try:
        password = urlsplit(secret).password
    except ValueError:
        password = None
    if password:
        found += [password, unquote(password)]
    # As some cameras have it, in the path or the query.
    found += re.findall(r"(?i)(?:pass(?:word|wd)?|pwd|psw)=([^&\s_]+)", secret)
    for one in found:
        if len(one) >= _SHORTEST:
            # In JSON, quotes and other marks look different.
            yield from (one, json.dumps(one)[1:-1], json.dumps(one, ensure_ascii=False)[1:-1])


async def _ffmpeg_version() -> str:
    out = bytearray()
    try:
        child = await spawn(["ffmpeg", "-hide_banner", "-version"], name="ffmpeg -version", on_stdout=out.extend)
    except LivecamError:
        return "not found"
    try:
        async with asyncio.timeout(_FFMPEG_PATIENCE_S):
            await child.wait()
    except TimeoutError:
        return ""
    finally:
        await child.stop()
    first = out.decode("utf-8", "replace").partition("\n")[0]
    return first.removeprefix("ffmpeg version ").partition(" ")[0]
