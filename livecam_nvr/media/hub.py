"""The hub: one camera's stream in memory, handed to everyone who asks. It never encodes and never copies."""

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Self

from livecam_nvr.core.ports import FragmentSink
from livecam_nvr.domain.errors import ErrorKind, LivecamError, unknown_camera
from livecam_nvr.domain.media import EndCause, Fragment, InitSegment

_log = logging.getLogger(__name__)

_MIN_GOPS = 4  # an HLS player wants three finished ones, also of a camera with a keyframe every 10 s
_MAX_BYTES = 64 << 20


class MemoryHub:
    """The last `keep_s` seconds of one camera, and everything that comes (core.ports.Hub)."""

    def __init__(self, camera_id: str, keep_s: float) -> None:
        self.camera_id = camera_id
        self.numbers: Iterator[int] = itertools.count()
        self._keep_s = keep_s
        self._ring: deque[Fragment] = deque()
        self._gops: deque[int] = deque()  # fragments per GOP in the ring, oldest first
        self._ring_bytes = 0
        self._init: InitSegment | None = None
        self._sinks: list[FragmentSink] = []
        self._subscriptions: list[HubSubscription] = []
        self._waiters: list[asyncio.Future[Fragment]] = []
        self._closed = False

    @property
    def ring(self) -> Sequence[Fragment]:
        """See core.ports.Hub."""
        return tuple(self._ring)

    @property
    def init(self) -> InitSegment | None:
        """See core.ports.Hub."""
        return self._init

    @property
    def viewers(self) -> int:
        """See core.ports.Hub."""
        return len(self._subscriptions)

    def attach(self, sink: FragmentSink) -> None:
        """Hands every further fragment to `sink`, before any viewer gets it."""
        self._sinks.append(sink)

    def detach(self, sink: FragmentSink) -> None:
        """Hands nothing to `sink` any more; harmless if it was not attached."""
        self._sinks = [other for other in self._sinks if other is not sink]

    def keep(self, keep_s: float) -> None:
        """Remembers so much from now on."""
        self._keep_s = keep_s

    def publish(self, fragment: Fragment) -> None:
        """Takes the camera's next fragment. Fragments before the first keyframe of a run are nobody's."""
        if fragment.init is not self._init:
            if not fragment.keyframe:
                return
            self._init = fragment.init
        self._remember(fragment)
        for sink in self._sinks:
            try:
                sink.on_fragment(fragment)
            except Exception:
                # One part's mistake must not take the stream from all others.
                _log.exception("%s: %s failed on a fragment", self.camera_id, type(sink).__name__)
        for subscription in self._subscriptions:
            subscription.push(fragment)
        if self._waiters:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(fragment)

    def end_run(self, cause: EndCause) -> None:
        """The camera's ffmpeg ended; what is in memory stays until the next run pushes it out."""
        self._init = None
        for sink in self._sinks:
            try:
                sink.on_end(cause)
            except Exception:
                _log.exception("%s: %s failed at the end of a run", self.camera_id, type(sink).__name__)

    def close(self) -> None:
        """The service stops, or the camera is taken out of it: all subscriptions end."""
        self._closed = True
        for subscription in tuple(self._subscriptions):
            subscription.end()
        for waiter in self._waiters:
            waiter.cancel()
        self._waiters.clear()

    def subscribe(self, *, max_bytes: int = 8_000_000) -> "HubSubscription":
        """See core.ports.Hub."""
        return HubSubscription(self, max_bytes)

    async def wait_fragment(self, after_number: int = -1) -> Fragment:
        """See core.ports.Hub.

        Raises:
            LivecamError: UNAVAILABLE when the service stops, or the camera is taken out of it.
        """
        if self._ring and self._ring[-1].number > after_number:
            return next(f for f in self._ring if f.number > after_number)
        waiter: asyncio.Future[Fragment] = asyncio.get_running_loop().create_future()
        if self._closed:
            waiter.cancel()
        self._waiters.append(waiter)
        try:
            return await asyncio.shield(waiter)
        except asyncio.CancelledError:
            if waiter.cancelled() and self._closed:
                message = f"{self.camera_id} ends: the service is stopping, or the camera was taken out of it"
                raise LivecamError(ErrorKind.UNAVAILABLE, message) from None
            raise
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def newest_gop(self) -> Sequence[Fragment]:
        """What a new viewer begins with: from the newest keyframe of the running stream on."""
        if self._init is None or not self._gops:
            return ()
        return tuple(itertools.islice(self._ring, len(self._ring) - self._gops[-1], None))

    def enter(self, subscription: "HubSubscription") -> None:
        """Registers a viewer's queue and gives it the newest GOP."""
        if self._closed:
            subscription.end()
            return
        for fragment in self.newest_gop():
            subscription.push(fragment)
        self._subscriptions.append(subscription)

    def leave(self, subscription: "HubSubscription") -> None:
        """Forgets a viewer's queue; harmless if it is unknown."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def _remember(self, fragment: Fragment) -> None:
        if fragment.keyframe:
            self._gops.append(0)
        elif not self._gops:
            return  # the GOP that it belongs to is too large for the memory
        self._ring.append(fragment)
        self._gops[-1] += 1
        self._ring_bytes += len(fragment.data)
        if not fragment.keyframe and self._ring_bytes <= _MAX_BYTES:
            return
        while self._ring_bytes > _MAX_BYTES or self._oldest_may_go(fragment):
            for _ in range(self._gops.popleft()):
                self._ring_bytes -= len(self._ring.popleft().data)

    def _oldest_may_go(self, newest: Fragment) -> bool:
        if len(self._gops) <= _MIN_GOPS:
            return False
        return newest.arrived_s - self._ring[self._gops[0]].arrived_s >= self._keep_s


class HubSubscription:
    """One viewer's bounded queue (core.ports.Subscription)."""

    def __init__(self, hub: MemoryHub, max_bytes: int) -> None:
        self.dropped = 0
        self._hub = hub
        self._max_bytes = max_bytes
        self._queue: deque[Fragment] = deque()
        self._bytes = 0
        self._skipping = False
        self._ended = False
        self._wake: asyncio.Future[None] | None = None

    def push(self, fragment: Fragment) -> None:
        """Queues a fragment; a viewer that is too slow loses whole GOPs, never single frames."""
        if self._skipping and fragment.keyframe and not self._queue:
            self._skipping = False
        if self._skipping or (self._bytes + len(fragment.data) > self._max_bytes and self._queue):
            self._skipping = True
            self.dropped += 1
            return
        self._queue.append(fragment)
        self._bytes += len(fragment.data)
        self._awake()

    def end(self) -> None:
        """No more fragments come; what is queued is still delivered."""
        self._ended = True
        self._awake()

    async def __aenter__(self) -> Self:
        """Begins with the newest keyframe in memory."""
        self._hub.enter(self)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leaves the hub."""
        self._hub.leave(self)

    def __aiter__(self) -> AsyncIterator[Fragment]:
        """The fragments, as they come."""
        return self

    async def __anext__(self) -> Fragment:
        """The next fragment; ends when the hub is closed."""
        while not self._queue:
            if self._ended:
                raise StopAsyncIteration
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        fragment = self._queue.popleft()
        self._bytes -= len(fragment.data)
        return fragment

    def _awake(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


class CameraStreams:
    """All cameras' hubs (core.ports.Streams)."""

    def __init__(self, hubs: Sequence[MemoryHub] = ()) -> None:
        self._hubs = {hub.camera_id: hub for hub in hubs}

    def add(self, hub: MemoryHub) -> None:
        """A camera more, at the end."""
        self._hubs[hub.camera_id] = hub

    def remove(self, camera_id: str) -> None:
        """A camera less: its hub is closed, and whoever watches it ends; harmless if there is none."""
        hub = self._hubs.pop(camera_id, None)
        if hub is not None:
            hub.close()

    def arrange(self, ids: Sequence[str]) -> None:
        """The order of `ids()` from now on; those that are not named come last."""
        self._hubs = {key: self._hubs[key] for key in dict.fromkeys((*ids, *self._hubs)) if key in self._hubs}

    def hub(self, camera_id: str) -> MemoryHub:
        """See core.ports.Streams."""
        try:
            return self._hubs[camera_id]
        except KeyError:
            raise unknown_camera(camera_id, self._hubs) from None

    def ids(self) -> Sequence[str]:
        """See core.ports.Streams."""
        return tuple(self._hubs)
