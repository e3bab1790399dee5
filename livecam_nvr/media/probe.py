"""Asks ffprobe what a file or a camera sends."""

import asyncio
import json
import stat
from collections.abc import Mapping
from pathlib import Path

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media.diagnose import diagnose
from livecam_nvr.runtime.process import spawn

_PATIENCE_S = 10.0
_SOUND_PATIENCE_S = 15.0
_LISTEN_S = 2


async def video_codec(path: Path) -> str:
    """The name, as ffmpeg calls it, of the first video stream's codec, e.g. `h264`.

    Raises:
        LivecamError: UNAVAILABLE if the file is not there or cannot be read, MEDIA if it has no video.
    """
    try:
        # Not `Path.is_file`: from Python 3.14 on it takes every error for "no".
        found = stat.S_ISREG((await asyncio.to_thread(path.stat)).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        found = False
    except OSError as error:
        raise LivecamError(
            ErrorKind.UNAVAILABLE, f"{path} cannot be read: {error.strerror}", "check the camera's path"
        ) from error
    if not found:
        raise LivecamError(ErrorKind.UNAVAILABLE, f"there is no file {path}", "check the camera's path")
    out = bytearray()
    show = ["-select_streams", "v:0", "-show_entries", "stream=codec_name", "-of", "json"]
    child = await spawn(["ffprobe", "-v", "error", *show, f"file:{path}"], name="ffprobe", on_stdout=out.extend)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            code = await child.wait()
    except TimeoutError:
        raise LivecamError(ErrorKind.UNAVAILABLE, f"{path} cannot be read in time", "is its disk there?") from None
    finally:
        await child.stop()
    if code:
        raise diagnose(child.last_lines, code, str(path))
    streams = json.loads(out).get("streams", [])
    if not streams:
        raise LivecamError(ErrorKind.MEDIA, f"{path} holds no video", "name a video file")
    return str(streams[0].get("codec_name", "unknown"))


async def sound_codec(
    url: str,
    options: Mapping[str, str | None],
    what: str,
    *,
    listen: bool = False,
    patience_s: float = _SOUND_PATIENCE_S,
) -> str | None:
    """The first audio stream's codec, as ffmpeg calls it; None if there is none.

    AAC without its AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1), which MP4 needs, counts as unknown: an empty
    string.

    Args:
        url: The source, as for ffmpeg; may contain a password.
        options: Its input options.
        what: Names the source in messages.
        listen: Whether sound that is announced, but of which nothing comes for two seconds, counts as none.
        patience_s: After so many seconds without an answer the source counts as hung.

    Raises:
        LivecamError: UNAVAILABLE if the source cannot be opened or does not answer, MEDIA if it sends nonsense.
    """
    given = [word for key, value in options.items() for word in (f"-{key}", *([] if value is None else [value]))]
    count = ["-count_packets", "-read_intervals", f"%+{_LISTEN_S}"] if listen else []
    show = ["-show_entries", "stream=codec_type,codec_name,extradata_size,nb_read_packets"]
    out = bytearray()
    argv = ["ffprobe", "-v", "error", *given, *count, *show, "-of", "json", "-i", url]
    child = await spawn(argv, name="ffprobe", on_stdout=out.extend)
    try:
        async with asyncio.timeout(patience_s):
            code = await child.wait()
    except TimeoutError:
        raise LivecamError(
            ErrorKind.UNAVAILABLE, f"{what} gives no answer", "if that lasts, switch it off and on again"
        ) from None
    finally:
        await child.stop()
    if code:
        raise diagnose(child.last_lines, code, what)
    streams = [s for s in json.loads(out).get("streams", []) if s.get("codec_type") == "audio"]
    if not streams or (listen and not int(streams[0].get("nb_read_packets", 0))):
        return None
    codec = str(streams[0].get("codec_name", ""))
    return "" if codec == "aac" and not streams[0].get("extradata_size") else codec
