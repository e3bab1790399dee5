"""What the service can say of itself and of the machine that it runs on."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from livecam_nvr.core.ports import Check


class About(Protocol):
    """For the page of the system and for diagnostics."""

    async def versions(self) -> Mapping[str, str]:
        """What runs here, by name: `livecam-nvr`, `Python`, `ffmpeg`, `SQLite`, `system`, `machine`."""

    async def checks(self) -> Sequence[Check]:
        """What `doctor` would say while the service runs; takes some seconds."""

    def config(self) -> Mapping[str, Any]:
        """The config that is in force, for JSON; what is secret is left out."""

    def clean(self, text: str) -> str:
        """`text` without anything that the config keeps secret, wherever it came from."""


class NothingAbout:
    """Knows nothing."""

    async def versions(self) -> Mapping[str, str]:
        """None."""
        return {}

    async def checks(self) -> Sequence[Check]:
        """None."""
        return ()

    def config(self) -> Mapping[str, Any]:
        """Nothing."""
        return {}

    def clean(self, text: str) -> str:
        """As it is."""
        return text
