"""What several commands share: the config option, and where the config is looked for."""

import argparse
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from livecam_nvr.config.models import Config

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001
"""What `add_subparsers` returns; argparse has no public name for it."""

HOME_VARIABLE = "LIVECAM_NVR_HOME"
"""Environment variable that names the service's folder; the launcher sets it."""


def add_config_option(parser: argparse.ArgumentParser) -> None:
    """`--config FILE`."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        help="the config file (default: config.yaml in the service's folder; without one, two test cameras)",
    )


def home() -> Path:
    """The service's folder: for config.yaml and, without a config file, for recordings and data."""
    return Path(os.environ.get(HOME_VARIABLE) or ".").absolute()


def config_file(args: argparse.Namespace) -> Path | None:
    """The file that `load` reads; None if there is none."""
    default = home() / "config.yaml"
    return args.config or (default if default.exists() else None)


def keep_quiet() -> None:
    """For commands that tell by themselves what they find: drops the parts' log lines, which say the same."""
    logging.getLogger("livecam_nvr").addHandler(logging.NullHandler())


def counted(number: int, what: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def load(args: argparse.Namespace) -> "Config":
    """The config that the arguments ask for; raises ConfigErrors."""
    from livecam_nvr.config.load import load_config  # noqa: PLC0415 - pydantic is not for `--help`

    return load_config(args.config, home())
