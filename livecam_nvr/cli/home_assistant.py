"""`livecam-nvr home-assistant`: who brings it our entities; back to MQTT if its integration is gone."""

import argparse
import sys
from typing import TYPE_CHECKING, Any, Final

from livecam_nvr.cli import common, exit_codes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from livecam_nvr.config.models import Config
    from livecam_nvr.core.ports import Check

_PATIENCE_S: Final = 20.0
_TAKES_S: Final = 20.0
"""The service itself gives up telling its broker before that."""
_QUESTION: Final = """\
Home Assistant's integration has the entities. If it is still set up, delete its entry there instead (Settings,
Devices & services): then everything comes back over MQTT, with its history. While the integration is in place,
everything would be there twice, until it is reloaded.
"""


def add(commands: common.Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "home-assistant",
        help="tell how Home Assistant gets the entities, or give them back to MQTT",
        description="Tells who brings Home Assistant our entities, since when and by whom, whether the broker is "
        "connected, and whether the network is told of the service. With --carrier mqtt they are announced over "
        "MQTT again, for when Home Assistant's integration is simply gone.",
    )
    common.add_config_option(parser)
    parser.add_argument(
        "--carrier",
        metavar="WHO",
        choices=["mqtt"],
        help="mqtt: announce the entities over MQTT again; asks before",
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Tells, or changes it."""
    config = common.load(args)
    from livecam_nvr.cli.access_files import act_as_owner  # noqa: PLC0415 - nor these for `--help`

    common.keep_quiet()
    act_as_owner(config.data_dir)
    return _tell(config) if args.carrier is None else _give_back(config, asked=args.yes)


def _tell(config: "Config") -> int:
    import asyncio  # noqa: PLC0415

    from livecam_nvr.app.home_assistant_checks import AnnouncementCheck, CarrierCheck  # noqa: PLC0415
    from livecam_nvr.cli.examine import examine  # noqa: PLC0415
    from livecam_nvr.cli.running import running_service  # noqa: PLC0415
    from livecam_nvr.mqtt.checks import BrokerCheck  # noqa: PLC0415

    running = asyncio.run(running_service(config))
    if running is None:
        print("No livecam-nvr runs: this is how the next one will begin.")
    told = (running or {}).get("broker")
    broker = BrokerCheck(config.mqtt, config.node) if told is None else _Connection(told)
    broken = asyncio.run(examine([CarrierCheck(config), broker, AnnouncementCheck(config.listen)], _PATIENCE_S))
    return exit_codes.FAILED if broken else exit_codes.OK


class _Connection:
    """The broker, in the words of the service that runs (core.ports.SelfCheck)."""

    name = "MQTT broker"

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told

    async def check(self) -> "Sequence[Check]":
        """See SelfCheck."""
        from livecam_nvr.core.ports import Check  # noqa: PLC0415

        told = self._told
        if not told.get("configured"):
            return [Check(self.name, ok=True, found="none is configured")]
        if told.get("connected"):
            return [Check(self.name, ok=True, found=f"{told.get('address')}, connected")]
        fault = told.get("fault") or {}
        found = fault.get("message") or f"{told.get('address')} is not connected yet"
        return [Check(self.name, ok=False, found=found, mend=fault.get("hint", ""))]


def _give_back(config: "Config", *, asked: bool) -> int:
    import asyncio  # noqa: PLC0415
    import time  # noqa: PLC0415

    from livecam_nvr.cli import access_files  # noqa: PLC0415
    from livecam_nvr.cli.running import order_running  # noqa: PLC0415
    from livecam_nvr.core.access import Deed  # noqa: PLC0415
    from livecam_nvr.core.home_assistant import Carriage, Carrier  # noqa: PLC0415
    from livecam_nvr.storage.remembered.carriage import FILE_NAME, CarriageFile  # noqa: PLC0415

    file = CarriageFile(config.data_dir / FILE_NAME)
    if file.load().carrier is Carrier.MQTT:
        print("The entities are announced over MQTT already.")
        return exit_codes.OK
    if not (asked or _agreed()):
        print("Nothing was changed.")
        return exit_codes.FAILED
    order = {"carrier": Carrier.MQTT.value}
    path = "/api/home-assistant"
    answer = asyncio.run(order_running(config, path, order, name="home-assistant-command", patience_s=_TAKES_S))
    if answer is None:
        file.save(Carriage(Carrier.MQTT, time.time_ns(), access_files.person()))
        access_files.note(config, Deed.HOME_ASSISTANT, "", Carrier.MQTT.value)
    when = "from now on" if answer is not None else "as soon as livecam-nvr runs"
    print(f"The entities are announced over MQTT {when}.")
    if not config.mqtt.host:
        print("There is no broker in the config: name one (mqtt.host), or Home Assistant gets no entities.")
    return exit_codes.OK


def _agreed() -> bool:
    """Asks at the terminal; raises LivecamError INVALID if there is none."""
    from livecam_nvr.domain.errors import ErrorKind, LivecamError  # noqa: PLC0415

    if not sys.stdin.isatty():
        raise LivecamError(
            ErrorKind.INVALID,
            "there is no terminal to ask whether the integration is gone from Home Assistant",
            "if it is: --yes; if it is not, delete its entry there, which gives the entities back by itself",
        )
    print(_QUESTION)
    try:
        return input("Announce over MQTT all the same? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
