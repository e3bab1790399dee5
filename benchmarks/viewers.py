"""Viewers that read endless HTTP answers as fast as they come, and count pictures and bytes."""

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

_PATIENCE_S = 20.0


class Viewer:
    """One viewer, in a thread of its own until `stop`."""

    def __init__(self, url: str, mark: bytes) -> None:
        self.frames = 0
        self.bytes = 0
        self._parts = urlsplit(url)
        self._mark = mark
        self._stopped = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Leaves."""
        self._stopped = True
        self._thread.join(_PATIENCE_S)

    def _run(self) -> None:
        while not self._stopped:
            try:
                self._watch()
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)  # the server is not there yet

    def _watch(self) -> None:
        connection = http.client.HTTPConnection(self._parts.netloc.rpartition("@")[2], timeout=5)
        with contextlib.closing(connection):
            token = self._parts.password
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request("GET", self._parts.path, headers=headers)
            answer = connection.getresponse()
            if answer.status != 200:
                raise http.client.HTTPException(answer.reason)
            tail = b""
            while not self._stopped and (chunk := answer.read1(1 << 18)):
                self.bytes += len(chunk)
                seen = tail + chunk
                self.frames += seen.count(self._mark)
                tail = seen[len(seen) - len(self._mark) + 1 :]


@contextlib.contextmanager
def viewers(urls: Sequence[str], mark: bytes) -> Iterator[list[Viewer]]:
    """One viewer for each address; `mark` stands once in each picture. Yields when all of them see pictures.

    Raises:
        SystemExit: One of them sees none.
    """
    watching = [Viewer(url, mark) for url in urls]
    try:
        end_s = time.monotonic() + _PATIENCE_S
        while not all(viewer.frames for viewer in watching):
            if time.monotonic() > end_s:
                raise SystemExit(f"no pictures came within {_PATIENCE_S:g} s from {' or '.join(urls)}")
            time.sleep(0.05)
        yield watching
    finally:
        for viewer in watching:
            viewer.stop()
