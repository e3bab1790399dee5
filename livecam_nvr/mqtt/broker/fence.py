"""What the broker keeps on a few topics, without waiting for what it does not keep."""

import asyncio
from collections.abc import Sequence

import aiomqtt

_LATE_S = 0.05
_NOTHING = "livecam-nvr/nothing"


class Kept:
    """A client's messages, with a way to know when those that the broker had kept are all there.

    Mosquitto handles what a client sends in order: it has sent the retained messages of a subscription before it
    confirms whatever came behind it. So one more answer of the broker tells that there are no more. Others may
    hand them out beside that; where nothing has come, they get a moment more.
    """

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self._messages = aiter(client.messages)

    async def of(self, filters: Sequence[str], *, until_quiet_s: float = 0) -> list[aiomqtt.Message]:
        """Subscribes and returns what was kept; newer messages may be among it.

        Args:
            filters: Topics or filters; at QoS 0, as what has to be confirmed may come late.
            until_quiet_s: Waits for stragglers until none has come for so long.
        """
        await self._client.subscribe([(topic, 0) for topic in filters])
        await self._client.unsubscribe(_NOTHING)
        found = await self._there()
        while patience_s := until_quiet_s if found else max(until_quiet_s, _LATE_S):
            await asyncio.sleep(patience_s)
            more = await self._there()
            if not more:
                break
            found += more
        return found

    async def next(self, patience_s: float | None) -> aiomqtt.Message | None:
        """The next message; None if there is none within `patience_s`."""
        if patience_s is None:
            return await anext(self._messages)
        loop = asyncio.get_running_loop()
        end_s = loop.time() + patience_s
        while not len(self._client.messages) and loop.time() < end_s:  # noqa: ASYNC110 - as there is no event
            await asyncio.sleep(min(_LATE_S, patience_s))
        # After a pause of this machine there may be much that has not been read yet, a farewell among it.
        await self._client.unsubscribe(_NOTHING)
        return await anext(self._messages) if len(self._client.messages) else None

    async def _there(self) -> list[aiomqtt.Message]:
        """What has come already. (To wait with a limit is to lose a message that comes with its end.)"""
        return [await anext(self._messages) for _ in range(len(self._client.messages))]
