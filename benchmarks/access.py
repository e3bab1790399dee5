"""What it costs to ask who somebody is: the same request with a credential and, of an open server, without.

One process serves twice on loopback: as in a demo, open to everybody, and with users. This one asks both in turn
for a camera's quality (an answer of 150 bytes), on connections that stay open. Each round asks once in each way;
whatever else the machine does touches all alike, and the median of the differences within rounds is what counts.

Usage: python -m benchmarks.access [--rounds 2000] [--json]
"""

import argparse
import asyncio
import json
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any, cast

from benchmarks.measure import say
from livecam_nvr.access.audit import FileAuditLog
from livecam_nvr.access.service import AccessService
from livecam_nvr.access.store import AccessStore
from livecam_nvr.config.models import ListenConfig
from livecam_nvr.core.access import Client, Door
from livecam_nvr.core.bus import EventBus
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.quality import QualityStatus
from livecam_nvr.media.hub import CameraStreams, MemoryHub
from livecam_nvr.media.pictures import StreamPictures
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.web.server import WebAccess, WebPorts, WebServer
from tests.support.ports import free_port

PATH = "/api/cameras/cam0/quality"
NAME, PASSWORD = "anna", "a few words in a row"
WARM_ROUNDS = 200
SIGN_INS = 7


def main() -> None:
    """Runs everything and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2000, help="how often each is asked (default 2000)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve))
        return
    with tempfile.TemporaryDirectory(prefix="livecam-access-") as name:
        result = measure(Path(name), options.rounds, (lambda _text: None) if options.json else say)
    print(json.dumps(result) if options.json else "\n".join(f"{key:20} {value}" for key, value in result.items()))


def measure(folder: Path, rounds: int, tell: Callable[[str], None]) -> dict[str, float]:
    """Milliseconds; `_extra_ms` is what a credential costs more than none."""
    argv = [sys.executable, "-m", "benchmarks.access", "--serve", str(folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            if not line:
                raise SystemExit("the server did not start")
            ready = json.loads(line)
            tell(f"asking in {len(ready['headers'])} ways, {rounds} times each …")
            times = _ask(ready, rounds)
            tell("signing in …")
            sign_in_ms = _sign_in_ms(ready["port"])
        finally:
            server.send_signal(signal.SIGTERM)
    extra = {
        way: median(this - plain for this, plain in zip(times[way], times["open"], strict=True))
        for way in times
        if way != "open"
    }
    noise_ms = abs(extra.pop("again"))
    return {
        "authorised_extra_ms": round(max(extra[way] for way in ("session", "token", "ticket")), 3),
        **{f"{way}_extra_ms": round(extra_ms, 3) for way, extra_ms in extra.items()},
        "open_ms": round(median(times["open"]), 3),
        "noise_ms": round(noise_ms, 3),
        "sign_in_ms": round(sign_in_ms, 1),
    }


def _ask(ready: Mapping[str, Any], rounds: int) -> dict[str, list[float]]:
    """The times of all rounds by way, in milliseconds."""
    # Twice without credentials, alike in everything: how far these two are apart is what cannot be measured.
    ways = {way: _Asker(ready["open_port"], PATH) for way in ("open", "again")}
    for way, header in ready["headers"].items():
        ways[way] = _Asker(ready["port"], PATH, header)
    ways["ticket"] = _Asker(ready["port"], f"{PATH}?ticket={ready['ticket']}")
    times: dict[str, list[float]] = {way: [] for way in ways}
    for at in range(WARM_ROUNDS + rounds):
        # Whoever comes first may find the caches cold, so nobody always does.
        for way in random.sample(list(ways), len(ways)):
            took_ms = ways[way].ask()
            if at >= WARM_ROUNDS:
                times[way].append(took_ms)
    for asker in ways.values():
        asker.close()
    return times


class _Asker:
    """One connection, on which always the same is asked."""

    def __init__(self, port: int, path: str, header: str = "") -> None:
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *([header] if header else [])]
        self._request = "\r\n".join([*lines, "", ""]).encode()
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head, _, body = self._answer().partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"{path} was refused: {head.decode()} {body.decode()}")
        self._bytes = len(head) + 4 + len(body)

    def ask(self) -> float:
        """How long it takes, in milliseconds."""
        began_s = time.perf_counter()
        self._socket.sendall(self._request)
        missing = self._bytes
        while missing > 0:
            missing -= len(self._some())
        return (time.perf_counter() - began_s) * 1000

    def close(self) -> None:
        self._socket.close()

    def _answer(self) -> bytes:
        self._socket.sendall(self._request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._some()
        head, _, body = answer.partition(b"\r\n\r\n")
        (length,) = (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        while len(body) < length:
            body += self._some()
        return head + b"\r\n\r\n" + body

    def _some(self) -> bytes:
        if chunk := self._socket.recv(65536):
            return chunk
        raise SystemExit("the server has closed the connection")


def _sign_in_ms(port: int) -> float:
    """A whole sign-in, password hash and all, in milliseconds."""
    body = json.dumps({"name": NAME, "password": PASSWORD})
    times = []
    for _ in range(SIGN_INS):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            head = f"POST /api/session HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            began_s = time.perf_counter()
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            answer = connection.recv(65536)
            times.append((time.perf_counter() - began_s) * 1000)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"the sign-in was refused: {answer.decode()}")
    return median(times)


class _Control:
    """core.ports.CameraControl, as far as it is asked here."""

    def quality(self, _camera_id: str) -> QualityStatus:
        return QualityStatus(changeable=True, height=720, fps=15.0, heights=(1080, 720), most_fps=30.0)


async def serve(folder: Path) -> None:
    """Serves with users and without until it is told to end; prints one line of JSON when it is ready."""
    with AccessStore(folder / "access") as store:
        await asyncio.to_thread(store.add_user, NAME, PASSWORD, Role.ADMIN, None)
        token = store.add_token("homeassistant", Role.VIEWER, ["cam0"]).secret
    bus, clock = EventBus(), SystemClock()
    streams = CameraStreams([MemoryHub("cam0", 8)])
    unasked = cast("Any", None)
    ports = WebPorts(
        streams=streams,
        pictures=StreamPictures(streams),
        recording=unasked,
        status=unasked,
        index=unasked,
        recordings=folder,
        bus=bus,
        control=cast("Any", _Control()),
    )
    audit = FileAuditLog(folder / "access" / "audit.sqlite", clock)
    await audit.start()
    gates = [
        AccessService(folder / name, clock, bus, audit, camera_ids=["cam0"], demo=name == "demo")
        for name in ("access", "demo")
    ]
    servers = []
    listens = [ListenConfig(address="127.0.0.1", http_port=free_port()) for _ in gates]
    for gate, listen in zip(gates, listens, strict=True):
        await gate.start()
        servers.append(WebServer(listen, ports, access=WebAccess(gate, gate, audit)))
        await servers[-1].start()
    closed = gates[0]
    signed_in = await closed.sign_in(NAME, PASSWORD, Client("127.0.0.1", Door.PAGE))
    basic = b64encode(f"{NAME}:{PASSWORD}".encode()).decode()
    headers = {
        "session": f"Cookie: livecam_nvr_{listens[0].http_port}={signed_in.secret}",
        "token": f"Authorization: Bearer {token}",
        "basic": f"Authorization: Basic {basic}",
    }
    ticket = closed.make_ticket(signed_in.principal, PATH, 3600).text
    ready = {"port": listens[0].http_port, "open_port": listens[1].http_port, "headers": headers, "ticket": ticket}
    print(json.dumps(ready), flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    for part in (*servers, *gates, audit):
        await part.stop()


if __name__ == "__main__":
    main()
