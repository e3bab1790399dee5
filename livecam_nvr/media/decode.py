"""Decodes one keyframe with a short-lived ffmpeg."""

import asyncio
from collections.abc import Sequence

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import Fragment, base_times, rebased
from livecam_nvr.media.hub import MemoryHub
from livecam_nvr.runtime.process import spawn

_PATIENCE_S = 8.0


def newest_keyframe(hub: MemoryHub) -> Fragment:
    """The newest keyframe of a stream that runs.

    Raises:
        LivecamError: UNAVAILABLE if the camera has no picture now.
    """
    gop: Sequence[Fragment] = hub.newest_gop()
    if not gop:
        raise LivecamError(
            ErrorKind.UNAVAILABLE, f"{hub.camera_id} has no picture now", "see its state in /api/status"
        )
    return gop[0]


async def decode(keyframe: Fragment, output: Sequence[str]) -> bytes:
    """The keyframe's picture in the form that ffmpeg's options `output` ask for.

    Raises:
        LivecamError: UNAVAILABLE if it takes too long, MEDIA if it cannot be decoded.
    """
    frame = ["-frames:v", "1", *output]
    argv = ["ffmpeg", "-v", "error", "-threads", "1", "-f", "mp4", "-i", "pipe:0", *frame, "pipe:1"]
    picture = bytearray()
    child = await spawn(argv, name="snapshot", stdin=True, on_stdout=picture.extend)
    try:
        child.write(keyframe.init.data)
        for piece in rebased(keyframe, base_times(keyframe)):
            child.write(bytes(piece))
        child.close_stdin()
        async with asyncio.timeout(_PATIENCE_S):
            await child.wait()
    except TimeoutError:
        raise LivecamError(
            ErrorKind.UNAVAILABLE, "the picture could not be decoded in time", "try again"
        ) from None
    finally:
        await child.stop()
    if not picture:
        said = child.last_lines[-1] if child.last_lines else "no reason given"
        raise LivecamError(ErrorKind.MEDIA, f"the picture could not be decoded: {said}", "is the stream damaged?")
    return bytes(picture)
