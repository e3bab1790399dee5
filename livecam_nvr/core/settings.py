"""The port of the settings: what the config says, what a change of it would do, and its application."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

How = Literal["added", "removed", "restarted", "changed", "needs_restart"]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change of the settings does."""

    what: str
    """`camera`, `recording`, `retention`, `mqtt`, `service` or the section of the config."""
    id: str
    """The camera's; empty for what is not one camera's affair."""
    how: How
    """`changed`: at once, and nothing is interrupted; `needs_restart`: saved, and in force after a restart."""
    keys: tuple[str, ...] = ()
    """What of it was changed, as in the config."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is not right about settings."""

    key: str
    """Dotted, lists with numbers: `cameras.1.url`; empty for the whole."""
    problem: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings as they are, for a form."""

    revision: str
    """Names the state of the file; whoever changes something says which one they saw."""
    schema: dict[str, Any]
    """JSON Schema of the values."""
    values: dict[str, Any]
    """What is written in the file. In place of each secret: `{"secret": true, "set": true|false}`."""
    defaults: dict[str, Any]
    """What holds where nothing is written."""
    pending: tuple[Effect, ...] = ()
    """What the file says and the running service does not do yet."""


@dataclass(frozen=True, slots=True)
class Review:
    """What settings would do."""

    mistakes: tuple[Mistake, ...]
    diff: tuple[str, ...]
    """Unified, of the file's text, with secrets masked."""
    effects: tuple[Effect, ...]
    """Empty if there are mistakes."""


@dataclass(frozen=True, slots=True)
class Applied:
    """Settings that are in force."""

    revision: str
    effects: tuple[Effect, ...]

    @property
    def words(self) -> str:
        """What was changed, for the audit log: `cameras.cam1.name, mqtt.host`; never a value."""
        return ", ".join(f"{_place(effect)}{key}" for effect in self.effects for key in effect.keys or ("",))[:500]


def _place(effect: Effect) -> str:
    if effect.what == "camera":
        return f"cameras.{effect.id}." if effect.keys else f"cameras.{effect.id} {effect.how}"
    return ""


class SettingsDesk(Protocol):
    """Shows and changes the config's file, and applies it while the service runs.

    `values` are as in `Settings`; a secret that is left as it was shown keeps its value.
    """

    async def settings(self) -> Settings:
        """Raises LivecamError CONFLICT if the file has mistakes that were made elsewhere."""

    async def check(self, revision: str, values: dict[str, Any]) -> Review:
        """What these settings would do; changes nothing.

        Raises:
            LivecamError: CONFLICT if the file has changed since `revision`.
        """

    async def apply(self, revision: str, values: dict[str, Any], by: str) -> Applied:
        """Saves them and puts them into force, without touching cameras that do not change.

        Whoever leaves while it waits does not break it off.

        Raises:
            LivecamError: INVALID for mistakes; CONFLICT if the file has changed since `revision`, another change
                is under way, or a camera showed no picture (all is as it was before then); DISK if the file
                cannot be written (the same).
        """


class CameraSwitch(Protocol):
    """Stops and starts whole cameras while the service runs."""

    async def set_enabled(self, camera_id: str, on: bool, by: str) -> bool:
        """Starts or stops a camera; remembered over restarts. Returns whether it is on.

        Raises:
            LivecamError: NOT_FOUND for an unknown camera; CONFLICT while settings are being applied.
        """
