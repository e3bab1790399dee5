import asyncio

import pytest
from support.waiting import until

from livecam_nvr.core.ticker import NEVER_S, Ticker


async def test_each_look_is_called_when_the_first_is_due_and_when_something_changed() -> None:
    ticker, calls, due = Ticker(), list[float](), [0.05, 0.05, NEVER_S]

    def look() -> float:
        calls.append(asyncio.get_running_loop().time())
        return due.pop(0) if due else NEVER_S

    ticker.add(look)
    ticker.add(lambda: NEVER_S)
    ticker.start()
    ticker.start()
    await until(lambda: len(calls) == 3)
    assert calls[2] - calls[0] >= 0.09
    ticker.wake()
    await until(lambda: len(calls) == 4)
    await ticker.stop()
    await ticker.stop()
    ticker.wake()
    await asyncio.sleep(0)
    assert len(calls) == 4


async def test_a_look_that_fails_is_logged_and_tried_again_and_keeps_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ticker, calls = Ticker(), list[str]()

    def failing() -> float:
        raise RuntimeError("a mistake")

    def good() -> float:
        calls.append("good")
        return NEVER_S

    ticker.add(failing)
    ticker.add(good)
    assert ticker.look() == 1.0
    assert calls == ["good"]
    assert "a mistake" in caplog.text
