"""`livecam-nvr token add|list|remove`: what machines come with instead of a user and password."""

import argparse
import json
import socket
import sys
import time
from dataclasses import asdict
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import quote

from livecam_nvr.cli import common, exit_codes
from livecam_nvr.cli.coverage import moment
from livecam_nvr.cli.durations import parse_duration
from livecam_nvr.cli.tables import table
from livecam_nvr.cli.user import ROLES
from livecam_nvr.core.access import Deed, NewToken, TokenInfo
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.errors import ErrorKind, LivecamError

if TYPE_CHECKING:
    from livecam_nvr.config.models import Config

_NS = 1_000_000_000


def add(commands: common.Commands) -> None:
    """Adds the command and its three."""
    parser = commands.add_parser(
        "token",
        help="add, list and remove tokens for machines",
        description="Tokens are for machines, such as Home Assistant, Frigate or a script: each has a role, and "
        "may be limited to cameras and in time. Works beside a running service, which notices within a second.",
    )
    three = parser.add_subparsers(title="commands", metavar="COMMAND", dest="what", required=True)
    make = three.add_parser(
        "add",
        help="add a token",
        description="Adds a token and prints it to stdout, this once: only its hash is kept. Examples go "
        "to stderr.",
    )
    common.add_config_option(make)
    make.add_argument("--name", metavar="NAME", required=True, help="what it is for, such as homeassistant")
    make.add_argument(
        "--role",
        metavar="ROLE",
        choices=[role.value for role in Role],
        default=Role.VIEWER.value,
        help=f"{ROLES} (default: viewer)",
    )
    make.add_argument("--camera", metavar="ID", action="append", help="only this camera; repeatable")
    make.add_argument(
        "--expires",
        metavar="TIME",
        help="after so long, as 90d, or when, as 2027-01-01 (default: never)",
    )
    make.set_defaults(execute=_add)
    listing = three.add_parser(
        "list",
        help="list the tokens",
        description="Lists the tokens, with role, cameras, when they end and when they were last used.",
    )
    common.add_config_option(listing)
    listing.add_argument("--json", action="store_true", help="print JSON; times are UTC in nanoseconds")
    listing.set_defaults(execute=_list)
    remove = three.add_parser(
        "remove", help="remove a token", description="Removes a token; whatever runs on it ends within seconds."
    )
    remove.add_argument("name", metavar="NAME", help="the token's name, or its id in `token list --json`")
    common.add_config_option(remove)
    remove.set_defaults(execute=_remove)


def _add(args: argparse.Namespace) -> int:
    config = common.load(args)
    from livecam_nvr.cli import access_files  # noqa: PLC0415 - nor this for `--help`

    common.keep_quiet()
    cameras = access_files.known_cameras(config, args.camera)
    expires = None if args.expires is None else end_of(args.expires, time.time_ns())
    with access_files.opened_store(config) as store:
        made = store.add_token(args.name, Role(args.role), cameras, expires)
        rights = access_files.rights(made.info.role, made.info.cameras)
        until = f", until {access_files.local(expires)}" if expires else ""
        access_files.note(config, Deed.TOKEN, made.info.name, f"added: {rights}{until}")
    print(f"The token {made.info.name}: {rights}{until}. It is shown only now:\n", file=sys.stderr)
    print(made.secret, flush=True)
    # Where stdout is caught by a script, stderr may well end up in a log.
    shown = made.secret if sys.stdout.isatty() else "TOKEN"
    print(f"\n{examples(config, made, shown)}", file=sys.stderr)
    return exit_codes.OK


def _list(args: argparse.Namespace) -> int:
    config = common.load(args)
    from livecam_nvr.cli import access_files  # noqa: PLC0415

    common.keep_quiet()
    with access_files.opened_store(config) as store:
        tokens = store.tokens()
    if args.json:
        print(json.dumps({"tokens": [asdict(token) for token in tokens]}, indent=2))
    elif not tokens:
        print("There are no tokens: livecam-nvr token add --name NAME --role viewer")
    else:
        now = time.time_ns()
        rows = [_row(token, now) for token in tokens]
        print("\n".join(table(("NAME", "ROLE", "CAMERAS", "ADDED", "ENDS", "LAST USED", "FROM"), rows)))
    return exit_codes.OK


def _row(token: TokenInfo, now_utc_ns: int) -> tuple[str, ...]:
    from livecam_nvr.cli.access_files import cameras_in_words, local  # noqa: PLC0415

    end = token.expires_utc_ns
    over = " (over)" if end is not None and end <= now_utc_ns else ""
    return (
        token.name,
        token.role.value,
        cameras_in_words(token.cameras),
        local(token.created_utc_ns),
        f"{local(end)}{over}",
        local(token.last_used_utc_ns),
        token.last_address,
    )


def _remove(args: argparse.Namespace) -> int:
    config = common.load(args)
    from livecam_nvr.cli import access_files  # noqa: PLC0415

    common.keep_quiet()
    with access_files.opened_store(config) as store:
        removed = store.remove_token(args.name)
        access_files.note(config, Deed.TOKEN, removed.name, "removed")
    print(f"The token {removed.name} is removed.")
    return exit_codes.OK


def end_of(text: str, now_utc_ns: int) -> int:
    """When a token ends, UTC in nanoseconds: `90d` from now, or a moment as people write it.

    Raises:
        LivecamError: INVALID if it is neither, or past.
    """
    word = text.strip()
    try:
        # A date has a dash in it, a duration has none.
        end = moment(word) if "-" in word else now_utc_ns + round(parse_duration(word) * _NS)
    except LivecamError as error:
        raise LivecamError(error.kind, error.message, "write it like 90d or 2027-01-01") from None
    if end <= now_utc_ns:
        raise LivecamError(ErrorKind.INVALID, f"{text} is past", "a token that is over is of no use")
    return end


def examples(config: "Config", made: NewToken, secret: str) -> str:
    """How to use a token, with addresses of this installation."""
    listen = config.listen
    address = ip_address(listen.address)
    host = socket.gethostname() if address.is_unspecified else str(address)
    host = f"[{host}]" if ":" in host else host
    camera = made.info.cameras[0] if made.info.cameras else config.cameras[0].id
    encrypted = config.tls.only
    rtsp, port = ("rtsps", listen.rtsps_port) if encrypted else ("rtsp", listen.rtsp_port)
    page = f"{'https' if config.tls.enabled else 'http'}://{host}:{listen.http_port}"
    # Only letters, digits, - and _ make up a token: none of them is written otherwise in an address.
    return "\n".join(
        (
            f"RTSP:    {rtsp}://{quote(made.info.name, safe='')}:{secret}@{host}:{port}/{camera}",
            f'HTTP:    curl -H "Authorization: Bearer {secret}" {page}/api/status',
            "Remove:  livecam-nvr token remove " + made.info.name,
        )
    )
