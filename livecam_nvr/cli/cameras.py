"""`livecam-nvr cameras`: what cameras this machine has, what they can do, and what to write into the config."""

import argparse
import sys
from pathlib import Path

from livecam_nvr.cli import common, exit_codes


def add(commands: common.Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "cameras",
        help="list the cameras of this machine, and what to write into the config for them",
        description="Lists the USB cameras of this machine and those at the Raspberry Pi's own connectors, with "
        "what they can do and what to write into the config for them. Changes nothing.",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument(
        "--snapshots",
        metavar="DIR",
        type=Path,
        help="take a picture of each camera that nobody uses, as a JPEG file in this folder",
    )
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Progress goes to stderr, what was found to stdout."""
    import asyncio  # noqa: PLC0415 - nor these for `--help`

    from livecam_nvr.cli import camera_report, local_cameras  # noqa: PLC0415

    common.keep_quiet()
    found = asyncio.run(local_cameras.look(_say, args.snapshots))
    if args.json:
        print(camera_report.as_json(found))
    else:
        print(camera_report.as_text(found))
    if found.cameras:
        return exit_codes.OK
    print(camera_report.NOTHING, file=sys.stderr)
    return exit_codes.FAILED


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
