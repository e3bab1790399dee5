"""Pictures that are numbered instead of decoded (core.ports.Pictures)."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator

from livecam_nvr.domain.errors import ErrorKind, LivecamError


class FakePictures:
    """Each snapshot is a new one; cameras in `without` have none."""

    def __init__(self) -> None:
        self.without: set[str] = set()
        self.taken = 0
        self.taken_s: defaultdict[str, list[float]] = defaultdict(list)
        """When somebody asked for a camera's picture (monotonic s)."""

    async def snapshot(self, camera_id: str, *, max_height: int | None = None) -> bytes:
        self.taken += 1
        self.taken_s[camera_id].append(time.monotonic())
        if camera_id in self.without:
            raise LivecamError(ErrorKind.UNAVAILABLE, f"{camera_id} is offline")
        return b"\xff\xd8\xff" + f"{camera_id} {self.taken}".encode()

    async def mjpeg(self, camera_id: str) -> AsyncIterator[bytes]:
        raise AssertionError(f"nobody asks for MJPEG of {camera_id} here")
        yield b""
