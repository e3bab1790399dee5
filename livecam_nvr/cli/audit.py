"""`livecam-nvr audit`: who did what, from where."""

import argparse
import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from livecam_nvr.cli import common, exit_codes
from livecam_nvr.cli.durations import parse_duration
from livecam_nvr.core.access import AuditEntry, Deed
from livecam_nvr.domain.errors import LivecamError

if TYPE_CHECKING:
    from pathlib import Path

_USUAL: Final = 100
_PAGE: Final = 1000
_MOST: Final = 1_000_000
_NS: Final = 1_000_000_000


def add(commands: common.Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "audit",
        help="show who signed in, was refused, switched or deleted something",
        description="Shows sign-ins, refusals, and what was switched, exported and deleted, by whom and from "
        "where, the newest last. Times are local.",
    )
    common.add_config_option(parser)
    parser.add_argument(
        "--limit", metavar="N", type=_count, help=f"the newest so many (default: {_USUAL}, with --since: all)"
    )
    parser.add_argument("--since", metavar="TIME", type=_duration, help="so much up to now, such as 24h or 7d")
    deeds = [deed.value for deed in Deed]
    parser.add_argument(
        "--deed", metavar="DEED", choices=deeds, help="only this, such as sign_in, refused, recording or deletion"
    )
    parser.add_argument("--who", metavar="NAME", help='only what they did, such as anna or "token homeassistant"')
    parser.add_argument("--json", action="store_true", help="print JSON; times are UTC in nanoseconds")
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Reads the log's file, beside a running service or without one."""
    config = common.load(args)
    from livecam_nvr.cli.access_files import act_as_owner, audit_path  # noqa: PLC0415 - not for `--help`

    common.keep_quiet()
    act_as_owner(config.data_dir)
    since = None if args.since is None else time.time_ns() - round(args.since * _NS)
    deed = None if args.deed is None else Deed(args.deed)
    entries = _read(audit_path(config), limit=args.limit, since_utc_ns=since, deed=deed, who=args.who)
    if args.json:
        print(json.dumps({"entries": [as_json(entry) for entry in entries]}, indent=2))
    elif not entries:
        print("Nothing of that is in the audit log.")
    else:
        print("\n".join(line(entry) for entry in entries))
    return exit_codes.OK


def as_json(entry: AuditEntry) -> dict[str, Any]:
    """One entry for programs."""
    values = asdict(entry)
    client = values.pop("client")
    return {**values, "address": client["address"], "door": client["door"]}


def line(entry: AuditEntry) -> str:
    """One entry for people: local time and its zone, deed, who, from where, what."""
    when = datetime.fromtimestamp(entry.utc_ns / _NS, UTC).astimezone()
    times = f" x{entry.times}" if entry.times > 1 else ""
    failed = "" if entry.ok else "  FAILED" if entry.deed is not Deed.REFUSED else ""
    where = " ".join(part for part in (entry.client.door.value, entry.client.address) if part)
    what = ": ".join(part for part in (entry.target, entry.detail) if part)
    text = f"{when:%Y-%m-%d %H:%M:%S %Z}  {entry.deed.value + times:<14}  {entry.who:<20}  {where:<20}  {what}"
    return f"{text.rstrip()}{failed}"


def _read(
    path: "Path", *, limit: int | None, since_utc_ns: int | None, deed: Deed | None, who: str | None
) -> list[AuditEntry]:
    """The entries asked for, oldest first."""
    from livecam_nvr.access.audit import read_entries  # noqa: PLC0415 - see above

    if not path.exists():
        return []
    most = limit or (_USUAL if since_utc_ns is None else None)
    found: list[AuditEntry] = []
    before: int | None = None
    while True:
        wanted = _PAGE if most is None else min(_PAGE, most - len(found))
        page = read_entries(path, limit=wanted, before_utc_ns=before, deed=deed, who=who)
        found += [entry for entry in page if since_utc_ns is None or entry.utc_ns >= since_utc_ns]
        over = len(page) < wanted or (since_utc_ns is not None and page[-1].utc_ns < since_utc_ns)
        if over or (most is not None and len(found) >= most):
            return found[::-1]
        before = page[-1].utc_ns


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= _MOST):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {_MOST}")
    return int(text)


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except LivecamError as error:
        raise argparse.ArgumentTypeError(f"{error.message}; {error.hint}") from None
