"""A real mosquitto per test, somebody who listens to everything on it, and the service's MQTT side beside it."""

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from fakes.mqtt_home import Home
from support.ports import free_port
from support.waiting import PATIENCE_S, until

PLANTED = "homeassistant/device/livecam-nvr_home_planted/config"


class Mosquitto:
    """A broker that forgets everything when it ends."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._rules = ["allow_anonymous true"]
        self._tls: list[str] = []

    def users(self, **passwords: str) -> None:
        """From the next start on, only these may connect."""
        file = self._folder / "users"
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        for name, password in passwords.items():
            subprocess.run(["mosquitto_passwd", "-b", str(file), name, password], check=True, capture_output=True)
        self._rules = ["allow_anonymous false", f"password_file {file}"]

    def one_connection_a_user(self) -> None:
        """From the next start on, whoever connects ends the connection that the same user has."""
        self._rules.append("use_username_as_clientid true")

    def encrypt(self, certificate: Path, key: Path, *more: str) -> None:
        """From the next start on, it speaks nothing but TLS."""
        self._tls = [f"certfile {certificate}", f"keyfile {key}", *more]

    def start(self) -> None:
        config = self._folder / "mosquitto.conf"
        # As root it would change to a user who may not read the test's files.
        rules = [f"listener {self.port} 127.0.0.1", "persistence false", "user root", *self._rules, *self._tls]
        config.write_text("\n".join(rules) + "\n")
        with (self._folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(["mosquitto", "-c", str(config)], stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                said = (self._folder / "mosquitto.log").read_text()
                assert self._process.poll() is None, said
                assert time.monotonic() < end, said
                time.sleep(0.01)
            else:
                return

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@dataclass
class Heard:
    """One message as a subscriber got it."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    at_s: float

    @property
    def json(self) -> Any:
        return json.loads(self.payload)


@dataclass
class Ear:
    """A client of its own that takes down all that is published."""

    client: aiomqtt.Client
    heard: list[Heard] = field(default_factory=list)

    async def listen(self) -> None:
        with contextlib.suppress(aiomqtt.MqttError):
            async for m in self.client.messages:
                heard = Heard(str(m.topic), bytes(m.payload), m.qos, bool(m.retain), time.monotonic())
                self.heard.append(heard)

    def on(self, topic: str, payload: bytes | None = None) -> list[Heard]:
        return [h for h in self.heard if h.topic == topic and payload in (None, h.payload)]

    async def hears(self, topic: str, payload: bytes | None = None) -> Heard:
        """The newest such message, as soon as there is one."""
        await until(lambda: self.on(topic, payload), f"{topic} {payload!r}")
        return self.on(topic, payload)[-1]

    async def plant(self) -> None:
        """Leaves the announcement of a camera that the service does not have, before it connects."""
        await self.say(PLANTED, b'{"origin": {"name": "livecam-nvr"}}', retain=True)

    async def found_that_it_was_cleared(self) -> None:
        """That takes what the service subscribes to last, so it hears everything then."""
        await self.hears(PLANTED, b"")

    async def say(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        await self.client.publish(topic, payload, qos=1, retain=retain)


@contextlib.asynccontextmanager
async def listening(port: int, **credentials: str) -> AsyncIterator[Ear]:
    """An ear on everything; what the broker keeps comes first, marked retained."""
    more = {"timeout": PATIENCE_S, "socket_options": [(6, 1, 1)], **credentials}
    async with aiomqtt.Client("127.0.0.1", port, **more) as client:
        ear = Ear(client)
        task = asyncio.create_task(ear.listen())
        await client.subscribe("#", qos=1)
        try:
            yield ear
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def kept(port: int, **credentials: str) -> dict[str, Heard]:
    """What the broker keeps now."""
    async with listening(port, **credentials) as ear:
        await ear.say("test/fence", "x")
        await ear.hears("test/fence")
        return {h.topic: h for h in ear.heard if h.retain}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running broker."""
    mosquitto = Mosquitto(tmp_path)
    mosquitto.start()
    yield mosquitto
    with contextlib.suppress(AssertionError):
        mosquitto.signal(signal.SIGCONT)
    mosquitto.kill()


@pytest.fixture
def another_broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A second one."""
    folder = tmp_path / "another"
    folder.mkdir()
    mosquitto = Mosquitto(folder)
    mosquitto.start()
    yield mosquitto
    mosquitto.kill()


@pytest.fixture
async def homes() -> AsyncIterator[Callable[..., Home]]:
    """Makes homes, and stops them after the test."""
    made: list[Home] = []

    def make(*args: Any, **kwargs: Any) -> Home:
        made.append(Home(*args, **kwargs))
        return made[-1]

    yield make
    await asyncio.gather(*(home.service.stop() for home in made))


@pytest.fixture
async def ear(broker: Mosquitto) -> AsyncIterator[Ear]:
    """Hears everything on `broker`."""
    async with listening(broker.port) as listener:
        yield listener


@pytest.fixture
def what_is_kept(broker: Mosquitto) -> Callable[[], Any]:
    """Asks the broker what it keeps."""
    return lambda **credentials: kept(broker.port, **credentials)


@pytest.fixture
def ears() -> Callable[..., Any]:
    """Makes further listeners."""
    return listening
