"""What Home Assistant notices of the service over MQTT: how soon a switch is confirmed, how soon everything is
there after a start, and how many messages an idle service sends.

A real mosquitto and the service itself with two test cameras, as processes of their own on loopback. This one is a
client of the broker, as Home Assistant is, and hears everything.

- `command_to_state_ms`: from writing a command of the recording switch to its state; the median, and the worst.
- `entities_available_s`: from starting the service's process until the broker has all announcements, `online` for
  every availability that an entity has, and a state for every entity; median of the starts. What nobody can know
  yet does not count: how long footage will last (known after a minute), and the last file that was finished.
  Nor does a first start, in which Python compiles the modules, as it does once in every installation.
- `idle_messages_per_minute`: all messages of the service, by camera, while nobody watches and nothing is ordered.

They are to be at most 100 ms, 1 s and 6.

Usage: python -m benchmarks.mqtt [--starts 5] [--commands 60] [--idle 120] [--json]
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import aiomqtt

from benchmarks.measure import own_ports, say
from tests.support.ports import free_port

CAMERAS = ("cam0", "cam1")
BASE = "livecam-nvr/livecam"
SETTLED_S = 75.0
LEAST_IDLE_S = 60.0
PATIENCE_S = 60.0
UNKNOWN_YET = {f"{BASE}/retention", *(f"{BASE}/{camera}/last_segment" for camera in CAMERAS)}
AT_ONCE = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)


def main() -> None:
    """Runs everything and prints it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=5, help="how often the service is started (default 5)")
    parser.add_argument("--commands", type=int, default=60, help="how often recording is switched (default 60)")
    parser.add_argument("--idle", type=float, default=120, help="seconds without commands (default 120, least 60)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    options = parser.parse_args()
    tell = (lambda _text: None) if options.json else say
    with tempfile.TemporaryDirectory(prefix="livecam-mqtt-") as name:
        plan = Plan(options.starts, options.commands, SETTLED_S, max(LEAST_IDLE_S, options.idle))
        result = asyncio.run(measure(Path(name), plan, tell))
    print(json.dumps(result) if options.json else "\n".join(f"{key:28} {value}" for key, value in result.items()))


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    starts: int
    commands: int
    settled_s: float
    idle_s: float


async def measure(folder: Path, plan: Plan, tell: Callable[[str], None]) -> dict[str, float]:
    """Milliseconds, seconds, messages and bytes, each by its name."""
    with mosquitto(folder) as port:
        config = write_config(folder, port)
        async with listening(port) as ear:
            tell("starting the service for the first time …")
            await start(config, ear)
            tell(f"starting the service {plan.starts} times …")
            available_s = [await start(config, ear) for _ in range(plan.starts)]
            ear.newest.clear()
            with service(config):
                await ear.until(ear.complete, PATIENCE_S)
                tell(f"waiting {plan.settled_s:g} s for it to settle …")
                await asyncio.sleep(plan.settled_s)
                tell(f"listening for {plan.idle_s:g} s …")
                messages, size = await idle(ear, plan.idle_s)
                tell(ear.of_what())
                tell(f"switching {plan.commands} times …")
                confirmed_ms = [await switch(ear, at) for at in range(plan.commands)]
    camera_minutes = plan.idle_s / 60 * len(CAMERAS)
    return {
        "command_to_state_ms": round(median(confirmed_ms), 1),
        "command_to_state_worst_ms": round(max(confirmed_ms), 1),
        "entities_available_s": round(median(available_s), 2),
        "entities_available_worst_s": round(max(available_s), 2),
        "idle_messages_per_minute": round(messages / camera_minutes, 2),
        "idle_kilobytes_per_minute": round(size / 1000 / camera_minutes, 1),
    }


class Ear:
    """Hears everything from the moment when it began to listen; what the broker had kept before does not count."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.newest: dict[str, bytes] = {}
        self.counted: Counter[str] = Counter()
        self.messages = 0
        self.bytes = 0
        self._heard = asyncio.Event()

    async def listen(self) -> None:
        async for message in self.client.messages:
            topic, payload = str(message.topic), bytes(message.payload)
            if not message.retain and not topic.endswith("/set"):
                self.newest[topic] = payload
                self.counted[topic.rsplit("/", 1)[-1]] += 1
                self.messages += 1
                self.bytes += len(topic) + len(payload)
                self._heard.set()

    async def until(self, condition: Callable[[], bool], within_s: float) -> float:
        """The monotonic time at which it came true; exits if it does not in time."""
        try:
            async with asyncio.timeout(within_s):
                while not condition():
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            raise SystemExit(f"not within {within_s:g} s; heard of {sorted(self.newest)}") from None
        return time.monotonic()

    def of_what(self) -> str:
        """What was said since `counted` was cleared, most first."""
        return "  " + ", ".join(f"{count} {what}" for what, count in self.counted.most_common())

    def complete(self) -> bool:
        """Whether Home Assistant has all it needs to show every entity as available, with its state."""
        if any(self.newest.get(f"{BASE}/{camera}/availability") != b"online" for camera in CAMERAS):
            return False
        devices = [json.loads(said) for topic, said in self.newest.items() if "/device/" in topic and said]
        if len(devices) != len(CAMERAS) + 1:
            return False
        entities = [entity for device in devices for entity in device["components"].values()]
        online = {place["topic"] for entity in entities for place in entity.get("availability", ())}
        states = {
            entity[key] for entity in entities for key in ("state_topic", "json_attributes_topic") if key in entity
        }
        events = {entity["state_topic"] for entity in entities if entity["platform"] == "event"}
        return all(self.newest.get(topic) == b"online" for topic in online) and all(
            topic in self.newest for topic in states - events - UNKNOWN_YET
        )


async def start(config: Path, ear: Ear) -> float:
    """How long the service takes until everything is there, in seconds."""
    ear.newest.clear()
    began_s = time.monotonic()
    with service(config):
        return await ear.until(ear.complete, PATIENCE_S) - began_s


async def idle(ear: Ear, seconds: float) -> tuple[int, int]:
    """Messages and bytes (topics and payloads) of the service."""
    ear.counted.clear()
    messages, size = ear.messages, ear.bytes
    await asyncio.sleep(seconds)
    return ear.messages - messages, ear.bytes - size


async def switch(ear: Ear, at: int) -> float:
    """One command, until its state has come back; in milliseconds."""
    topic = f"{BASE}/{CAMERAS[at % len(CAMERAS)]}/recording"
    wanted = b"OFF" if ear.newest.get(topic) == b"ON" else b"ON"
    began_s = time.monotonic()
    await ear.client.publish(f"{topic}/set", wanted, qos=0)
    took_ms = (await ear.until(lambda: ear.newest.get(topic) == wanted, PATIENCE_S) - began_s) * 1000
    await asyncio.sleep(0.3)
    return took_ms


@contextlib.asynccontextmanager
async def listening(port: int) -> AsyncIterator[Ear]:
    """Subscribed to everything."""
    async with aiomqtt.Client("127.0.0.1", port, socket_options=AT_ONCE) as client:
        ear = Ear(client)
        await client.subscribe("#", qos=1)
        task = asyncio.create_task(ear.listen())
        try:
            yield ear
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@contextlib.contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """A broker on loopback that answers; its port."""
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\n"
    )
    with subprocess.Popen(["mosquitto", "-c", str(config)], stderr=subprocess.DEVNULL) as broker:
        try:
            end_s = time.monotonic() + 10
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    if time.monotonic() > end_s:
                        raise SystemExit("mosquitto does not answer") from None
                    time.sleep(0.02)
            yield port
        finally:
            broker.terminate()


def write_config(folder: Path, broker_port: int) -> Path:
    """Two test cameras that are recorded, on free ports."""
    config: dict[str, Any] = {
        "listen": {"address": "127.0.0.1", **own_ports()},
        "cameras": [{"id": camera, "kind": "test", "size": "640x360", "fps": 30} for camera in CAMERAS],
        "recording": {"path": str(folder / "recordings"), "min_free": 0},
        "data_dir": str(folder / "data"),
        "media_server": {"download": False},
        "mqtt": {"host": "127.0.0.1", "port": broker_port},
    }
    path = folder / "config.yaml"
    path.write_text(json.dumps(config))
    return path


@contextlib.contextmanager
def service(config: Path) -> Iterator[None]:
    """`livecam-nvr run`, begun; ended when the block is left."""
    argv = [sys.executable, "-m", "livecam_nvr", "run", "--config", str(config)]
    # Whatever this shell was told about byte code, and without leaving any in the project's folders.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(config.with_name("bytecode"))
    with (
        config.with_name("service.log").open("ab") as log,
        subprocess.Popen(argv, stdout=log, stderr=log, env=env) as process,
    ):
        try:
            yield
            if process.poll() is not None:
                raise SystemExit(f"the service has ended: {config.with_name('service.log').read_text()[-2000:]}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


if __name__ == "__main__":
    main()
