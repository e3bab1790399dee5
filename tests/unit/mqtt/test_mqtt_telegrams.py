"""Told once, in order, the newest of each topic; nobody's flood holds up another topic."""

import asyncio

import pytest
from fakes.runtime_clock import FakeClock
from support.waiting import until

from livecam_nvr.mqtt.tell.telegrams import Telegrams


class Post:
    """Takes telegrams, as long as `open` is set."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.telegrams = Telegrams(self.clock)
        self.sent: list[tuple[str, bytes]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def send(self, topic: str, payload: bytes) -> None:
        await self.open.wait()
        self.sent.append((topic, payload))

    async def delivers(self, count: int) -> list[tuple[str, bytes]]:
        """What is sent within the next turns of the loop; fails if it is not exactly so many."""
        task = asyncio.create_task(self.telegrams.deliver(self.send))
        await until(lambda: len(self.sent) >= count)
        for _ in range(10):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert len(self.sent) == count
        return self.sent


@pytest.fixture
async def post() -> Post:
    return Post()


async def test_each_is_told_once_even_if_it_says_the_same(post: Post) -> None:
    for payload in (b"1", b"1", b"2"):
        post.telegrams.put("a", payload)
    assert await post.delivers(3) == [("a", b"1"), ("a", b"1"), ("a", b"2")]
    assert await post.delivers(3) == post.sent


async def test_topics_take_turns(post: Post) -> None:
    for at in range(100):
        post.telegrams.put("flood", str(at).encode())
    post.telegrams.put("doorbell", b"!")
    sent = await post.delivers(101)
    assert sent.index(("doorbell", b"!")) == 1
    assert [payload for topic, payload in sent if topic == "flood"] == [str(at).encode() for at in range(100)]


async def test_the_newest_stay_while_nobody_takes_them(post: Post) -> None:
    for at in range(1000):
        post.telegrams.put("a", str(at).encode())
        post.telegrams.put("b", str(at).encode(), most=16)
    sent = await post.delivers(256 + 16)
    assert [payload for topic, payload in sent if topic == "a"] == [str(at).encode() for at in range(744, 1000)]
    assert [payload for topic, payload in sent if topic == "b"] == [str(at).encode() for at in range(984, 1000)]


async def test_what_is_pushed_out_while_it_is_sent_takes_no_other_with_it(post: Post) -> None:
    post.open.clear()
    post.telegrams.put("a", b"first", most=2)
    task = asyncio.create_task(post.telegrams.deliver(post.send))
    for _ in range(3):
        await asyncio.sleep(0)
    for payload in (b"1", b"2", b"3"):
        post.telegrams.put("a", payload, most=2)
    post.open.set()
    await until(lambda: len(post.sent) == 3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert post.sent == [("a", b"first"), ("a", b"2"), ("a", b"3")]


async def test_one_that_was_not_taken_is_tried_again(post: Post) -> None:
    async def fail(_topic: str, _payload: bytes) -> None:
        raise ConnectionError

    post.telegrams.put("a", b"1")
    with pytest.raises(ConnectionError):
        await post.telegrams.deliver(fail)
    assert await post.delivers(1) == [("a", b"1")]


async def test_what_would_only_mislead_is_left_out(post: Post) -> None:
    post.telegrams.put("a", b"old", patience_s=30)
    post.telegrams.put("a", b"patient")
    post.clock.advance(30.5)
    post.telegrams.put("a", b"new", patience_s=30)
    assert await post.delivers(2) == [("a", b"patient"), ("a", b"new")]
