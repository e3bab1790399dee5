"""Leaves text out of the picture where none can be drawn: a camera without its name is better than none."""

import asyncio
import logging
from dataclasses import replace

from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.media.drawing import FONT, without_text
from livecam_nvr.media.sources import Source
from livecam_nvr.runtime.process import spawn

_log = logging.getLogger(__name__)

_PATIENCE_S = 5.0


class Fonts:
    """Asks ffmpeg whether it can draw text, and no more once it could; those who ask at once ask once."""

    def __init__(self) -> None:
        self._works = False
        self._asking = asyncio.Lock()

    async def fit(self, source: Source, camera_id: str) -> Source:
        """The source as it is, or without the text that this machine cannot draw, saying so in the log."""
        plain = without_text(source.filters)
        if plain == source.filters or await self.work():
            return source
        _log.warning(
            "%s: no text can be drawn into its picture, as ffmpeg finds no font or has no drawtext filter;"
            " install a font: sudo apt install fonts-dejavu-core",
            camera_id,
        )
        return replace(source, filters=plain)

    async def work(self) -> bool:
        """Whether text can be drawn."""
        async with self._asking:
            if not self._works:
                self._works = await _draws()
            return self._works


async def _draws() -> bool:
    picture = ["-f", "lavfi", "-i", "color=size=64x64:duration=0.1", "-vf", f"drawtext=font={FONT}:text=0"]
    argv = ["ffmpeg", "-nostdin", "-v", "error", *picture, "-frames:v", "1", "-f", "null", "-"]
    try:
        child = await spawn(argv, name="trial of drawtext")
    except LivecamError:
        return True  # there is no ffmpeg, which is told by whoever starts one in earnest
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await child.wait() == 0
    except TimeoutError:
        return True  # a machine that is so busy may still have fonts
    finally:
        await child.stop()
