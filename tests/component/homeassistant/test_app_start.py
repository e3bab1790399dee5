"""The app's start script against a Supervisor's API: what it writes, and that the service runs with it."""

import asyncio
import importlib.util
import json
import os
import signal
import stat
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiohttp import web
from support.ports import free_port
from support.waiting import PATIENCE_S, until

from livecam_nvr.access.store import AccessStore
from livecam_nvr.config.load import load_config
from livecam_nvr.domain.access import Role

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "homeassistant" / "addon" / "livecam_nvr" / "start.py"
BROKER = {"host": "core-mosquitto", "port": 1883, "ssl": False, "username": "addons", "password": "s3cret: #1"}


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("app_start", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules["app_start"] = module
    spec.loader.exec_module(module)
    return module


start = loaded()


class Supervisor:
    """Its API, as far as an app without rights may ask it (supervisor/api/{services,discovery}.py)."""

    def __init__(self) -> None:
        self.broker: dict[str, Any] | None = dict(BROKER)
        self.discovered: list[dict[str, Any]] = []
        self.tokens: set[str] = set()
        self.url = ""

    async def mqtt(self, request: web.Request) -> web.Response:
        self.tokens.add(request.headers["Authorization"])
        if self.broker is None:
            return web.json_response({"result": "error", "message": "Service not enabled"}, status=400)
        return web.json_response({"result": "ok", "data": self.broker})

    async def discovery(self, request: web.Request) -> web.Response:
        self.discovered.append(await request.json())
        return web.json_response({"result": "ok", "data": {"uuid": "0" * 32}})


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    double = Supervisor()
    app = web.Application()
    app.router.add_get("/services/mqtt", double.mqtt)
    app.router.add_post("/discovery", double.discovery)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    double.url = f"http://127.0.0.1:{port}"
    yield double
    await runner.cleanup()


@pytest.fixture
def house(tmp_path: Path) -> Any:
    for folder in ("data", "config", "media", "share"):
        (tmp_path / folder).mkdir()
    choose(tmp_path)
    return start.House(tmp_path, free_port())


def choose(root: Path, **options: object) -> None:
    (root / "data" / "options.json").write_text(json.dumps({"recordings": "media", "mqtt": True} | options))


async def prepared(house: Any, supervisor: Supervisor) -> Any:
    """What the service reads of the config that was written."""
    await asyncio.to_thread(start.prepare, house, start.Supervisor(supervisor.url, "t0ken"))
    return await asyncio.to_thread(load_config, house.config)


async def test_a_first_start_writes_a_config_that_the_service_takes(house: Any, supervisor: Supervisor) -> None:
    config = await prepared(house, supervisor)
    assert config.listen.address == "0.0.0.0"
    assert config.listen.http_port == house.port
    assert config.listen.trusted_proxies == ("172.30.32.1/32", "172.30.32.2/32")
    assert config.data_dir == house.data
    assert config.recording.path == house.root / "media" / "livecam-nvr"
    assert (config.mqtt.host, config.mqtt.port, config.mqtt.tls) == ("core-mosquitto", 1883, False)
    assert config.mqtt.username == "addons"
    assert config.mqtt.password.get_secret_value() == BROKER["password"]
    assert supervisor.tokens == {"Bearer t0ken"}


async def test_secrets_are_for_the_app_alone(house: Any, supervisor: Supervisor) -> None:
    await prepared(house, supervisor)
    assert BROKER["password"] not in house.config.read_text()
    for file in (house.config, house.data / "mqtt-password"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_what_people_wrote_stays(house: Any, supervisor: Supervisor) -> None:
    mine = "# my cameras\ncameras:\n  - {id: door, kind: test, name: 'Front door'}  # the one in front\nlisten:\n"
    house.config.write_text(f"{mine}  rtsp_port: 9554\n  trusted_proxies: [10.0.0.9]\n")
    config = await prepared(house, supervisor)
    assert house.config.read_text().startswith(mine)
    assert config.listen.rtsp_port == 9554
    assert config.listen.trusted_proxies == ("10.0.0.9/32", "172.30.32.1/32", "172.30.32.2/32")
    once = house.config.read_text()
    await prepared(house, supervisor)
    assert house.config.read_text() == once, "a second start changes nothing"


async def test_a_changed_password_of_the_broker_is_taken_over(house: Any, supervisor: Supervisor) -> None:
    await prepared(house, supervisor)
    supervisor.broker = BROKER | {"password": "another", "host": "elsewhere"}
    config = await prepared(house, supervisor)
    assert (config.mqtt.host, config.mqtt.password.get_secret_value()) == ("elsewhere", "another")


@pytest.mark.parametrize("wanted", [True, False])
async def test_without_a_broker_what_was_written_about_it_stays(
    house: Any, supervisor: Supervisor, *, wanted: bool
) -> None:
    house.config.write_text("mqtt:\n  host: mine\n  username: me\n  password: own\n")
    choose(house.root, mqtt=wanted)
    if wanted:
        supervisor.broker = None
    config = await prepared(house, supervisor)
    assert (config.mqtt.host, config.mqtt.password.get_secret_value()) == ("mine", "own")
    assert supervisor.tokens == ({"Bearer t0ken"} if wanted else set())


async def test_recordings_go_to_the_chosen_folder(house: Any, supervisor: Supervisor) -> None:
    choose(house.root, recordings="share")
    config = await prepared(house, supervisor)
    assert config.recording.path == house.root / "share" / "livecam-nvr"
    # The service itself does not make folders below /media and /mnt.
    assert config.recording.path.is_dir()


@pytest.mark.parametrize("text", ["cameras: [", "just words", "- a\n- list\n", ""])
async def test_a_file_that_is_no_config_stays(
    house: Any, supervisor: Supervisor, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    house.config.write_text(text)
    await asyncio.to_thread(start.prepare, house, start.Supervisor(supervisor.url, "t0ken"))
    assert house.config.read_text() == text
    assert str(house.config) in capfd.readouterr().err


async def test_the_service_runs_and_home_assistant_is_told(house: Any, supervisor: Supervisor) -> None:
    ports = {name: free_port() for name in ("rtsp_port", "webrtc_port", "webrtc_udp_port", "hls_port")}
    camera = "{id: door, kind: test, size: 320x240, fps: 5, bitrate_kbps: 200}"
    lines = [f"  {name}: {port}" for name, port in ports.items()]
    house.config.write_text(
        "\n".join([f"cameras: [{camera}]", "media_server: {kind: gstreamer}", "listen:", *lines, ""])
    )
    supervisor.broker = None
    process = run(house, supervisor)
    try:
        await until(lambda: supervisor.discovered, "no word to Home Assistant")
        (said,) = supervisor.discovered
        assert said["service"] == "livecam_nvr"
        config = said["config"]
        assert (config["host"], config["port"], config["ssl"]) == ("127.0.0.1", house.port, False)
        status = await asyncio.to_thread(fetch, f"http://127.0.0.1:{house.port}/api/status", config["token"])
        assert [one["id"] for one in status["cameras"]] == ["door"]
        environment = Path(f"/proc/{process.pid}/environ").read_bytes()
        assert b"SUPERVISOR_TOKEN" not in environment
        file = house.data / "home-assistant-token"
        assert file.read_text() == config["token"]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with AccessStore(house.data / "access") as store:
            (token,) = store.tokens()
            assert (token.name, token.role, token.cameras) == ("home-assistant", Role.OPERATOR, None)
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, PATIENCE_S) == 0


def run(house: Any, supervisor: Supervisor) -> "subprocess.Popen[bytes]":
    """The script as the container starts it, but for folders, port and the Supervisor's address."""
    code = (
        "import sys; from pathlib import Path; import start;"
        "start.main(start.House(Path(sys.argv[1]), int(sys.argv[2])), start.Supervisor(sys.argv[3], 't0ken'))"
    )
    environment = os.environ | {"PYTHONPATH": f"{SCRIPT.parent}:{ROOT}", "SUPERVISOR_TOKEN": "t0ken"}
    arguments = [str(house.root), str(house.port), supervisor.url]
    return subprocess.Popen([sys.executable, "-c", code, *arguments], env=environment)


def fetch(url: str, token: str) -> Any:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        return json.load(answer)
