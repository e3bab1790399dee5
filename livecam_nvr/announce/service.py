"""Announces the service in the local network for as long as it runs, so that Home Assistant finds it."""

import asyncio
import contextlib
import importlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from livecam_nvr.announce.card import SERVICE_TYPE, ServiceCard

if TYPE_CHECKING:
    from zeroconf.asyncio import AsyncZeroconf

_log = logging.getLogger(__name__)

_FIRST_S = 1.0
_LOOK_EVERY_S = 60.0
_GOODBYE_S = 0.8


class NetworkAnnouncement:
    """Announced from `start` until `stop`. Whatever goes wrong is one line in the log, and tried again.

    Args:
        card: What is told.
        addresses: Where the service is; asked anew each minute, in a thread. Empty while there is no network.
        look_every_s: How often it is asked, and how soon a failure is tried again.
        first_s: So long after `start` it begins: the cameras have the start's time.
    """

    def __init__(
        self,
        card: ServiceCard,
        addresses: Callable[[], Sequence[str]],
        *,
        look_every_s: float = _LOOK_EVERY_S,
        first_s: float = _FIRST_S,
    ) -> None:
        self._card = card
        self._addresses = addresses
        self._look_every_s = look_every_s
        self._first_s = first_s
        self._changed = asyncio.Event()
        self._zeroconf: AsyncZeroconf | None = None
        self._told: tuple[ServiceCard, tuple[str, ...]] | None = None
        self._said = ""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins, in the background; idempotent."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="announcement in the network")

    async def stop(self) -> None:
        """Says goodbye, within a second; idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._withdraw()

    def rename(self, name: str) -> None:
        """The node is called so from now on."""
        if name != self._card.name:
            self._card = replace(self._card, name=name)
            self._changed.set()

    async def _run(self) -> None:
        await asyncio.sleep(self._first_s)
        while True:
            self._changed.clear()
            try:
                await self._look()
            except Exception as error:
                # The library, the kernel and the network fail in many ways, and none of them is worth a camera.
                self._say(_words(error, self._card))
                await self._withdraw()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look_every_s):
                    await self._changed.wait()

    async def _look(self) -> None:
        card, addresses = self._card, tuple(await asyncio.to_thread(self._addresses))
        if self._told == (card, addresses):
            return
        await self._withdraw()
        if not addresses:
            self._say("not announced in the network: this machine has no address there yet")
            return
        # 150 ms and some MB that nobody has to pay who is not announced.
        await asyncio.to_thread(importlib.import_module, "zeroconf.asyncio")
        from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf  # noqa: PLC0415

        # What matters to us comes as an exception; the rest is about packets of others.
        logging.getLogger("zeroconf").setLevel(logging.CRITICAL)
        self._zeroconf = AsyncZeroconf(interfaces=list(addresses))
        info = AsyncServiceInfo(
            SERVICE_TYPE,
            card.instance,
            port=card.port,
            properties=card.texts,
            server=card.server,
            parsed_addresses=list(addresses),
        )
        await (await self._zeroconf.async_register_service(info))
        self._told = (card, addresses)
        self._said = ""
        _log.info("announced in the network as %s", card.instance)

    async def _withdraw(self) -> None:
        zeroconf, self._zeroconf, self._told = self._zeroconf, None, None
        if zeroconf is None:
            return
        with contextlib.suppress(TimeoutError, OSError):
            async with asyncio.timeout(_GOODBYE_S):
                await zeroconf.async_unregister_all_services()
        await zeroconf.async_close()

    def _say(self, words: str) -> None:
        """Once, and again only when there is something else to say."""
        if words != self._said:
            self._said = words
            _log.warning("%s; it is tried again each minute", words)


def _words(error: Exception, card: ServiceCard) -> str:
    if type(error).__name__ == "NonUniqueNameException":
        return f"not announced in the network: another service there is called {card.instance}"
    reason = (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
    return f"not announced in the network: {reason}"
