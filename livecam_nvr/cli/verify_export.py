"""`livecam-nvr verify-export` and `livecam-nvr key`: whether an export is what it was, and who signed it."""

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from livecam_nvr.cli import common, exit_codes
from livecam_nvr.domain.errors import ErrorKind, LivecamError

if TYPE_CHECKING:
    from livecam_nvr.storage.evidence.proof import Verdict

_MOST_GAPS = 20
_NS = 1_000_000_000


def add(commands: common.Commands) -> None:
    """Adds both commands."""
    parser = commands.add_parser(
        "verify-export",
        help="tell whether an exported video is whole and unchanged",
        description="Tells whether an exported video is whole and unchanged, who signed it, what it was made of, "
        "and what it lacks. Needs nothing but the file.",
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the exported video")
    parser.add_argument(
        "--key", metavar="FINGERPRINT", help="demand that this key has signed it (see `livecam-nvr key`)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.set_defaults(execute=_verify)
    key = commands.add_parser(
        "key",
        help="print the fingerprint of the key that signs exports",
        description="Prints the fingerprint of the key that this installation signs its exports with. Hand it to "
        "whoever has to trust them.",
    )
    common.add_config_option(key)
    key.set_defaults(execute=_key)


def _verify(args: argparse.Namespace) -> int:
    from livecam_nvr.cli.progress import ProgressBar  # noqa: PLC0415 - not for `--help`
    from livecam_nvr.storage.evidence.proof import examine  # noqa: PLC0415

    progress = ProgressBar(sys.stderr)
    try:
        verdict = examine(args.file, progress)
    except OSError as error:
        words = f"{args.file} cannot be read: {error.strerror or error}"
        raise LivecamError(ErrorKind.NOT_FOUND, words, "name the exported video itself") from error
    finally:
        progress.close()
    known = args.key is None or _same(args.key, verdict.fingerprint)
    print(_as_json(verdict, known=known) if args.json else _in_words(args.file, verdict, args.key, known=known))
    return exit_codes.OK if verdict.whole and known else exit_codes.FAILED


def _key(args: argparse.Namespace) -> int:
    config = common.load(args)
    from livecam_nvr.storage.evidence.signing import fingerprint, public_bytes, signing_key  # noqa: PLC0415

    print(fingerprint(public_bytes(signing_key(config.data_dir))))
    return exit_codes.OK


def _same(asked: str, fingerprint: str) -> bool:
    return asked.replace("-", "").strip().lower() == fingerprint.replace("-", "")


def _as_json(verdict: "Verdict", *, known: bool) -> str:
    statement = {key: value for key, value in verdict.statement.items() if key not in {"chain", "chain_before"}}
    return json.dumps(
        {
            "whole": verdict.whole,
            "key_matches": known,
            "problems": verdict.problems,
            "doubts": verdict.doubts,
            "fingerprint": verdict.fingerprint,
            "statement": statement,
        },
        indent=2,
    )


def _in_words(file: Path, verdict: "Verdict", key: str | None, *, known: bool) -> str:
    lines = [f"{file.name}: {'whole and unchanged' if verdict.whole else 'NOT what was exported'}"]
    lines += [f"  {problem}" for problem in verdict.problems]
    lines += [f"  note: {doubt}" for doubt in verdict.doubts]
    if key is not None and not known:
        lines.append(f"  it was signed with another key: {verdict.fingerprint}")
    elif key is not None:
        lines.append(f"  signed with the key {verdict.fingerprint}, as asked for")
    else:
        lines.append(f"  signed with the key {verdict.fingerprint}")
        lines.append("  compare that with what `livecam-nvr key` says where it was recorded")
    report = verdict.statement.get("report")
    return "\n".join([*lines, *_report(report if isinstance(report, Mapping) else {}, verdict.statement)])


def _report(report: Mapping[str, Any], statement: Mapping[str, Any]) -> list[str]:
    segments = report.get("segments") or ()
    gaps = report.get("gaps") or ()
    lines = [f"  exported {_moment(statement.get('made_utc_ns'))}"]
    if report.get("from_utc_ns") is not None:
        cameras = ", ".join(map(str, report.get("cameras", ()))) or "unknown"
        begin, end = _moment(report["from_utc_ns"]), _moment(report.get("to_utc_ns"))
        lines.append(f"  cameras: {cameras}; {begin} to {end}")
    lines.append(f"  made of {common.counted(len(segments), 'recorded file')}, {common.counted(len(gaps), 'gap')}")
    for gap in list(gaps)[:_MOST_GAPS]:
        gone_ns = int(gap.get("end_utc_ns", 0)) - int(gap.get("begin_utc_ns", 0))
        words = gap.get("text") or gap.get("words") or "no cause on record"
        lines.append(f"  gap: {_moment(gap.get('begin_utc_ns'))}, {gone_ns / _NS:.1f} s: {words}")
    if len(gaps) > _MOST_GAPS:
        lines.append(f"  … and {len(gaps) - _MOST_GAPS} more gaps (--json lists them all)")
    return lines


def _moment(utc_ns: object) -> str:
    if not isinstance(utc_ns, int):
        return "at an unknown time"
    return f"{datetime.fromtimestamp(utc_ns / _NS, UTC):%Y-%m-%d %H:%M:%S} UTC"
