import logging
from collections.abc import Iterator
from threading import Thread

import pytest

from livecam_nvr.runtime.logs import LogRing


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    logger = logging.getLogger("livecam_nvr.ring")
    logger.setLevel(logging.DEBUG)
    yield logger
    logger.setLevel(logging.NOTSET)


def texts(ring: LogRing, **what: int) -> list[str]:
    return [line.text for line in ring.lines(**what)]


def test_the_newest_lines_stay_and_nothing_else(log: logging.Logger) -> None:
    ring = LogRing(3)
    with ring.collecting():
        for count in range(5):
            log.info("line %d", count)
    log.info("not collected any more")
    assert texts(ring) == ["line 2", "line 3", "line 4"]
    assert [line.number for line in ring.lines()] == [3, 4, 5]
    assert ring.newest == 5


def test_a_reader_asks_for_what_it_does_not_know_yet(log: logging.Logger) -> None:
    ring = LogRing()
    assert (ring.newest, ring.lines()) == (0, [])
    with ring.collecting():
        log.info("a")
        log.warning("b")
        log.debug("c")
        log.error("d")
    assert texts(ring, after=2) == ["c", "d"]
    assert texts(ring, limit=2) == ["c", "d"]
    assert texts(ring, least=logging.WARNING) == ["b", "d"]
    assert texts(ring, least=logging.WARNING, limit=1) == ["d"]
    assert [line.level for line in ring.lines()] == ["INFO", "WARNING", "DEBUG", "ERROR"]
    assert ring.lines()[0].logger == "livecam_nvr.ring"


def test_no_password_is_in_it_and_no_line_is_endless(log: logging.Logger) -> None:
    ring = LogRing()
    with ring.collecting():
        try:
            int("rtsp://me:secret@cam/3")
        except ValueError:
            log.exception("opening %s failed", "rtsp://me:secret@cam/1")
        log.info("x" * 10_000)
    failed, long = texts(ring)
    assert "secret" not in failed
    assert "rtsp://me:***@cam/1" in failed
    assert "Traceback" in failed
    assert len(long) < 4100


def test_threads_write_while_somebody_reads(log: logging.Logger) -> None:
    ring = LogRing(50)
    with ring.collecting():
        writers = [Thread(target=lambda: [log.info("busy") for _ in range(500)]) for _ in range(3)]
        for writer in writers:
            writer.start()
        while any(writer.is_alive() for writer in writers):
            numbers = [line.number for line in ring.lines()]
            assert numbers == sorted(numbers)
        for writer in writers:
            writer.join()
    assert ring.newest == 1500
    assert len(ring.lines()) == 50
