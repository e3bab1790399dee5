"""What the service tells the network and the status of itself, from the composition's own parts."""

import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from livecam_nvr.app.home_assistant import HomeAssistant
from livecam_nvr.config.models import Config, ListenConfig
from livecam_nvr.core.bus import EventBus
from livecam_nvr.runtime.clock import SystemClock

FOREIGN = "198.51.100.7"  # nobody's (RFC 5737): nothing can be sent from there


async def made(folder: Path, stack: AsyncExitStack, listen: ListenConfig, *, demo: bool = False) -> HomeAssistant:
    home = HomeAssistant(Config(data_dir=folder, listen=listen), EventBus(), SystemClock(), demo=demo)
    await home.load(stack)
    stack.push_async_callback(home.disconnect)
    return home


@pytest.mark.parametrize(
    ("listen", "demo", "announced"),
    [
        (ListenConfig(address=FOREIGN), False, True),
        (ListenConfig(address=FOREIGN), True, False),
        (ListenConfig(address=FOREIGN, announce=False), False, False),
        (ListenConfig(), False, False),
        (ListenConfig(address="::1"), False, False),
    ],
)
async def test_when_the_network_is_told(tmp_path: Path, listen: ListenConfig, demo: bool, announced: bool) -> None:
    async with AsyncExitStack() as stack:
        home = await made(tmp_path, stack, listen, demo=demo)
        home.announce()
        assert (home._announcement is not None) is announced


async def test_an_installation_whose_id_cannot_be_kept_runs_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "install-id").mkdir()
    async with AsyncExitStack() as stack:
        home = await made(tmp_path, stack, ListenConfig(address=FOREIGN))
        assert home.install_id == ""
        home.announce()
        assert home._announcement is None
    assert "the installation's id cannot be kept" in caplog.text


def test_nobody_pays_for_what_is_not_used() -> None:
    heavy = "{'zeroconf', 'paho', 'aiomqtt'}"
    code = f"import sys, livecam_nvr.app; print(sorted({heavy} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
