import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.runtime.logs import setup_logs


@pytest.fixture
def _root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("_root")
def test_no_password_reaches_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    setup_logs()
    log = logging.getLogger("cam")
    log.info("opening %s", "rtsp://me:secret@cam/1")
    log.warning("args %s", ["-i", "rtsp://me:secret@cam/2"])
    try:
        int("rtsp://me:secret@cam/3")
    except ValueError:
        log.exception("failed")
    said = capsys.readouterr().err
    assert "secret" not in said
    assert [f"rtsp://me:***@cam/{n}" in said for n in (1, 2, 3)] == [True] * 3
    assert "Traceback" in said
    assert " INFO    cam: opening " in said


@pytest.mark.usefixtures("_root")
@pytest.mark.parametrize("verbose", [False, True])
def test_details_are_told_only_when_asked_for(capsys: pytest.CaptureFixture[str], verbose: bool) -> None:
    setup_logs(verbose=verbose)
    logging.getLogger("x").debug("a detail")
    logging.getLogger("aiohttp.access").info("a request")
    said = capsys.readouterr().err
    assert ("a detail" in said) is verbose
    assert "a request" not in said


@pytest.fixture
def _berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_berlin")
@pytest.mark.parametrize(
    ("utc", "offset_s"),
    [
        ((2025, 1, 1, 12), 3600),
        ((2025, 7, 1, 12), 7200),
        ((2025, 3, 30, 0, 59, 59), 3600),
        ((2025, 3, 30, 1), 7200),
        ((2025, 10, 26, 0, 59, 59), 7200),
        ((2025, 10, 26, 1), 3600),
    ],
)
def test_the_local_offset_is_that_of_the_moment(utc: tuple[int, ...], offset_s: int) -> None:
    moment = datetime(*utc, tzinfo=UTC)  # type: ignore[misc, arg-type]
    assert SystemClock().utc_offset_s(int(moment.timestamp()) * NS) == offset_s


def test_the_machines_clocks() -> None:
    clock = SystemClock()
    assert time.time_ns() <= clock.utc_ns() <= time.time_ns()
    assert clock.monotonic() <= clock.monotonic()
