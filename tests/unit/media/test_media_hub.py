import asyncio
import logging
from itertools import pairwise

import pytest
from fakes.core_stream import make_fragment, make_init
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.media import EndCause, Fragment, InitSegment
from livecam_nvr.media.hub import CameraStreams, HubSubscription, MemoryHub


class Source:
    """Publishes fragments into a hub, `every_s` apart."""

    def __init__(self, keep_s: float = 5.0, every_s: float = 1.0) -> None:
        self.hub = MemoryHub("cam0", keep_s)
        self.init: InitSegment = make_init()
        self.every_s = every_s
        self.now_s = 0.0

    def publish(self, pattern: str, size: int = 100) -> list[Fragment]:
        """`K` is a keyframe, `p` another frame."""
        made = []
        for kind in pattern:
            number = next(self.hub.numbers)
            made.append(
                make_fragment(
                    self.init, number, keyframe=kind == "K", data=bytes(size), arrived_s=self.now_s, time=number
                )
            )
            self.hub.publish(made[-1])
            self.now_s += self.every_s
        return made

    def new_run(self) -> None:
        self.hub.end_run(EndCause.ENCODER)
        self.init = make_init()


class Sink:
    """See livecam_nvr.core.ports.FragmentSink."""

    def __init__(self, *, fails: bool = False) -> None:
        self.got: list[Fragment] = []
        self.ends: list[EndCause] = []
        self.fails = fails

    def on_fragment(self, fragment: Fragment) -> None:
        if self.fails:
            raise RuntimeError("broken sink")
        self.got.append(fragment)

    def on_end(self, cause: EndCause) -> None:
        if self.fails:
            raise RuntimeError("broken sink")
        self.ends.append(cause)


def numbers(fragments: object) -> list[int]:
    assert isinstance(fragments, list | tuple)
    return [fragment.number for fragment in fragments]


async def take(subscription: HubSubscription, number: int) -> list[Fragment]:
    return [await anext(subscription) for _ in range(number)]


def drain(subscription: HubSubscription) -> list[Fragment]:
    """What is queued; never waits."""
    found = []
    while subscription._queue:
        try:
            subscription.__anext__().send(None)
        except StopIteration as done:
            found.append(done.value)
    return found


def test_fragments_before_the_first_keyframe_are_nobodys() -> None:
    source, sink = Source(), Sink()
    source.hub.attach(sink)
    source.publish("pp")
    assert source.hub.init is None
    assert source.hub.ring == ()
    made = source.publish("Kp")
    assert source.hub.init is source.init
    assert list(source.hub.ring) == made == sink.got
    source.new_run()
    assert source.hub.init is None
    source.publish("p")
    assert sink.got == made
    assert sink.ends == [EndCause.ENCODER]


def test_memory_keeps_the_asked_seconds_in_whole_gops() -> None:
    source = Source(keep_s=7)
    for _ in range(20):
        source.publish("Kpp")
        ring = source.hub.ring
        assert ring[0].keyframe
        if len(ring) > 12:
            second = [f for f in ring if f.keyframe][1]
            assert ring[-1].arrived_s - second.arrived_s < 7 + 3
    span_s = source.hub.ring[-1].arrived_s - source.hub.ring[0].arrived_s
    assert 7 <= span_s <= 7 + 2 * 3


def test_memory_keeps_some_gops_however_long_they_are() -> None:
    source = Source(keep_s=1)
    for _ in range(10):
        source.publish("K" + "p" * 9)
    assert sum(f.keyframe for f in source.hub.ring) == 4


def test_memory_spans_two_runs() -> None:
    source = Source(keep_s=60)
    first = source.publish("Kpp")
    source.new_run()
    second = source.publish("Kp")
    assert list(source.hub.ring) == first + second
    assert source.hub.newest_gop() == tuple(second)


def test_memory_is_bounded_in_bytes() -> None:
    source = Source(keep_s=600)
    for _ in range(100):
        source.publish("Kpppp", size=1 << 20)
        assert sum(len(f.data) for f in source.hub.ring) <= 64 << 20
        assert source.hub.ring[0].keyframe


async def test_a_stream_with_one_keyframe_only_does_not_grow_memory() -> None:
    source, sink = Source(keep_s=600), Sink()
    source.hub.attach(sink)
    source.publish("K" + "p" * 200, size=1 << 20)
    assert source.hub.ring == ()
    assert len(sink.got) == 201, "it is recorded nevertheless"
    async with source.hub.subscribe() as viewer:
        source.publish("p")
        assert drain(viewer) == [] or not source.hub.newest_gop()
    made = source.publish("Kp")
    assert list(source.hub.ring) == made
    assert source.hub.newest_gop() == tuple(made)


@given(
    st.lists(st.tuples(st.sampled_from("Kpppp"), st.sampled_from([1, 1000, 9 << 20]), st.booleans()), max_size=80),
    st.floats(0, 20),
)
def test_memory_always_begins_with_a_keyframe_and_has_no_holes(
    events: list[tuple[str, int, bool]], keep_s: float
) -> None:
    source = Source(keep_s=keep_s)
    for kind, size, new_run in events:
        if new_run:
            source.new_run()
        source.publish(kind, size=size)
        ring = source.hub.ring
        assert not ring or ring[0].keyframe
        assert all(b.number == a.number + 1 or (b.keyframe and b.init is not a.init) for a, b in pairwise(ring))
        assert sum(source.hub._gops) == len(ring)
        assert source.hub._ring_bytes == sum(len(f.data) for f in ring) <= 64 << 20
        gop = source.hub.newest_gop()
        assert [f.keyframe for f in gop] == [True] + [False] * (len(gop) - 1) if gop else True
        assert all(f.init is source.hub.init for f in gop)


def test_a_failing_sink_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    source, sink = Source(), Sink()
    source.hub.attach(Sink(fails=True))
    source.hub.attach(sink)
    with caplog.at_level(logging.ERROR):
        made = source.publish("Kp")
        source.hub.end_run(EndCause.CAMERA)
    assert sink.got == made
    assert sink.ends == [EndCause.CAMERA]
    assert len(caplog.records) == 3


async def test_a_viewer_begins_with_the_newest_keyframe() -> None:
    source = Source()
    source.publish("KppKp")
    assert source.hub.viewers == 0
    async with source.hub.subscribe() as viewer:
        assert source.hub.viewers == 1
        source.publish("pK")
        assert numbers(await take(viewer, 4)) == [3, 4, 5, 6]
    assert source.hub.viewers == 0


async def test_a_viewer_of_a_camera_that_is_away_waits_for_its_first_keyframe() -> None:
    source = Source()
    source.publish("Kp")
    source.new_run()
    async with source.hub.subscribe() as viewer:
        waiting = asyncio.create_task(anext(viewer))
        await asyncio.sleep(0)
        source.publish("pp")
        (made,) = source.publish("K")
        assert await waiting is made


async def test_a_viewer_goes_on_over_a_restart_of_the_camera() -> None:
    source = Source()
    source.publish("K")
    async with source.hub.subscribe() as viewer:
        source.new_run()
        source.publish("pKp")
        first, second, third = await take(viewer, 3)
    assert first.init is not second.init
    assert second.init is third.init is source.init
    assert second.keyframe


async def test_a_slow_viewer_loses_whole_gops_and_others_lose_nothing() -> None:
    source = Source()
    source.publish("K")
    async with source.hub.subscribe(max_bytes=450) as slow, source.hub.subscribe() as fast:
        source.publish("ppppppKpp")
        assert numbers(drain(slow)) == [0, 1, 2, 3]
        source.publish("ppKp")
        assert numbers(drain(slow)) == [12, 13]
        assert slow.dropped == 8
        assert numbers(drain(fast)) == list(range(14))
        assert fast.dropped == 0


@given(
    st.lists(
        st.one_of(st.sampled_from("Kppp"), st.integers(1, 6)),
        max_size=120,
    ),
    st.integers(50, 2000),
)
def test_after_every_gap_a_viewer_gets_a_keyframe(events: list[str | int], max_bytes: int) -> None:
    source = Source()
    viewer = source.hub.subscribe(max_bytes=max_bytes)
    source.hub.enter(viewer)
    got: list[Fragment] = []
    published = 0
    for event in events:
        if isinstance(event, str):
            before = source.hub.init
            source.publish(event)
            published += source.hub.init is not None or before is not None
        else:
            for _ in range(min(event, len(viewer._queue))):
                try:
                    viewer.__anext__().send(None)
                except StopIteration as done:
                    got.append(done.value)
        assert viewer._bytes == sum(len(f.data) for f in viewer._queue) <= max(max_bytes, 100)
    got += drain(viewer)
    assert not got or got[0].keyframe
    assert all(b.number == a.number + 1 or b.keyframe for a, b in pairwise(got))
    assert len(got) + viewer.dropped == published


async def test_a_fragment_larger_than_the_queue_passes() -> None:
    source = Source()
    async with source.hub.subscribe(max_bytes=10) as viewer:
        source.publish("K", size=1000)
        assert numbers(await take(viewer, 1)) == [0]


async def test_a_wait_that_is_cancelled_loses_nothing() -> None:
    source = Source()
    async with source.hub.subscribe() as viewer:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(viewer)
        source.publish("K")
        assert numbers(await take(viewer, 1)) == [0]


async def test_closing_ends_viewers_after_what_is_queued() -> None:
    source = Source()
    source.publish("K")
    async with source.hub.subscribe() as viewer, source.hub.subscribe() as waiting:
        await take(waiting, 1)
        end = asyncio.create_task(anext(waiting, None))
        await asyncio.sleep(0)
        source.hub.close()
        assert await end is None
        assert [f.number async for f in viewer] == [0]
    async with source.hub.subscribe() as late:
        assert [f async for f in late] == []


async def test_waiting_for_a_fragment() -> None:
    source = Source()
    waiting = [asyncio.create_task(source.hub.wait_fragment()) for _ in range(2)]
    await asyncio.sleep(0)
    first, second = source.publish("Kp")
    assert [await task for task in waiting] == [first, first]
    assert await source.hub.wait_fragment() is first
    assert await source.hub.wait_fragment(first.number) is second
    later = asyncio.create_task(source.hub.wait_fragment(second.number))
    await asyncio.sleep(0)
    assert not later.done()
    (third,) = source.publish("p")
    assert await later is third
    assert source.hub._waiters == []


async def test_a_waiter_that_is_cancelled_harms_nobody() -> None:
    source = Source()
    one, other = (asyncio.create_task(source.hub.wait_fragment()) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one
    (made,) = source.publish("K")
    assert await other is made


async def test_waiters_are_told_that_the_service_stops() -> None:
    source = Source()
    waiting = asyncio.create_task(source.hub.wait_fragment())
    await asyncio.sleep(0)
    source.hub.close()
    for task in (waiting, source.hub.wait_fragment()):
        with pytest.raises(LivecamError, match="stopping") as caught:
            await task
        assert caught.value.kind is ErrorKind.UNAVAILABLE


def test_cameras_by_id() -> None:
    hubs = [MemoryHub("cam1", 1), MemoryHub("cam0", 1)]
    streams = CameraStreams(hubs)
    assert streams.ids() == ("cam1", "cam0")
    assert streams.hub("cam0") is hubs[1]
    with pytest.raises(LivecamError, match="no camera 'x'") as caught:
        streams.hub("x")
    assert (caught.value.kind, caught.value.hint) == (ErrorKind.NOT_FOUND, "there are: cam1, cam0")


async def test_cameras_come_and_go_and_their_viewers_with_them() -> None:
    source = Source()
    streams = CameraStreams()
    streams.add(source.hub)
    streams.add(MemoryHub("cam1", 1))
    streams.arrange(["cam1", "cam0"])
    assert streams.ids() == ("cam1", "cam0")
    source.publish("K")
    async with source.hub.subscribe() as viewer:
        streams.remove("cam0")
        assert len([fragment async for fragment in viewer]) == 1
    assert streams.ids() == ("cam1",)
    streams.remove("cam0")


def test_a_sink_that_was_taken_away_gets_nothing() -> None:
    class Sink:
        def __init__(self) -> None:
            self.got: list[Fragment] = []

        def on_fragment(self, fragment: Fragment) -> None:
            self.got.append(fragment)

        def on_end(self, cause: EndCause) -> None:
            raise AssertionError(cause)

    source, one, other = Source(), Sink(), Sink()
    source.hub.attach(one)
    source.hub.attach(other)
    source.publish("K")
    source.hub.detach(other)
    source.publish("p")
    assert (len(one.got), len(other.got)) == (2, 1)
    source.hub.detach(one)
    source.hub.end_run(EndCause.CAMERA)
