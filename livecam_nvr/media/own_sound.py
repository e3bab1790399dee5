"""The sound that a camera or file sends along with its pictures: asked for before each run."""

import asyncio
import logging
from dataclasses import replace

from livecam_nvr.media.probe import sound_codec
from livecam_nvr.media.sound import Audio
from livecam_nvr.media.sources import Source

_log = logging.getLogger(__name__)

# A run that is over so soon may have failed because of its sound: ffmpeg begins with nothing before it has heard
# what it is to encode, and the pictures of a camera that announces sound and then sends none would never come.
_SHORT_RUN_S = 30.0
# Those that ffprobe does not know, and does not need; and what sound there is, is known before its first packet.
_FFMPEG_ALONE = ("re", "stream_loop", "analyzeduration")
_ANALYSE_US = "3000000"


class OwnSound:
    """Finds out what sound comes with a camera's pictures.

    Args:
        camera_id: For the log.
        what: Names the source in messages.
    """

    def __init__(self, camera_id: str, what: str) -> None:
        self._camera_id = camera_id
        self._what = what
        self._opened_s: float | None = None
        self._told = ""

    async def join(self, source: Source) -> Source:
        """`source` with its sound; as it is if it has none, which is logged once.

        Raises:
            LivecamError: As `media.probe.sound_codec`: it cannot be opened.
        """
        now_s = asyncio.get_running_loop().time()
        doubtful = self._opened_s is not None and now_s - self._opened_s < _SHORT_RUN_S
        options = {key: value for key, value in source.options.items() if key not in _FFMPEG_ALONE}
        options["analyzeduration"] = _ANALYSE_US
        codec = await sound_codec(source.url, options, self._what, listen=doubtful)
        self._opened_s = asyncio.get_running_loop().time()
        if codec is None:
            self._tell("sends no sound although it announces some" if doubtful else "has no sound")
            return replace(source, options={**source.options, **_without(source)})
        self._told = ""
        return replace(source, audio=Audio(codec))

    def _tell(self, words: str) -> None:
        if not self._told:
            _log.warning("%s: it %s; its pictures go on without", self._camera_id, words)
        self._told = words


def _without(source: Source) -> dict[str, str | None]:
    """Options that keep ffmpeg from waiting for sound that a camera only announces."""
    return {"allowed_media_types": "video"} if "rtsp_transport" in source.options else {}
