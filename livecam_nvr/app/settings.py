"""The settings' desk: shows the config's file, checks and applies changes of it (core.settings)."""

import asyncio
import logging
import re
from pathlib import Path
from typing import Any

from livecam_nvr.app.application import Application
from livecam_nvr.app.changes import changes
from livecam_nvr.config import config_file
from livecam_nvr.config.config_file import Contents
from livecam_nvr.config.load import parse_config
from livecam_nvr.config.mistakes import ConfigErrors, ConfigMistake
from livecam_nvr.config.models import Config
from livecam_nvr.core.settings import Applied, Effect, Mistake, Review, Settings
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.redact import redact

_log = logging.getLogger(__name__)

_NUMBER = re.compile(r"\[(\d+)\]")


class FileSettings:
    """Implements core.settings.SettingsDesk.

    Args:
        path: The config's file; there may be none yet.
        application: Knows what is in force.
    """

    def __init__(self, path: Path, application: Application) -> None:
        self._path = path
        self._application = application

    async def settings(self) -> Settings:
        """See core.settings.SettingsDesk."""
        # YAML and all around it are only needed by those who look at the settings.
        from livecam_nvr.config import describe, values  # noqa: PLC0415

        contents = await asyncio.to_thread(config_file.read, self._path)
        plain = _plain(contents)
        try:
            config = await asyncio.to_thread(self._parsed, contents.text)
        except ConfigErrors as errors:
            raise _has_mistake(errors.mistakes[0]) from None
        return Settings(
            contents.revision,
            await asyncio.to_thread(describe.json_schema),
            values.masked(plain),
            describe.defaults(),
            changes(self._application.config, config).effects,
        )

    async def check(self, revision: str, wanted: dict[str, Any]) -> Review:
        """See core.settings.SettingsDesk."""
        contents = await asyncio.to_thread(config_file.read, self._path)
        config_file.demand(contents, revision)
        return (await asyncio.to_thread(self._reviewed, contents, wanted))[0]

    async def apply(self, revision: str, wanted: dict[str, Any], by: str) -> Applied:
        """See core.settings.SettingsDesk."""
        contents = await asyncio.to_thread(config_file.read, self._path)
        config_file.demand(contents, revision)
        review, text, config = await asyncio.to_thread(self._reviewed, contents, wanted)
        if config is None:
            first = review.mistakes[0]
            message = f"{first.key}: {first.problem}" if first.key else first.problem
            raise LivecamError(ErrorKind.INVALID, message, first.hint)
        return await self._save(contents, text, config, by)

    async def reload(self) -> tuple[Effect, ...]:
        """Applies the file as it is: somebody has edited it. It is not touched, whatever comes of it.

        Raises:
            LivecamError: ConfigErrors for its mistakes; as `apply` for cameras that do not run with it.
        """
        contents = await asyncio.to_thread(config_file.read, self._path)
        if not contents.text.strip():
            # At a start that means two test cameras; here, somebody is probably about to write it.
            raise LivecamError(ErrorKind.CONFLICT, f"{self._path.name} is empty, or not there", "write it first")
        config = await asyncio.to_thread(self._parsed, contents.text)
        return (await self._application.apply(config, _as_it_is)).effects

    async def _save(self, contents: Contents, text: str, config: Config, by: str) -> Applied:
        revision = contents.revision
        if text == contents.text:  # what somebody has edited by hand may still have to be put into force
            done = await self._application.apply(config, _as_it_is)
            return Applied(revision, done.effects)
        new = await asyncio.to_thread(config_file.Replacement, self._path, text)

        async def keep() -> None:
            nonlocal revision
            revision = await asyncio.to_thread(new.take_place, contents.revision)

        try:
            done = await self._application.apply(config, keep)
        finally:
            await asyncio.to_thread(new.discard)
        applied = Applied(revision, done.effects)
        _log.info("the settings were changed by %s: %s", by, applied.words or "nothing that matters")
        return applied

    def _reviewed(self, contents: Contents, wanted: dict[str, Any]) -> tuple[Review, str, Config | None]:
        """Blocks: secrets may be in files."""
        from livecam_nvr.config import editing, values  # noqa: PLC0415 - see `settings`

        now = _plain(contents)
        restored, mistakes = values.unmasked(wanted, now, self._path.name)
        if mistakes:
            return Review(tuple(map(_mistake, mistakes)), (), ()), "", None
        try:
            text = contents.text if restored == values.pruned(now) else editing.edited(contents.text, restored)
            diff = tuple(editing.differences(contents.text, text, self._path.name))
        except (TypeError, AttributeError, KeyError, ValueError, RecursionError) as error:
            _log.debug("settings that cannot be written: %r", error)
            unfit = Mistake("", "these are no settings", "send `values` as GET /api/settings shows them")
            return Review((unfit,), (), ()), "", None
        try:
            config = self._parsed(text)
        except ConfigErrors as errors:
            return Review(tuple(map(_mistake, errors.mistakes)), diff, ()), text, None
        return Review((), diff, changes(self._application.config, config).effects), text, config

    def _parsed(self, text: str) -> Config:
        if not text.strip():
            text = "{}"
        return parse_config(text, self._path.name, self._path.absolute().parent)


def _plain(contents: Contents) -> dict[str, Any]:
    from livecam_nvr.config.source import parse  # noqa: PLC0415 - see `FileSettings.settings`
    from livecam_nvr.config.values import typed  # noqa: PLC0415

    source = parse(contents.text, "config.yaml")
    if source.mistakes:
        raise _has_mistake(source.mistakes[0])
    return typed(source.data)


def _mistake(found: ConfigMistake) -> Mistake:
    return Mistake(_NUMBER.sub(r".\1", found.key), redact(found.problem), redact(found.hint))


def _has_mistake(found: ConfigMistake) -> LivecamError:
    message = f"the config's file has a mistake: {found}"
    return LivecamError(ErrorKind.CONFLICT, message, "mend it with a text editor first")


async def _as_it_is() -> None:
    """The file says it already."""
