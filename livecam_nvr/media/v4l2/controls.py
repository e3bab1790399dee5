"""A USB camera's own controls (brightness, focus, …): what there is, and setting them by name.

Names are made as `v4l2-ctl` makes them: "Power Line Frequency" is `power_line_frequency`.
"""

import asyncio
import contextlib
import errno
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media.v4l2 import abi
from livecam_nvr.media.v4l2.node import Node

_KINDS = {
    abi.CTRL_INTEGER: "integer",
    abi.CTRL_BOOLEAN: "boolean",
    abi.CTRL_MENU: "menu",
    abi.CTRL_BUTTON: "button",
    abi.CTRL_BITMASK: "bitmask",
    abi.CTRL_INTEGER_MENU: "menu",
}
_MOST_ITEMS = 64


@dataclass(frozen=True, slots=True)
class Control:
    """One control of a camera."""

    name: str
    """As in the config."""
    number: int
    """The kernel's."""
    kind: str
    """`integer`, `boolean`, `menu`, `button` or `bitmask`."""
    least: int
    most: int
    step: int
    default: int
    value: int | None = None
    """Now; None if that cannot be read."""
    items: dict[int, str] = field(default_factory=dict)
    """A menu's values and what they mean."""
    read_only: bool = False
    inactive: bool = False
    """It does nothing now, because an automatic is on."""

    @property
    def allowed(self) -> str:
        """Its values, for people."""
        if self.items:
            return ", ".join(f"{value} ({label})" for value, label in self.items.items())
        if self.kind == "boolean":
            return "0 (off), 1 (on)"
        return f"{self.least} to {self.most}" + (f" in steps of {self.step}" if self.step > 1 else "")

    def takes(self, value: int) -> bool:
        """Whether it can have this value."""
        return value in self.items if self.items else self.least <= value <= self.most


async def list_controls(path: Path) -> list[Control]:
    """The controls of the camera at `path` that a number can be given to.

    Raises:
        OSError: It cannot be opened or asked.
    """

    def ask() -> list[Control]:
        with Node(str(path)) as node:
            return read_controls(node)

    return await asyncio.to_thread(ask)


def read_controls(node: Node) -> list[Control]:
    """The controls of an open node; blocks."""
    return list(_controls(node))


def in_order(controls: Sequence[Control], wanted: Mapping[str, int]) -> list[tuple[Control, int]]:
    """What is to be set, the switches before what they switch: a manual value needs its automatic to be off. Pure.

    Raises:
        LivecamError: CONFIG for a name that the camera does not know or a value that it cannot have.
    """
    known = {control.name: control for control in controls}
    chosen = []
    for name, value in wanted.items():
        control = known.get(name)
        if control is None:
            close = get_close_matches(name, known, n=1)
            raise LivecamError(
                ErrorKind.CONFIG,
                f"the camera has no control {name}",
                f"did you mean {close[0]}?" if close else f"it has: {', '.join(known) or 'none at all'}",
            )
        if control.read_only:
            raise LivecamError(
                ErrorKind.CONFIG, f"the camera's control {name} can only be read", f"take {name} out of controls"
            )
        if not control.takes(value):
            raise LivecamError(
                ErrorKind.CONFIG,
                f"the camera's control {name} cannot be {value}",
                f"it can be: {control.allowed}",
            )
        chosen.append((control, value))
    return sorted(chosen, key=lambda pair: pair[0].kind not in {"boolean", "menu"})


def apply_controls(node: Node, wanted: Mapping[str, int]) -> None:
    """Sets controls by name; all are checked before the first is set. Blocks.

    Raises:
        LivecamError: See `in_order`; also if the camera refuses one.
        OSError: The camera is gone.
    """
    if not wanted:
        return
    for control, value in in_order(read_controls(node), wanted):
        try:
            node.set_control(control.number, value)
        except OSError as error:
            raise _refused(control, value, error) from error


def _refused(control: Control, value: int, error: OSError) -> Exception:
    message = f"the camera refuses to set {control.name} to {value}"
    if error.errno == errno.EACCES:  # what uvcvideo says while an automatic rules it
        hint = (
            "turn off the automatic that rules it, in controls as well (such as auto_exposure, focus_automatic…)"
        )
        return LivecamError(ErrorKind.CONFIG, message, hint)
    if error.errno in {errno.ERANGE, errno.EINVAL, errno.EIO, errno.EPIPE, errno.EBUSY, errno.ETIMEDOUT}:
        return LivecamError(ErrorKind.CONFIG, f"{message} ({error.strerror})", f"it can be: {control.allowed}")
    return error


def _controls(node: Node) -> Iterator[Control]:
    for found in node.controls():
        flags = int(found.flags)
        kind = _KINDS.get(int(found.type))
        if kind is None or flags & abi.CTRL_FLAG_DISABLED:
            continue
        yield Control(
            name=_name(bytes(found.name).decode("utf-8", "replace")),
            number=int(found.id),
            kind=kind,
            least=int(found.minimum),
            most=int(found.maximum),
            step=int(found.step),
            default=int(found.default),
            value=_value(node, found),
            items=dict(_items(node, found)) if kind == "menu" else {},
            read_only=bool(flags & abi.CTRL_FLAG_READ_ONLY),
            inactive=bool(flags & abi.CTRL_FLAG_INACTIVE),
        )


def _value(node: Node, control: abi.QueryControl) -> int | None:
    if control.flags & abi.CTRL_FLAG_WRITE_ONLY or control.type == abi.CTRL_BUTTON:
        return None
    with contextlib.suppress(OSError):  # cameras forget to answer for single controls
        return node.control(int(control.id))
    return None


def _items(node: Node, control: abi.QueryControl) -> Iterator[tuple[int, str]]:
    for index in range(int(control.minimum), min(int(control.maximum), _MOST_ITEMS) + 1):
        item = node.menu_item(int(control.id), index)
        if item is None:  # menus have holes
            continue
        if control.type == abi.CTRL_INTEGER_MENU:
            yield index, str(int.from_bytes(item[:8], "little", signed=True))
        else:
            yield index, item.split(b"\0")[0].decode("utf-8", "replace")


def _name(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")
