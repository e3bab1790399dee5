"""Writes an ordinary MP4 file whose description stands in front (`faststart`). Blocks: for threads.

The media go into a file of their own while they come; at the end the description, whose size is known only then,
is written in front of them. The kernel moves the bytes (sendfile(2)), not we.
"""

import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from livecam_nvr.media.export.tables import Track, box, movie

_FTYP = box(b"ftyp", b"isom", struct.pack(">I", 512), b"isomiso2avc1mp41")
_STEP_BYTES = 8 << 20
_MOST_32_BITS = (1 << 32) - 1


class FlatFile:
    """An MP4 that is being made at `path`; `close` at the end, whatever happens.

    Args:
        path: Of the whole file; must not be there. While the media come in, they lie beside it, in `.media`.
        video: The track of the pictures.
        sound: That of the sound, if any.
    """

    def __init__(self, path: Path, video: Track, sound: Track | None) -> None:
        self.video = video
        self.sound = sound
        self._path = path
        self._media_path = path.with_name(path.name + ".media")
        self._size = 0
        self._media: BinaryIO | None = self._media_path.open("x+b", buffering=1 << 20)

    @property
    def size(self) -> int:
        """Bytes of media so far."""
        return self._size

    def write(self, track: Track, data: bytes, dts: int, duration: int, offset: int, *, sync: bool) -> None:
        """Adds a sample. Raises OSError if the disk refuses."""
        if self._media is None:
            raise RuntimeError("a file is used that was closed")
        self._media.write(data)
        track.add(dts, duration, offset, len(data), sync=sync, at=self._size)
        self._size += len(data)

    def finish(
        self, created_utc_s: int, facts: Mapping[str, str], moved: Callable[[float], None] = lambda _share: None
    ) -> int:
        """Makes the whole file, durable; returns its size. There is a picture in it at least.

        Args:
            created_utc_s: When the first picture was taken.
            facts: See `tables.movie`.
            moved: Told which share of the media has been moved; may raise to give up.

        Raises:
            OSError: The disk refuses.
        """
        if self._media is None:
            raise RuntimeError("a file is used that was closed")
        self._media.flush()
        os.posix_fadvise(self._media.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        tracks = [track for track in (self.video, self.sound) if track is not None and track.sizes]
        large = self._size + (64 << 20) > _MOST_32_BITS
        header = struct.pack(">I4sQ", 1, b"mdat", 16 + self._size)
        length = len(movie(tracks, 0, created_utc_s, facts, large=large))
        base = len(_FTYP) + length + len(header)
        with self._path.open("xb") as file:
            file.write(_FTYP + movie(tracks, base, created_utc_s, facts, large=large) + header)
            file.flush()
            at = 0
            while at < self._size:
                moved(at / self._size)
                count = os.sendfile(file.fileno(), self._media.fileno(), at, min(_STEP_BYTES, self._size - at))
                if not count:
                    raise OSError("the media became shorter while they were moved")
                at += count
            os.fsync(file.fileno())
            return base + self._size

    def close(self) -> None:
        """Lets go of the media; idempotent. What `finish` has made stays."""
        if self._media is not None:
            self._media.close()
            self._media = None
            self._media_path.unlink(missing_ok=True)
