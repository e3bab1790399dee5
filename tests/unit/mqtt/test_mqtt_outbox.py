import asyncio

from support.waiting import until

from livecam_nvr.mqtt.tell.outbox import Message, Outbox, Rank


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


async def test_what_is_retracted_is_sent_once_and_forgotten_when_the_broker_has_it():
    outbox = Outbox()
    put(outbox, "a", b"1")
    await delivered(outbox, 1)
    outbox.retract("a", Rank.DISCOVERY)
    assert await delivered(outbox, 1) == [("a", b"")]
    outbox.repeat_all()
    assert await delivered(outbox, 0) == []
    put(outbox, "a", b"1")
    assert await delivered(outbox, 1) == [("a", b"1")]
    outbox.retract("a")
    put(outbox, "a", b"1")  # it has come back before anybody was told
    assert await delivered(outbox, 0) == []
    outbox.repeat_all()
    assert await delivered(outbox, 1) == [("a", b"1")]


async def test_an_empty_state_is_not_a_retraction():
    outbox = Outbox()
    put(outbox, "a", b"")
    assert await delivered(outbox, 1) == [("a", b"")]
    outbox.repeat_all()
    assert await delivered(outbox, 1) == [("a", b"")]


async def test_delivered_waits_for_the_broker_and_is_not_fooled_by_a_failure():
    outbox = Outbox()
    put(outbox, "a", b"1")
    put(outbox, "other", b"1", Rank.PICTURE)
    answer = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(outbox.delivered({"a", "never put"}))

    async def fail(_message: Message) -> None:
        await answer

    sending = asyncio.create_task(outbox.deliver(fail))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiting.done()
    answer.set_exception(OSError("gone"))
    await asyncio.gather(sending, return_exceptions=True)
    await asyncio.sleep(0)
    assert not waiting.done()
    assert await delivered(outbox, 2) == [("a", b"1"), ("other", b"1")]
    await waiting
