"""`livecam-nvr version`."""

import argparse
import platform

from livecam_nvr import __version__
from livecam_nvr.cli import exit_codes
from livecam_nvr.cli.common import Commands


def add(commands: Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser("version", help="print the version", description="Prints the version.")
    parser.set_defaults(execute=execute)


def execute(_args: argparse.Namespace) -> int:
    """Prints the version."""
    print(f"livecam-nvr {__version__} (Python {platform.python_version()}, {platform.machine()})")
    return exit_codes.OK
