"""Work that may hang for ever, in a thread of its own that nobody has to wait for."""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


def in_own_thread(work: Callable[[], T], name: str) -> "asyncio.Future[T]":
    """Does `work`; the future has its result or its error.

    The loop's own threads are few, and a loop that ends waits for them: a disk that hangs would keep the service
    from ending. To be awaited through `within` or `asyncio.shield`.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()
    answer.add_done_callback(_seen)

    def run() -> None:
        try:
            found = work()
        except Exception as error:
            _on_loop(loop, answer, partial(answer.set_exception, error))
        else:
            _on_loop(loop, answer, partial(answer.set_result, found))

    Thread(target=run, name=name, daemon=True).start()
    return answer


async def within(answer: "asyncio.Future[T]", seconds: float) -> T:
    """The answer of `in_own_thread`, or its error. One that has come when the time is over counts, too: a machine
    that stood still for so long has not looked before that.

    Raises:
        TimeoutError: There is none yet; it may still come.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.wait((answer,))
    if not answer.done():
        raise TimeoutError
    return answer.result()


def _on_loop(loop: asyncio.AbstractEventLoop, answer: "asyncio.Future[T]", settle: Callable[[], None]) -> None:
    # A loop that is closed has nobody left to tell.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(lambda: None if answer.done() else settle())


def _seen(answer: "asyncio.Future[T]") -> None:
    # An error that comes after all patience has nobody to tell: what is asked next meets it, too.
    if not answer.cancelled():
        answer.exception()
