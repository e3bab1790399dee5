"""`livecam-nvr run`: the service."""

import argparse
import gc
from typing import TYPE_CHECKING

from livecam_nvr.cli import common, exit_codes
from livecam_nvr.cli.durations import parse_duration
from livecam_nvr.domain.errors import LivecamError

if TYPE_CHECKING:
    from livecam_nvr.domain.status import ServiceStatus


def add(commands: common.Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "run",
        help="run the service (the default)",
        description="Runs the service until Ctrl+C or SIGTERM, and says where to look.",
    )
    common.add_config_option(parser)
    parser.add_argument(
        "--duration", metavar="TIME", type=_duration, help="stop by itself after this time, e.g. 90s, 30m, 1h30m"
    )
    parser.add_argument(
        "--demo", action="store_true", help="let everybody in without signing in; only with test cameras"
    )
    parser.add_argument("--verbose", action="store_true", help="log every detail")
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Runs the service."""
    # What is imported now stays: looking through it for garbage, again and again, takes a fifteenth of the start.
    gc.disable()
    config = common.load(args)
    if args.demo:
        from livecam_nvr.cli.demo import demand_demo  # noqa: PLC0415 - seldom

        demand_demo(config)
    # The service itself is only imported for a config that is right.
    import asyncio  # noqa: PLC0415
    import logging  # noqa: PLC0415
    import socket  # noqa: PLC0415

    from livecam_nvr import app  # noqa: PLC0415
    from livecam_nvr.cli.banner import banner  # noqa: PLC0415
    from livecam_nvr.config.secrets import loose_secrets  # noqa: PLC0415
    from livecam_nvr.runtime.logs import setup_logs  # noqa: PLC0415

    gc.freeze()
    gc.enable()

    def show(status: "ServiceStatus", setup_code: str | None) -> None:
        text = banner(config, status, socket.gethostname(), setup_code=setup_code, demo=args.demo)
        print(text, flush=True)

    setup_logs(verbose=args.verbose)
    for loose in loose_secrets(common.config_file(args), config):
        logging.getLogger("livecam_nvr.config").warning("%s", loose)
    try:
        file = args.config or common.home() / "config.yaml"
        return asyncio.run(app.run(config, demo=args.demo, file=file, duration_s=args.duration, started=show))
    except KeyboardInterrupt:
        # Ctrl+C in the moment before the service listens to it: nothing is running yet.
        return exit_codes.OK


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except LivecamError as error:
        raise argparse.ArgumentTypeError(f"{error.message}; {error.hint}") from None
