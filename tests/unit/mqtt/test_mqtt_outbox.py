import asyncio

from support.waiting import until

from livecam_nvr.mqtt.outbox import Message, Outbox, Rank


async def delivered(outbox: Outbox, count: int) -> list[tuple[str, bytes]]:
    """What is sent within the next turns of the loop; fails if it is not exactly `count` messages."""
    sent: list[tuple[str, bytes]] = []

    async def send(message: Message) -> None:
        await asyncio.sleep(0)
        sent.append((message.topic, message.payload))

    task = asyncio.create_task(outbox.deliver(send))
    await until(lambda: len(sent) >= count)
    for _ in range(10):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(sent) == count
    return sent


def put(outbox: Outbox, topic: str, payload: bytes, rank: Rank = Rank.STATE, *, urgent: bool = False) -> None:
    outbox.put(Message(topic, payload, rank), urgent=urgent)


async def test_only_differences_are_sent_and_the_newest_wins():
    outbox = Outbox()
    put(outbox, "a", b"1")
    put(outbox, "a", b"2")
    assert await delivered(outbox, 1) == [("a", b"2")]
    put(outbox, "a", b"2")
    assert await delivered(outbox, 0) == []
    put(outbox, "a", b"3")
    put(outbox, "a", b"2")
    assert await delivered(outbox, 0) == []


async def test_order_is_by_rank_and_urgent_overtakes():
    outbox = Outbox()
    put(outbox, "picture", b"x", Rank.PICTURE)
    put(outbox, "state", b"x")
    put(outbox, "hub", b"x", Rank.DISCOVERY)
    put(outbox, "camera", b"x", Rank.DISCOVERY)
    put(outbox, "alarm", b"x", urgent=True)
    assert [t for t, _ in await delivered(outbox, 5)] == ["alarm", "hub", "camera", "state", "picture"]
    outbox.repeat_all()
    assert [t for t, _ in await delivered(outbox, 5)] == ["hub", "camera", "state", "alarm", "picture"]


async def test_repeat_sends_what_did_not_change_and_drop_forgets():
    outbox = Outbox()
    put(outbox, "a", b"1")
    put(outbox, "b", b"1")
    await delivered(outbox, 2)
    outbox.repeat("a")
    outbox.repeat("unknown")
    assert await delivered(outbox, 1) == [("a", b"1")]
    outbox.drop("a")
    outbox.repeat_all()
    assert await delivered(outbox, 1) == [("b", b"1")]


async def test_a_change_during_a_send_is_sent_afterwards():
    outbox = Outbox()
    sent: list[bytes] = []

    async def send(message: Message) -> None:
        sent.append(message.payload)
        if message.payload == b"1":
            put(outbox, "a", b"2")
            await asyncio.sleep(0)

    put(outbox, "a", b"1")
    task = asyncio.create_task(outbox.deliver(send))
    await until(lambda: sent == [b"1", b"2"])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
