"""Starts the service inside Home Assistant: writes what only the Supervisor knows into its config, and hands over.

`/config/config.yaml` belongs to whoever runs the app, and the page's settings change it. At each start only those
keys are set in it that the app decides: where it listens, where data and recordings are, and with the option
`mqtt` the broker that the Supervisor names. Everything else, comments included, stays.

The Supervisor's API: https://developers.home-assistant.io/docs/api/supervisor/endpoints
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livecam_nvr.config import editing, values
from livecam_nvr.config.source import parse
from livecam_nvr.domain.errors import LivecamError

SUPERVISOR = "http://supervisor"
SERVICE = [sys.executable, "-P", "-m", "livecam_nvr"]
TOKEN_NAME = "home-assistant"  # noqa: S105 - its name, not the token
# Home Assistant and its Supervisor, through which the page comes (supervisor/const.py: 172.30.32.0/23).
_INGRESS = ("172.30.32.1", "172.30.32.2")
_TOKENS = {"SUPERVISOR_TOKEN", "HASSIO_TOKEN"}
_ANSWER_S = 10.0
_UP_S = 120.0
_BROKER_KEYS = {"host", "port", "tls", "username", "password", "password_file"}
_NEW = """\
# The config of livecam-nvr. The page's settings change it, too. At each start the app sets `listen.address`,
# `listen.http_port`, `listen.trusted_proxies`, `data_dir`, `recording.path`, and with its option `mqtt` the
# broker's address and sign-in; everything else is yours. Without `cameras` there are two test cameras.
node:
  id: livecam
  name: livecam-nvr
"""


@dataclass(frozen=True, slots=True)
class House:
    """What is around the service: the folders that the Supervisor mounts, and the page's port."""

    root: Path = Path("/")
    port: int = 8001
    """Where the Supervisor's ingress asks (`ingress_port` in the app's config.yaml)."""

    @property
    def data(self) -> Path:
        """For the app alone; in its backups."""
        return self.root / "data"

    @property
    def config(self) -> Path:
        """The config file, where people can edit it; in its backups."""
        return self.root / "config" / "config.yaml"

    @property
    def options(self) -> dict[str, Any]:
        """What was chosen for the app, checked by the Supervisor against the schema of config.yaml."""
        chosen: dict[str, Any] = json.loads((self.data / "options.json").read_text())
        return chosen


class Supervisor:
    """Its API, as far as an app without rights may ask it."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token

    def broker(self) -> dict[str, Any] | None:
        """`{"host", "port", "ssl", "username", "password"}` of Home Assistant's broker; None if there is none."""
        return self._ask("/services/mqtt", None)

    def announce(self, found: dict[str, Any]) -> bool:
        """Tells Home Assistant that its integration can be set up with this. Says so if it did not work."""
        return self._ask("/discovery", {"service": "livecam_nvr", "config": found}) is not None

    def _ask(self, path: str, body: dict[str, Any] | None) -> dict[str, Any] | None:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self._url + path, data, headers)  # noqa: S310 - always http
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_S) as answer:  # noqa: S310
                said = json.load(answer)
        except urllib.error.HTTPError as error:
            # A service that nobody provides is answered with 400.
            say(f"the Supervisor answers {error.code} to {path}")
            return None
        except (OSError, ValueError) as error:
            say(f"the Supervisor did not answer to {path}: {error}")
            return None
        told: dict[str, Any] | None = said.get("data") if isinstance(said, dict) else None
        return told


def say(line: str) -> None:
    """Into the app's log."""
    print(f"app: {line}", file=sys.stderr, flush=True)


def prepare(house: House, supervisor: Supervisor) -> None:
    """Brings config.yaml up to date. A file with mistakes stays as it is: the service then tells all of them."""
    house.config.parent.mkdir(parents=True, exist_ok=True)
    text = house.config.read_text() if house.config.exists() else _NEW
    source = parse(text, str(house.config))
    if source.mistakes or not isinstance(source.data, dict):
        say(f"{house.config} cannot be read as settings and stays as it is")
        return
    config = values.pruned(values.typed(source.data))
    options = house.options
    own(config, house, options)
    if options["mqtt"] and (broker := supervisor.broker()):
        use_broker(config, house, broker)
    try:
        new = editing.edited(text, config)
    except LivecamError as error:
        say(f"{house.config} stays as it is: {error.message}")
        return
    if new != text or not house.config.exists():
        # It may hold passwords of cameras.
        replace(house.config, new)


def own(config: dict[str, Any], house: House, options: dict[str, Any]) -> None:
    """What does not depend on the broker."""
    config["data_dir"] = str(house.data)
    listen = config.setdefault("listen", {})
    # Other machines watch by RTSP and WebRTC; everybody has to sign in all the same.
    listen["address"] = "0.0.0.0"  # noqa: S104
    listen["http_port"] = house.port
    proxies = listen.get("trusted_proxies") or []
    listen["trusted_proxies"] = [*proxies, *(one for one in _INGRESS if one not in proxies)]
    recordings = house.root / options["recordings"] / "livecam-nvr"
    # Below /media the service waits for a disk rather than making a folder. Here nothing is missing if it is not
    # there: where network storage of that name is away, the Supervisor puts a folder that nobody can write to.
    recordings.mkdir(exist_ok=True)
    config.setdefault("recording", {})["path"] = str(recordings)


def use_broker(config: dict[str, Any], house: House, broker: dict[str, Any]) -> None:
    """The Supervisor's broker; its password stands in a file of its own, as it may change."""
    known = {"host": broker["host"], "port": int(broker["port"]), "tls": bool(broker.get("ssl"))}
    if broker.get("username"):
        known["username"] = broker["username"]
    if broker.get("password"):
        file = house.data / "mqtt-password"
        replace(file, broker["password"])
        known["password_file"] = str(file)
    kept = {key: value for key, value in config.get("mqtt", {}).items() if key not in _BROKER_KEYS}
    config["mqtt"] = kept | known


def replace(file: Path, text: str) -> None:
    """Writes a file that nobody else may read, whole or not at all."""
    new = file.with_name(f"{file.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    new.replace(file)


def token(house: House) -> str | None:
    """The integration's token, made at the first start; None if it cannot be made, which is said.

    It is made once: whoever removes it (`token remove`) does not get it back at the next start.
    """
    file = house.data / "home-assistant-token"
    if file.exists():
        return file.read_text().strip()
    command = [*SERVICE, "token", "add", "--name", TOKEN_NAME, "--role", "operator", "--config", str(house.config)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        say(f"no token for Home Assistant: {made.stderr.strip()}")
        return None
    secret = made.stdout.strip()
    replace(file, secret)
    return secret


def announce(house: House, supervisor: Supervisor) -> None:
    """Waits until the service answers, and tells Home Assistant where it is."""
    if not (secret := token(house)):
        return
    end = time.monotonic() + _UP_S
    while not lets_in(house.port, secret):
        if time.monotonic() > end:
            say("the service does not let Home Assistant's token in; Home Assistant is not told of it")
            return
        time.sleep(0.5)
    # Home Assistant and the app share the host's network.
    supervisor.announce({"host": "127.0.0.1", "port": house.port, "ssl": False, "token": secret})


def lets_in(port: int, secret: str) -> bool:
    """Whether the service is up and knows the token."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/status", headers={"Authorization": f"Bearer {secret}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - always http
            return bool(answer.status == 200)  # noqa: PLR2004
    except OSError:
        return False


def main(house: House, supervisor: Supervisor) -> None:
    """Becomes the service; beside it, a child tells Home Assistant as soon as it is up."""
    os.umask(0o027)
    prepare(house, supervisor)
    if os.fork() == 0:
        announce(house, supervisor)
        os._exit(0)
    # The service needs no rights at the Supervisor.
    environment = {name: value for name, value in os.environ.items() if name not in _TOKENS}
    os.execve(sys.executable, [*SERVICE, "run", "--config", str(house.config)], environment)


if __name__ == "__main__":
    main(House(), Supervisor(SUPERVISOR, os.environ["SUPERVISOR_TOKEN"]))
