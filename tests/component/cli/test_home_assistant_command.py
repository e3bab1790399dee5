"""`livecam-nvr home-assistant`, as a person types it: with the real files, and with a stand-in for the service."""

import asyncio
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support.ports import free_port

from livecam_nvr.access.store import AccessStore
from livecam_nvr.cli.main import main
from livecam_nvr.core.home_assistant import Carriage, Carrier
from livecam_nvr.domain.access import Role
from livecam_nvr.storage.place.lock import ArchiveLock
from livecam_nvr.storage.place.marker import Marker
from livecam_nvr.storage.remembered.carriage import FILE_NAME, CarriageFile

ROOT = Path(__file__).parents[3]
INTEGRATION = Carriage(Carrier.INTEGRATION, 1_763_726_400 * 10**9, "token homeassistant (192.0.2.5)")
BACK = ["home-assistant", "--carrier", "mqtt"]


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """The page's, in the config."""
    monkeypatch.setenv("LIVECAM_NVR_HOME", str(tmp_path))
    number = free_port()
    config = {"listen": {"http_port": number}, "mqtt": {"host": "127.0.0.1", "port": free_port()}}
    (tmp_path / "config.yaml").write_text(json.dumps(config))
    return number


@pytest.fixture
def file(tmp_path: Path, port: int) -> CarriageFile:
    """The integration carries the entities."""
    del port
    found = CarriageFile(tmp_path / "data" / FILE_NAME)
    found.save(INTEGRATION)
    return found


def test_without_a_service_it_tells_what_is_remembered(
    file: CarriageFile, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["home-assistant"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("No livecam-nvr runs")
    assert "✔ Home Assistant         its integration has the entities, MQTT announces none, since" in said
    assert (
        "2025-11-21 12:00 UTC (token homeassistant (192.0.2.5)); back: livecam-nvr home-assistant --carrier mqtt"
        in said
    )
    assert "✘ MQTT broker" in said
    assert "✔ announcement           none: only this machine can reach the service" in said
    assert file.load() == INTEGRATION


def test_without_a_service_the_next_one_announces(file: CarriageFile, capsys: pytest.CaptureFixture[str]) -> None:
    before_ns = time.time_ns()
    assert main([*BACK, "--yes"]) == 0
    assert capsys.readouterr().out == "The entities are announced over MQTT as soon as livecam-nvr runs.\n"
    now = file.load()
    assert now.carrier is Carrier.MQTT
    assert now.since_utc_ns >= before_ns
    assert now.by
    assert main(["audit", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)["entries"]
    assert (entry["deed"], entry["detail"], entry["who"]) == ("home_assistant", "mqtt", now.by)
    assert main([*BACK, "--yes"]) == 0
    assert capsys.readouterr().out == "The entities are announced over MQTT already.\n"
    assert file.load() == now


def test_without_a_broker_it_says_what_is_missing(
    tmp_path: Path, file: CarriageFile, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.yaml").write_text(f"listen: {{http_port: {free_port()}}}\n")
    assert main([*BACK, "--yes"]) == 0
    assert "There is no broker in the config" in capsys.readouterr().out
    assert file.load().carrier is Carrier.MQTT


def test_without_a_terminal_nothing_is_changed(file: CarriageFile, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(BACK) == 1
    assert "if it is: --yes" in capsys.readouterr().err
    assert file.load() == INTEGRATION


@pytest.mark.parametrize(("answer", "status", "carrier"), [("n", 1, Carrier.INTEGRATION), ("y", 0, Carrier.MQTT)])
def test_at_a_terminal_it_asks(
    tmp_path: Path, file: CarriageFile, answer: str, status: int, carrier: Carrier
) -> None:
    terminal, line = pty.openpty()
    os.write(terminal, f"{answer}\n".encode())
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "livecam_nvr", *BACK],
            env={**os.environ, "PYTHONPATH": str(ROOT), "LIVECAM_NVR_HOME": str(tmp_path)},
            stdin=line,
            stdout=subprocess.PIPE,
            check=False,
            text=True,
        )
    finally:
        os.close(terminal)
        os.close(line)
    assert done.returncode == status
    assert "delete its entry there instead" in done.stdout
    assert file.load().carrier is carrier


class Stand:
    """A service that knows only tokens that are in the store now; notes what it is told, and with which rights."""

    def __init__(self, folder: Path, port: int) -> None:
        self._access = folder / "data" / "access"
        self._port = port
        self.answer: tuple[int, Any] = (200, {"carrier": "mqtt"})
        self.told: list[tuple[str, Any, Role, object]] = []

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Stand"]:
        async with await asyncio.start_server(self._serve, "127.0.0.1", self._port):
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split(" ", 2)
        length = next(
            (int(line.split(":")[1]) for line in head.splitlines() if line.startswith("Content-Length")), 0
        )
        body = await reader.readexactly(length)
        code, answer = await asyncio.to_thread(self._answer, method, path, body)
        writer.write(f"HTTP/1.0 {code} X\r\n\r\n{json.dumps(answer)}".encode())
        await writer.drain()
        writer.close()

    def _answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        if path == "/api/session":
            return 200, {"signed_in": False, "setup": False}
        with AccessStore(self._access) as store:
            tokens = store.tokens()
        if not tokens:
            return 401, {"error": {"kind": "unauthenticated", "message": "who?", "hint": ""}}
        (token,) = tokens
        if method == "GET":
            broker = {"configured": True, "connected": False, "fault": {"message": "it is away", "hint": "wait"}}
            return 200, {"cameras": [], "media_server": {}, "broker": broker}
        self.told.append((path, json.loads(body), token.role, token.cameras))
        return self.answer


@pytest.fixture
async def service(tmp_path: Path, port: int, file: CarriageFile) -> AsyncIterator[Stand]:
    """It runs and records."""
    del file
    AccessStore(tmp_path / "data" / "access").close()
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    lock = ArchiveLock(recordings, Marker(recordings, tmp_path / "data"))
    lock.ensure()
    async with Stand(tmp_path, port).serving() as stand:
        yield stand
    lock.release()


def left(folder: Path) -> list[str]:
    """The tokens that there still are."""
    with AccessStore(folder / "data" / "access") as store:
        return [token.name for token in store.tokens()]


async def test_the_service_that_runs_tells_of_its_broker(
    service: Stand, capsys: pytest.CaptureFixture[str]
) -> None:
    assert service.told == []
    assert await asyncio.to_thread(main, ["home-assistant"]) == 1
    said = capsys.readouterr().out
    assert "No livecam-nvr runs" not in said
    assert "✘ MQTT broker            it is away\n" in said
    assert "→ wait" in said


async def test_the_service_that_runs_is_told(
    service: Stand, tmp_path: Path, file: CarriageFile, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asyncio.to_thread(main, [*BACK, "--yes"]) == 0
    assert capsys.readouterr().out == "The entities are announced over MQTT from now on.\n"
    assert service.told == [("/api/home-assistant", {"carrier": "mqtt"}, Role.OPERATOR, None)]
    assert left(tmp_path) == []
    # The file is the service's own.
    assert file.load() == INTEGRATION


async def test_what_the_service_refuses_is_told(
    service: Stand, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.answer = (503, {"error": {"kind": "unavailable", "message": "the broker is away", "hint": "later"}})
    assert await asyncio.to_thread(main, [*BACK, "--yes"]) == 1
    assert capsys.readouterr().err == "livecam-nvr: the broker is away\n  later\n"
    service.answer = (502, "nonsense")
    assert await asyncio.to_thread(main, [*BACK, "--yes"]) == 1
    assert "does not answer" in capsys.readouterr().err
    assert left(tmp_path) == []


async def test_a_service_whose_disk_is_away_is_told_all_the_same(
    tmp_path: Path, port: int, file: CarriageFile
) -> None:
    AccessStore(tmp_path / "data" / "access").close()
    async with Stand(tmp_path, port).serving() as stand:
        assert await asyncio.to_thread(main, [*BACK, "--yes"]) == 0
    assert len(stand.told) == 1
    assert file.load() == INTEGRATION
