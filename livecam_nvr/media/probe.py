"""Asks ffprobe what a file holds."""

import asyncio
import json
import stat
from pathlib import Path

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media.diagnose import diagnose
from livecam_nvr.runtime.process import spawn

_PATIENCE_S = 10.0


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
