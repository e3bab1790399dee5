"""One opened V4L2 node: its questions and settings as plain calls. They block: for threads only.

Contract of the calls: the kernel's "Video for Linux API", userspace-api/media/v4l. Written here because the one
library made for it, linuxpy, is GPL-3.0.
"""

import ctypes
import errno
import fcntl
import os
from collections.abc import Iterator
from fractions import Fraction
from types import TracebackType
from typing import Self, TypeVar

from livecam_nvr.media.v4l2 import abi
from livecam_nvr.media.v4l2.formats import NAMES, Mode, rates_between, sizes_between

Asked = TypeVar("Asked", bound=ctypes.Structure)

# "There are no more", or "nobody has taught this driver to answer".
_NO_MORE = {errno.EINVAL, errno.ENOTTY}
# No camera has so many; a driver that counts for ever must not hang us.
_MOST = 256


class Node:
    """An open device node, for use in `with`.

    Raises:
        OSError: Whatever the kernel says.
    """

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            self._about = self._ask(abi.QUERYCAP, abi.Capability())
        except BaseException:
            os.close(self._fd)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)

    @property
    def card(self) -> str:
        """The camera's name for people."""
        return bytes(self._about.card).decode("utf-8", "replace")

    @property
    def driver(self) -> str:
        """The kernel's driver, e.g. `uvcvideo`."""
        return bytes(self._about.driver).decode("utf-8", "replace")

    @property
    def bus(self) -> str:
        """Where it is plugged in, e.g. `usb-0000:00:14.0-1`; the same for all nodes of a camera."""
        return bytes(self._about.bus_info).decode("utf-8", "replace")

    @property
    def capabilities(self) -> int:
        """What this node can do."""
        about = self._about
        return int(about.device_caps if about.capabilities & abi.CAP_DEVICE_CAPS else about.capabilities)

    def modes(self, size: tuple[int, int] = (0, 0)) -> Iterator[Mode]:
        """All that it can send and ffmpeg can read; of ranges, the usual sizes and `size`."""
        seen = set()
        for index in range(_MOST):
            asked = abi.FormatDescription(index=index, type=abi.BUF_TYPE_VIDEO_CAPTURE)
            if not self._asked(abi.ENUM_FMT, asked):
                return
            name = NAMES.get(int(asked.pixelformat).to_bytes(4, "little"), "")
            if not name or name in seen:
                continue
            seen.add(name)
            emulated = bool(asked.flags & abi.FMT_FLAG_EMULATED)
            for width, height in self._sizes(asked.pixelformat, size):
                rates = tuple(sorted(self._rates(asked.pixelformat, width, height), reverse=True))
                yield Mode(name, width, height, rates, emulated)

    def _sizes(self, fourcc: int, wanted: tuple[int, int]) -> Iterator[tuple[int, int]]:
        for index in range(_MOST):
            found = abi.FrameSize(index=index, pixel_format=fourcc)
            if not self._asked(abi.ENUM_FRAMESIZES, found):
                return
            if found.type == abi.FRMSIZE_DISCRETE:
                yield found.min_width, found.max_width  # the header's union: width, height
                continue
            widths = range(found.min_width, found.max_width + 1, max(1, found.step_width))
            heights = range(found.min_height, found.max_height + 1, max(1, found.step_height))
            yield from sizes_between(widths, heights, wanted)
            return

    def _rates(self, fourcc: int, width: int, height: int) -> Iterator[Fraction]:
        for index in range(_MOST):
            found = abi.FrameInterval(index=index, pixel_format=fourcc, width=width, height=height)
            if not self._asked(abi.ENUM_FRAMEINTERVALS, found):
                return
            shortest, longest = _rate(found.shortest), _rate(found.longest)
            if found.type != abi.FRMIVAL_DISCRETE:
                yield from rates_between(longest, shortest)
                return
            if shortest:
                yield shortest

    def set_format(self, fourcc: bytes, width: int, height: int) -> tuple[bytes, int, int]:
        """Sets format and size; returns those that the driver made of it."""
        asked = abi.Format(type=abi.BUF_TYPE_VIDEO_CAPTURE)
        asked.fmt.pix.width, asked.fmt.pix.height = width, height
        asked.fmt.pix.pixelformat = int.from_bytes(fourcc, "little")
        self._ask(abi.S_FMT, asked)
        pix = asked.fmt.pix
        return int(pix.pixelformat).to_bytes(4, "little"), int(pix.width), int(pix.height)

    def set_rate(self, rate: Fraction) -> Fraction:
        """Sets frames a second; returns what the driver made of it, or `rate` where it does not say."""
        asked = abi.StreamParameters(type=abi.BUF_TYPE_VIDEO_CAPTURE)
        asked.time_per_frame.numerator, asked.time_per_frame.denominator = rate.denominator, rate.numerator
        if not self._asked(abi.S_PARM, asked):
            return rate
        return _rate(asked.time_per_frame) or rate

    def claim(self) -> None:
        """Raises OSError EBUSY if somebody else streams: buffers are given to one at a time."""
        for count in (1, 0):
            self._ask(
                abi.REQBUFS,
                abi.RequestBuffers(count=count, type=abi.BUF_TYPE_VIDEO_CAPTURE, memory=abi.MEMORY_MMAP),
            )

    def controls(self) -> Iterator[abi.QueryControl]:
        """All controls in the order of their numbers."""
        number = 0
        for _ in range(_MOST):
            found = abi.QueryControl(id=number | abi.CTRL_FLAG_NEXT_CTRL)
            if not self._asked(abi.QUERY_EXT_CTRL, found):
                return
            number = int(found.id)
            yield found

    def menu_item(self, control: int, index: int) -> bytes | None:
        """The name (of an integer menu: the 64-bit value) of one entry of a menu; None if there is no such."""
        asked = abi.QueryMenu(id=control, index=index)
        return bytes(asked)[8:40] if self._asked(abi.QUERYMENU, asked) else None

    def control(self, number: int) -> int:
        """A control's value now."""
        return int(self._ask(abi.G_CTRL, abi.ControlValue(id=number)).value)

    def set_control(self, number: int, value: int) -> None:
        """Sets a control."""
        self._ask(abi.S_CTRL, abi.ControlValue(id=number, value=value))

    def _ask(self, request: int, argument: Asked) -> Asked:
        fcntl.ioctl(self._fd, request, argument, True)
        return argument

    def _asked(self, request: int, argument: Asked) -> bool:
        """False if the driver has no (more) answer to that."""
        try:
            self._ask(request, argument)
        except OSError as error:
            if error.errno in _NO_MORE:
                return False
            raise
        return True


def _rate(period: abi.Fraction) -> Fraction:
    """Frames a second; 0 if the driver gave nothing usable."""
    if not period.numerator or not period.denominator:
        return Fraction(0)
    return Fraction(int(period.denominator), int(period.numerator))
