"""What came over MQTT, as the audit log has it: who is known only as the broker."""

from collections.abc import Callable, Mapping
from typing import Final

from livecam_nvr.core.access import AuditLog, Client, Deed, Door
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.mqtt.obey.orders import Happening, Keep, Mode, Order, Power, Refusal, Restart, Snapshot, Switch
from livecam_nvr.mqtt.obey.wishes import Wish

_WHO = "MQTT"
_BROKER = Client("", Door.MQTT)
_DEEDS: Final[Mapping[str, Deed]] = {
    "recording": Deed.RECORDING,
    "recording_mode": Deed.MODE,
    "keep": Deed.KEEP,
    "event": Deed.EVENT,
    "resolution": Deed.QUALITY,
    "frame_rate": Deed.QUALITY,
    "restart": Deed.RESTART,
    "enabled": Deed.ENABLED,
}


class Books:
    """Notes every command, obeyed or not.

    What strangers write freely (payloads, cameras that there are not) is left out, so that a flood of it is the
    same entry again and again, which the log counts instead of keeping.

    Args:
        log: Where it is noted.
        knows: Whether there is a camera of this id.
    """

    def __init__(self, log: AuditLog, knows: Callable[[str], bool]) -> None:
        self._log = log
        self._knows = knows

    def done(self, order: Order, error: LivecamError | None = None) -> None:
        """An order that was carried out, or was not because of `error`."""
        if isinstance(order, Snapshot) and error is None:
            return  # who only looks does nothing that has to be known later
        deed, detail = _in_words(order)
        self._note(deed, order.camera_id, detail, error)

    def refused(self, refusal: Refusal) -> None:
        """A message that is no order."""
        self._note(
            _DEEDS.get(refusal.what, Deed.REFUSED),
            refusal.camera_id,
            "",
            LivecamError(ErrorKind.INVALID, refusal.problem),
        )

    def kept(self, camera_id: str, what: str) -> None:
        """A command that the broker keeps, which is not obeyed."""
        self._note(
            _DEEDS.get(what, Deed.REFUSED),
            camera_id,
            "",
            LivecamError(ErrorKind.INVALID, "an old command that the broker keeps"),
        )

    def _note(self, deed: Deed, camera_id: str, detail: str, error: LivecamError | None) -> None:
        known = self._knows(camera_id)
        words = [detail, error.message if known and error else "" if known else "no such camera"]
        self._log.note(
            deed,
            _WHO,
            _BROKER,
            target=camera_id if known else "",
            ok=error is None,
            detail=": ".join(filter(None, words)),
        )


def _in_words(order: Order) -> tuple[Deed, str]:
    match order:
        case Switch() | Power():
            return Deed.RECORDING if isinstance(order, Switch) else Deed.ENABLED, "on" if order.on else "off"
        case Mode():
            return Deed.MODE, str(order.mode)
        case Happening():
            state = {True: " begins", False: " ends", None: ""}[order.on]
            return Deed.EVENT, f"{order.label}{state}"
        case Wish():
            wanted = [f"{order.height}p"] if order.height else []
            return Deed.QUALITY, ", ".join([*wanted, *([f"{order.fps:g} fps"] if order.fps else [])])
        case Keep() | Restart() | Snapshot():
            return {Keep: Deed.KEEP, Restart: Deed.RESTART, Snapshot: Deed.REFUSED}[type(order)], ""
