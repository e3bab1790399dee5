"""`livecam-nvr init-config`: writes the documented example."""

import argparse
import os
from importlib import resources
from pathlib import Path

from livecam_nvr.cli import common, exit_codes
from livecam_nvr.domain.errors import ErrorKind, LivecamError


def add(commands: common.Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "init-config",
        help="write a config file with every setting and its default",
        description="Writes a config file with every setting, its default and what it means.",
    )
    parser.add_argument(
        "path",
        metavar="PATH",
        type=Path,
        nargs="?",
        help="the file (default: config.yaml in the service's folder)",
    )
    parser.add_argument("--force", action="store_true", help="overwrite a file that is there")
    parser.set_defaults(execute=execute)


def example() -> bytes:
    """The documented example, the same bytes as `config.example.yaml`."""
    return (resources.files("livecam_nvr.config") / "static" / "config.example.yaml").read_bytes()


def execute(args: argparse.Namespace) -> int:
    """Writes the file."""
    path: Path = args.path or common.home() / "config.yaml"
    if path.is_dir():
        path /= "config.yaml"
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if args.force else os.O_EXCL)
    try:
        # Passwords will be written into it, so it is for its owner alone.
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)  # one that is overwritten keeps its mode otherwise
            file.write(example())
    except FileExistsError:
        raise LivecamError(
            ErrorKind.CONFLICT, f"{path} is already there", "edit it, or overwrite it with --force"
        ) from None
    except FileNotFoundError:
        raise LivecamError(
            ErrorKind.NOT_FOUND, f"there is no folder {path.parent}", f"make it first: mkdir -p {path.parent}"
        ) from None
    except OSError as error:
        raise LivecamError(
            ErrorKind.DISK,
            f"{path} cannot be written: {error.strerror}",
            "name a place that this user may write to",
        ) from None
    print(f"Wrote {path}. Every line is explained in it; `livecam-nvr validate` checks it after you edited it.")
    return exit_codes.OK
