"""How the child is talked to: JSON messages over a socket that it inherits.

    python3 child list                          prints the cameras there are as JSON and ends
    python3 child run FD SELECTOR [TUNING]      opens a camera; FD is a Unix socket of kind SOCK_SEQPACKET

Events to the service: `opened` (or `failed`, and it ends), `beat` each second, `consumer_gone` when nobody reads
the stream any more, `failed` when picamera2's thread died. Orders from the service are numbered, and each has one
answer, `done` or `refused`, with its number: `record` with `settings` and, passed beside it (SCM_RIGHTS, unix(7)),
the write end of a pipe that the stream goes to from then on; `snapshot` with a pipe that a JPEG goes to.

The child ends when the socket does. libcamera may hang in an order for good: beats go on then, from a thread of
their own, and say that no frame comes; the service kills the child.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
from typing import Any

try:
    from .camera import PiCamera, list_cameras
except ImportError as error:
    sys.exit(f"picamera2 cannot be used: {error}")
from .refusal import Refused

_BEAT_S = 1.0
_CLOSE_S = 0.35
_LONGEST_MESSAGE = 1 << 18


class Channel:
    """The socket to the service, for several threads."""

    def __init__(self, fd: int) -> None:
        self._socket = socket.socket(fileno=fd)
        self._lock = threading.Lock()

    def say(self, event: str, **what: Any) -> None:
        """Sends an event; without the service there is nothing left to do, and the process ends."""
        try:
            with self._lock:
                self._socket.send(json.dumps({"event": event, **what}).encode())
        except OSError:
            os._exit(0)

    def hear(self) -> tuple[dict[str, Any], list[int]] | None:
        """The next order and what was passed with it; None when the service is gone."""
        try:
            data, fds, _flags, _address = socket.recv_fds(self._socket, _LONGEST_MESSAGE, 1)
        except OSError:
            return None
        return (json.loads(data), fds) if data else None


def main(arguments: list[str]) -> int:
    """Runs it; returns the exit status."""
    if arguments[0] == "list":
        print(json.dumps(_listed()))  # noqa: T201 - what it was started for
        return 0
    _what, fd, selector, *more = arguments
    channel = Channel(int(fd))
    threading.excepthook = lambda told: _thread_died(channel, told)
    try:
        camera = PiCamera(selector, more[0] if more else None, lambda: channel.say("consumer_gone"))
    except Refused as refused:
        channel.say("failed", kind=refused.kind, message=refused.message, hint=refused.hint)
        return 1
    channel.say("opened", **camera.facts)
    threading.Thread(target=_beat, args=(channel, camera), name="beat", daemon=True).start()
    while (heard := channel.hear()) is not None:
        order, fds = heard
        try:
            channel.say("done", order=order["order"], **_obey(camera, order, fds))
        except Refused as refused:
            told = {"kind": refused.kind, "message": refused.message, "hint": refused.hint}
            channel.say("refused", order=order["order"], **told)
        except Exception as error:
            told = {"kind": "media", "message": f"picamera2: {type(error).__name__}: {error}", "hint": ""}
            channel.say("refused", order=order["order"], **told)
    _end(camera)
    return 0


def _obey(camera: PiCamera, order: dict[str, Any], fds: list[int]) -> dict[str, Any]:
    if order["do"] == "record":
        return camera.record(order["settings"], fds[0])
    with contextlib.closing(os.fdopen(fds[0], "wb")) as picture, contextlib.suppress(BrokenPipeError):
        picture.write(camera.snapshot())
    return {}


def _beat(channel: Channel, camera: PiCamera) -> None:
    pause = threading.Event()
    while not pause.wait(_BEAT_S):
        channel.say("beat", **camera.beat())


def _thread_died(channel: Channel, told: threading.ExceptHookArgs) -> None:
    sys.__excepthook__(told.exc_type, told.exc_value or told.exc_type(), told.exc_traceback)
    name = told.exc_type.__name__
    channel.say("failed", kind="media", message=f"picamera2 failed: {name}: {told.exc_value}", hint="")


def _end(camera: PiCamera) -> None:
    """Lets the camera go in order if that works at once; the kernel frees it in any case."""
    last = threading.Timer(_CLOSE_S, os._exit, (0,))
    last.daemon = True
    last.start()
    with contextlib.suppress(Exception):
        camera.close()
    os._exit(0)


def _listed() -> list[dict[str, Any]]:
    found = []
    for facts in list_cameras():
        try:
            camera = PiCamera(str(facts["number"]), None, lambda: None)
        except Refused as refused:
            found.append({**facts, "trouble": refused.message})
            continue
        found.append({**camera.facts, "modes": camera.modes()})
        camera.close()
    return found
