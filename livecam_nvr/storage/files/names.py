"""Gives each file its name: no two files of this process get the same one, on whatever thread it is asked for."""

from threading import Lock

from livecam_nvr.domain.segment import segment_path

_REMEMBERED = 4096


class Names:
    """The names given out lately, and which of them are of files still being written.

    A name is given on the event loop without looking at the disk. The thread that creates the file demands that it
    be new (O_EXCL) and asks for another name where an earlier process has used it. So nothing is ever overwritten:
    not in the hour that comes twice, not when the wall clock is set back, not when a machine starts with a date of
    the past.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._given: dict[str, None] = {}
        self._writing: set[str] = set()

    def take(self, camera_id: str, start_utc_ns: int, utc_offset_s: int) -> str:
        """A name that was not given out yet; it counts as being written until `release`."""
        with self._lock:
            attempt = 0
            while True:
                path = str(segment_path(camera_id, start_utc_ns, utc_offset_s, attempt))
                if path not in self._given and path not in self._writing:
                    break
                attempt += 1
            self._given[path] = None
            self._writing.add(path)
            if len(self._given) > _REMEMBERED:
                del self._given[next(iter(self._given))]
            return path

    def hold(self, path: str) -> bool:
        """Has the file at `path` count as being written until `release`; False if it already does."""
        with self._lock:
            if path in self._writing:
                return False
            self._writing.add(path)
            return True

    def release(self, path: str) -> None:
        """The file is no longer written (or never was)."""
        with self._lock:
            self._writing.discard(path)

    def is_writing(self, path: str) -> bool:
        """Whether this process writes, or is about to write, the file at `path` (relative to the root)."""
        with self._lock:
            return path in self._writing

    def writing(self) -> list[str]:
        """The files that this process writes, or is about to write."""
        with self._lock:
            return sorted(self._writing)
