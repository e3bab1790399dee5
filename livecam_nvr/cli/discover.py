"""`livecam-nvr discover`: finds the cameras in the network, and says what to write into the config."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from livecam_nvr.cli import common, exit_codes
from livecam_nvr.domain.errors import ErrorKind, LivecamError

if TYPE_CHECKING:
    from livecam_nvr.cli.found_cameras import Seen

PASSWORD_VARIABLE = "LIVECAM_NVR_CAMERA_PASSWORD"  # noqa: S105 - the name of it
"""Environment variable with the password, if no file is named."""
_BOUNDS_S = (0.2, 60.0)
_NOTHING = """No camera answered.
  Are the cameras in the same network as this machine? The search does not pass routers, nor a wireless network
  that keeps its guests apart, nor a container without the host's network.
  Is ONVIF switched on in the cameras? Many have it off at first, and want an ONVIF user of its own.
  A camera whose address you know can be asked directly: livecam-nvr discover --address 192.168.1.20"""


def add(commands: common.Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "discover",
        help="find the cameras in the network, and what to write into the config for them",
        description="Finds the cameras in the network by ONVIF and prints what to write into the config for them. "
        "Changes nothing.",
    )
    parser.add_argument("--user", metavar="NAME", help="the cameras' user, to be told their streams")
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        type=Path,
        help=f"a file with the user's password (default: {PASSWORD_VARIABLE} in the environment, or a question)",
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=4.0,
        help="how long to search (default: 4)",
    )
    parser.add_argument(
        "--address",
        metavar="HOST",
        nargs="+",
        help="ask these cameras instead of searching, e.g. 192.168.1.20:8080",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Progress goes to stderr, what was found to stdout."""
    password = _password(args.password_file) if args.user else ""
    if args.password_file and not args.user:
        raise LivecamError(ErrorKind.CONFIG, "--password-file needs --user", "whose password is it?")
    import asyncio  # noqa: PLC0415 - nor these for `--help`

    from livecam_nvr.cli import found_cameras  # noqa: PLC0415
    from livecam_nvr.cli.ask_cameras import check_credentials  # noqa: PLC0415

    check_credentials(args.user or "", password)
    seen = asyncio.run(_look(args, args.user or "", password))
    if args.json:
        print(found_cameras.as_json(seen))
    elif seen:
        print(found_cameras.as_text(seen, asked_as=args.user or ""))
    if any(camera.is_camera for camera in seen):
        return exit_codes.OK
    if not args.address:
        print(_NOTHING, file=sys.stderr)
    return exit_codes.FAILED


async def _look(args: argparse.Namespace, user: str, password: str) -> "list[Seen]":
    from livecam_nvr.cli.ask_cameras import ask_all, at_address  # noqa: PLC0415 - see above
    from livecam_nvr.onvif.discovery import discover  # noqa: PLC0415

    if args.address:
        found = [at_address(word) for word in args.address]
    else:
        _tell(f"searching the network for cameras, {args.timeout:g} s ...")
        found = await discover(args.timeout, on_found=lambda camera: _tell(f"  {camera.host} {camera.name}"))
    if found:
        _tell("asking for their streams ...")
    return await ask_all(found, user, password)


def _tell(words: str) -> None:
    print(words.rstrip(), file=sys.stderr, flush=True)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    least, most = _BOUNDS_S
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from {least:g} to {most:g}")
    return value


def _password(file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text("utf-8").partition("\n")[0].rstrip("\r")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise LivecamError(
                ErrorKind.CONFIG, f"cannot read {file}: {reason}", "the password stands in its first line"
            ) from None
    if (password := os.environ.get(PASSWORD_VARIABLE)) is not None:
        return password
    if not sys.stdin.isatty():
        raise LivecamError(
            ErrorKind.CONFIG, "--user needs a password", f"name a --password-file, or set {PASSWORD_VARIABLE}"
        )
    import getpass  # noqa: PLC0415 - for people at a terminal

    return getpass.getpass("the cameras' password: ")
