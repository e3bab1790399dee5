"""The event bus: facts go from whoever knows them to whoever subscribed, on the event loop's thread."""

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from livecam_nvr.core.events import AnyEvent

_log = logging.getLogger(__name__)

E = TypeVar("E", bound=AnyEvent)


class EventBus:
    """Synchronous, typed publish and subscribe.

    Handlers run at once and in order of subscription, so they must be short; work that waits belongs into
    a queue of the subscriber's own. A handler that raises is logged and does not disturb the others.
    """

    def __init__(self) -> None:
        self._handlers: dict[type[Any], list[Callable[[Any], None]]] = {}

    def subscribe(self, event: type[E], handler: Callable[[E], None]) -> Callable[[], None]:
        """Calls `handler` for each `event`; returns a function that ends that (calling it twice is harmless)."""
        handlers = self._handlers.setdefault(event, [])
        handlers.append(handler)

        def unsubscribe() -> None:
            if handler in handlers:
                handlers.remove(handler)

        return unsubscribe

    def publish(self, event: AnyEvent) -> None:
        """Hands `event` to everyone who subscribed to its type."""
        for handler in tuple(self._handlers.get(type(event), ())):
            try:
                handler(event)
            except Exception:
                _log.exception("a handler of %s failed", type(event).__name__)
