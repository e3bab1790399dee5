"""A real Home Assistant, of the version that tests/homeassistant/core.lock pins, in a process of its own."""

import asyncio
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
from support.ports import free_port
from support.waiting import PATIENCE_S, until

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "home-assistant"
INTEGRATION = "livecam_nvr"
_MAIN = "/repo/tests/child_scripts/home_assistant.py"
_IMPOSSIBLE = 3
_QUICK = aiohttp.ClientTimeout(total=PATIENCE_S)

# Said of each integration that does not come with Home Assistant, and of what takes long on a busy machine.
_USUAL = ("We found a custom integration", " is taking over ", " is taking longer than ", " took longer than ")

# What a person gets by `default_config`, without what needs the internet, a radio or a Supervisor.
_YAML = """\
homeassistant:
  name: Home
  unit_system: metric
  time_zone: Europe/Amsterdam
  country: NL
  currency: EUR
  internal_url: {url}
  external_url: {url}
automation: !include automations.yaml
frontend:
config:
history:
logbook:
media_source:
mobile_app:
recorder:
  commit_interval: 1
stream:
zeroconf:
logger:
  default: warning
"""


class Impossible(Exception):  # noqa: N818 - this is no error of the test
    """This machine can have no Home Assistant."""


class HomeAssistant:
    """Home Assistant on a free port of loopback; `start`, `stop` and `kill` as often as wanted.

    It has gone through its first set-up, and hears and speaks mDNS on loopback only. The integration is read from
    this project, as it is at the start.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder / "home-assistant"
        self.log = folder / "home-assistant.log"
        self.token = ""
        self.process: subprocess.Popen[bytes] | None = None
        self._log_begins = 0

    @property
    def runs(self) -> bool:
        """Whether its process does."""
        return self.process is not None and self.process.poll() is None

    @property
    def url(self) -> str:
        """Its address without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    # Its life ------------------------------------------------------------------------------------------------

    async def start(self, timeout_s: float = 4 * PATIENCE_S) -> None:
        """Starts it; returns when all of it runs. The first start has to compile Home Assistant.

        Raises:
            Impossible: it cannot be installed on this machine, and why.
        """
        if not self.folder.exists():
            await asyncio.to_thread(_install)
            self._make_config()
        argv = [str(SCRIPT), "exec", "-b", f"{self.folder}=/config", "python", _MAIN, "--config", "/config"]
        argv.append("--skip-pip")  # all it needs is there
        # If the tests are killed, it has nobody who would end it.
        argv = ["setpriv", "--pdeathsig", "KILL", *argv]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
        if not self.token:
            await until(self._answers, f"Home Assistant; its log:\n{self.read_log()}", within_s=timeout_s)
            await self._first_set_up()
        await until(self._runs, f"Home Assistant; its log:\n{self.read_log()}", within_s=timeout_s)

    async def stop(self) -> int | None:
        """SIGTERM; its exit status, None if it did not run."""
        if self.process is None or self.process.poll() is not None:
            return None
        self.process.send_signal(signal.SIGTERM)
        try:
            return await asyncio.to_thread(self.process.wait, 2 * PATIENCE_S)
        finally:
            await self.kill()

    async def kill(self) -> None:
        """SIGKILL, also of what it has started."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        await asyncio.to_thread(self.process.wait, PATIENCE_S)

    async def restart(self) -> None:
        """As a person restarts it."""
        await self.stop()
        await self.start()

    def read_log(self) -> str:
        """All it said, since the log was last forgotten."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(self._log_begins)
            return log.read().decode(errors="replace")

    def forget_log(self) -> None:
        """What was said before is of no interest any more."""
        self._log_begins = self.log.stat().st_size

    def complaints(self, *needles: str) -> list[str]:
        """Warnings and errors in its log that hold one of the words (ours, if none is named)."""
        words = [needle.lower() for needle in needles] or ["livecam"]
        return [
            entry
            for entry in _entries(self.read_log())
            if any(word in entry.lower() for word in words) and not any(usual in entry for usual in _USUAL)
        ]

    def _make_config(self) -> None:
        storage = self.folder / ".storage"
        storage.mkdir(parents=True)
        (self.folder / "configuration.yaml").write_text(_YAML.format(url=self.url))
        for name in ("automations.yaml", "scripts.yaml", "scenes.yaml"):
            (self.folder / name).write_text("")
        (self.folder / "custom_components").symlink_to("/repo/homeassistant/custom_components")
        # Written down in YAML, these would be on trial until somebody confirms them.
        web = {
            "server_host": ["127.0.0.1"],
            "server_port": self.port,
            "cors_allowed_origins": [],
            "login_attempts_threshold": -1,
            "ip_ban_enabled": False,
            "ssl_profile": "intermediate_v6",
            "use_x_frame_options": True,
            "created_at": "2026-11-01T00:00:00+00:00",
            "error": None,
            "error_message": None,
        }
        stored: dict[str, tuple[int, Mapping[str, Any]]] = {
            "http": (3, {"stable": web, "pending": None, "yaml_migration_done": True}),
            # The step about the home's place would set up the weather and other things of the internet.
            "onboarding": (4, {"done": ["core_config"]}),
        }
        for key, (version, data) in stored.items():
            entry = {"version": version, "minor_version": 1, "key": key, "data": data}
            (storage / key).write_text(json.dumps(entry))

    async def _answers(self) -> bool:
        self._still_runs()
        try:
            return bool(await self.get("/api/onboarding"))
        except (aiohttp.ClientError, OSError):
            return False

    async def _runs(self) -> bool:
        self._still_runs()
        try:
            return (await self.get("/api/config"))["state"] == "RUNNING"
        except (aiohttp.ClientError, OSError):
            return False

    def _still_runs(self) -> None:
        assert self.process is not None
        assert self.process.poll() is None, self.read_log()

    async def _first_set_up(self) -> None:
        client = f"{self.url}/"
        person = {"name": "Anna", "username": "anna", "password": "correct horse", "language": "en"}
        code = (await self.post("/api/onboarding/users", {"client_id": client, **person}))["auth_code"]
        form = {"grant_type": "authorization_code", "code": code, "client_id": client}
        async with aiohttp.ClientSession() as session, session.post(f"{self.url}/auth/token", data=form) as answer:
            self.token = (await answer.json())["access_token"]
        await self.post("/api/onboarding/analytics", {})
        await self.post("/api/onboarding/integration", {"client_id": client, "redirect_uri": client})
        self.token = await self.ask("auth/long_lived_access_token", client_name="tests", lifespan=1)

    # REST ----------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def request(self, method: str, path: str, **more: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer, whatever its status; `more` is aiohttp's. Addresses that it has signed need no token."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token and "authSig=" not in path else {}
        headers |= more.pop("headers", {})
        async with (
            aiohttp.ClientSession(timeout=_QUICK) as session,
            session.request(method, self.url + path, headers=headers, **more) as answer,
        ):
            yield answer

    async def get(self, path: str) -> Any:
        """JSON; raises aiohttp.ClientResponseError for what is refused."""
        async with self.request("GET", path) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def get_bytes(self, path: str) -> bytes:
        """The same for a body of any kind."""
        async with self.request("GET", path) as answer:
            answer.raise_for_status()
            return await answer.read()

    async def post(self, path: str, body: object) -> Any:
        """The answer to JSON; raises AssertionError, with the reason, for what is refused."""
        async with self.request("POST", path, json=body) as answer:
            assert answer.ok, f"POST {path}: {answer.status} {await answer.text()}"
            return await answer.json()

    async def delete(self, path: str) -> Any:
        """The same for DELETE."""
        async with self.request("DELETE", path) as answer:
            assert answer.ok, f"DELETE {path}: {answer.status} {await answer.text()}"
            return await answer.json()

    # WebSocket -----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def socket(self) -> AsyncIterator["Socket"]:
        """A WebSocket that was let in, as the frontend has one."""
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{self.url}/api/websocket", max_msg_size=0) as connection,
        ):
            assert (await connection.receive_json(timeout=PATIENCE_S))["type"] == "auth_required"
            await connection.send_json({"type": "auth", "access_token": self.token})
            assert (await connection.receive_json(timeout=PATIENCE_S))["type"] == "auth_ok"
            yield Socket(connection)

    async def ask(self, kind: str, **fields: Any) -> Any:
        """The result of one command; raises AssertionError, with the reason, for what is refused."""
        async with self.socket() as socket:
            return await socket.ask(kind, **fields)

    async def call(self, action: str, target: str | list[str] | None = None, **data: Any) -> Any:
        """Performs an action (`switch.turn_on`) on entities; its response, if it has one."""
        domain, service = action.split(".")
        fields: dict[str, Any] = {"domain": domain, "service": service, "service_data": data}
        if target:
            fields["target"] = {"entity_id": target}
        if data.pop("return_response", False):
            fields["return_response"] = True
        return (await self.ask("call_service", **fields)).get("response")

    # What it knows -------------------------------------------------------------------------------------------

    async def state(self, entity_id: str) -> dict[str, Any]:
        """An entity's state and attributes; empty if it has none."""
        async with self.request("GET", f"/api/states/{entity_id}") as answer:
            return dict(await answer.json()) if answer.ok else {}

    async def states(self) -> dict[str, dict[str, Any]]:
        """All states by entity id."""
        return {state["entity_id"]: state for state in await self.get("/api/states")}

    async def until_state(self, entity_id: str, wanted: str, timeout_s: float = 2 * PATIENCE_S) -> dict[str, Any]:
        """Waits until an entity's state is `wanted`; all of it."""
        found: dict[str, Any] = {}

        async def there() -> bool:
            nonlocal found
            found = await self.state(entity_id)
            return found.get("state") == wanted

        try:
            await until(there, within_s=timeout_s)
        except AssertionError:
            raise AssertionError(f"{entity_id} is not {wanted!r} within {timeout_s} s, but {found}") from None
        return found

    async def entities(self, platform: str = "") -> list[dict[str, Any]]:
        """The entity registry, of one platform if named."""
        entries = await self.ask("config/entity_registry/list")
        return [dict(entry) for entry in entries if platform in ("", entry["platform"])]

    async def entity_ids(self, platform: str) -> dict[str, str]:
        """Unique id to entity id, of one platform."""
        return {entry["unique_id"]: entry["entity_id"] for entry in await self.entities(platform)}

    async def devices(self) -> dict[str, dict[str, Any]]:
        """Devices by the identifier that we gave them."""
        return {
            identifier: dict(device)
            for device in await self.ask("config/device_registry/list")
            for _, identifier, *_ in device["identifiers"]
        }

    # Config entries ------------------------------------------------------------------------------------------

    async def set_up(self, handler: str, *answers: Mapping[str, Any]) -> dict[str, Any]:
        """Goes through a config flow from its beginning as the frontend does; its last step."""
        step = await self.post("/api/config/config_entries/flow", {"handler": handler})
        return await self.go_on(step, *answers)

    async def go_on(self, step: Mapping[str, Any], *answers: Mapping[str, Any]) -> dict[str, Any]:
        """Answers the steps of a flow, one after the other; the last one."""
        for answer in answers:
            assert step["type"] in ("form", "menu"), step
            step = await self.post(f"/api/config/config_entries/flow/{step['flow_id']}", answer)
        return dict(step)

    async def flows(self, handler: str = INTEGRATION) -> list[dict[str, Any]]:
        """Flows that wait for somebody: discoveries, reauthentications."""
        found = await self.ask("config_entries/flow/progress")
        return [dict(flow) for flow in found if flow["handler"] == handler]

    async def entries(self, domain: str) -> list[dict[str, Any]]:
        """Config entries of an integration."""
        return [dict(entry) for entry in await self.ask("config_entries/get", domain=domain)]

    async def remove_entries(self, domain: str) -> None:
        """Removes an integration as a person does."""
        for entry in await self.entries(domain):
            await self.delete(f"/api/config/config_entries/entry/{entry['entry_id']}")

    async def add_broker(self, port: int) -> None:
        """Sets its MQTT integration up with a broker on loopback."""
        step = await self.set_up(
            "mqtt",
            {
                "broker": "127.0.0.1",
                "port": port,
                "protocol": "5",
                "other_settings": {"set_client_cert": False, "set_ca_cert": "off", "transport": "tcp"},
            },
        )
        assert step["type"] == "create_entry", step


class Socket:
    """One WebSocket: commands, and what comes without being asked for again."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        self._connection = connection
        self._last_id = 0

    async def send(self, kind: str, **fields: Any) -> int:
        """Sends a command; its id."""
        self._last_id += 1
        await self._connection.send_json({"id": self._last_id, "type": kind, **fields})
        return self._last_id

    async def ask(self, kind: str, timeout_s: float = PATIENCE_S, **fields: Any) -> Any:
        """The result of a command; events that come meanwhile are lost."""
        number = await self.send(kind, **fields)
        while True:
            message = await self.receive(timeout_s)
            if message["id"] == number and message["type"] == "result":
                assert message["success"], f"{kind}: {message['error']}"
                return message["result"]

    async def receive(self, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """The next message."""
        return dict(await self._connection.receive_json(timeout=timeout_s))

    async def event(self, number: int, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        """The next event of the subscription with this id."""
        end = time.monotonic() + timeout_s
        while True:
            message = await self.receive(end - time.monotonic())
            assert message.get("success", True), message
            if message["id"] == number and message["type"] == "event":
                return dict(message["event"])


def _install() -> None:
    done = subprocess.run([str(SCRIPT), "install"], capture_output=True, text=True, check=False)
    if done.returncode == _IMPOSSIBLE:
        raise Impossible(done.stderr.strip())
    assert done.returncode == 0, done.stderr


def _entries(log: str) -> list[str]:
    """Warnings and errors, each with the lines that belong to it."""
    entries: list[str] = []
    wanted = False
    for line in log.splitlines():
        words = line.split(" ", 3)
        begins = len(words) > 2 and words[2] in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
        if begins:
            wanted = words[2] in ("WARNING", "ERROR", "CRITICAL")
            if wanted:
                entries.append(line)
        elif wanted:
            entries[-1] += f"\n{line}"
    return entries
