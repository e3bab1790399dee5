"""core.about.About with known answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from livecam_nvr.core.ports import Check


class FakeAbout:
    """Keeps `hush` secret."""

    async def versions(self) -> Mapping[str, str]:
        return {"livecam-nvr": "0.1.0", "ffmpeg": "5.1"}

    async def checks(self) -> Sequence[Check]:
        away = Check("broker", ok=False, found="it is away", mend="start it")
        return [Check("ffmpeg", ok=True, found="5.1"), away]

    def config(self) -> Mapping[str, Any]:
        return {"mqtt": {"password": "**********"}}

    def clean(self, text: str) -> str:
        return text.replace("hush", "***")
