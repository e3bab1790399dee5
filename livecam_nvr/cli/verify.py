"""`livecam-nvr verify`: compares the recordings with the index, and repairs what can be."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from livecam_nvr.cli import common, exit_codes

if TYPE_CHECKING:
    from livecam_nvr.storage.index.findings import Finding, VerifyReport

_MOST_LINES = 20
_GB = 1_000_000_000


def add(commands: common.Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "verify",
        help="check that the recordings and the index are whole",
        description="Compares every recording with the index, both ways, and says what is missing, unfinished, "
        "damaged or foreign. Changes nothing without --repair, and may run while the service runs: files that are "
        "being written are left out then. The exit status is 0 only if all is well.",
    )
    common.add_config_option(parser)
    parser.add_argument(
        "--full", action="store_true", help="look at every box and count every picture, not only sizes and labels"
    )
    parser.add_argument(
        "--repair",
        action="store_true",
        help="mend recordings in place, and put the index right; the service must be stopped",
    )
    parser.add_argument("--camera", metavar="ID", default="", help="only this camera's recordings")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Examines everything, and says what was found."""
    config = common.load(args)
    from livecam_nvr.cli.pass_progress import PassProgress  # noqa: PLC0415 - nor these for `--help`
    from livecam_nvr.runtime.clock import SystemClock  # noqa: PLC0415
    from livecam_nvr.storage.index.index import INDEX_NAME  # noqa: PLC0415
    from livecam_nvr.storage.index.verify import Order, verify  # noqa: PLC0415

    common.keep_quiet()
    order = Order(
        config.recording.path,
        config.data_dir / INDEX_NAME,
        full=args.full,
        repair=args.repair,
        camera=args.camera,
    )
    progress = PassProgress(sys.stderr)
    try:
        report = verify(order, SystemClock().utc_ns, progress)
    finally:
        progress.close()
    if args.json:
        print(json.dumps(as_json(report)))
    else:
        print("\n".join(in_words(report, repair=args.repair)))
    return exit_codes.OK if report.ok else exit_codes.FAILED


def as_json(report: "VerifyReport") -> dict[str, Any]:
    """The report for programs."""
    return {
        "ok": report.ok,
        "full": report.full,
        "service_running": report.running,
        "files": report.files,
        "bytes": report.bytes,
        "frames": report.frames,
        "rows": report.rows,
        "being_written": report.writing,
        "counts": {kind.value: count for kind, count in report.counts.items()},
        "findings": [
            {"kind": found.kind.value, "path": found.path, "words": found.words, "repaired": found.repaired}
            for found in report.findings
        ],
    }


def in_words(report: "VerifyReport", *, repair: bool) -> list[str]:
    """The report for people: a few lines for each kind."""
    lines: list[str] = []
    for kind, count in report.counts.items():
        lines.append(f"{kind.value.replace('_', ' ')}: {count}{'' if not kind.harmless else ' (harmless)'}")
        lines += _lines([found for found in report.findings if found.kind is kind])
    looked = f"{report.files} files with {report.frames} pictures, {_size(report.bytes)}"
    if report.running:
        looked += f"; a service is recording, {common.counted(report.writing, 'file')} being written left out"
    lines.append(f"looked at {'every picture of ' if report.full else ''}{looked}")
    wrong = sum(not found.kind.harmless for found in report.findings)
    left = sum(not (found.kind.harmless or found.repaired) for found in report.findings)
    if not wrong:
        lines.append("all is well")
    elif not left:
        lines.append("all that was wrong is repaired")
    else:
        hint = "" if repair else "; --repair mends what can be mended (with the service stopped)"
        if any(found.kind.value == "altered" for found in report.findings):
            hint += "; what was altered cannot be mended: it stays so until it is deleted"
        lines.append(
            f"{left} of {common.counted(wrong, 'thing')} wrong{hint}"
            if repair
            else f"{common.counted(left, 'thing')} wrong{hint}"
        )
    return lines


def shown(text: str) -> str:
    """A line for the terminal: names of foreign files may hold line ends, control codes, any bytes."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )


def _size(number: int) -> str:
    return f"{number / _GB:.1f} GB" if number >= _GB else f"{number / 1e6:.1f} MB"


def _lines(found: Sequence["Finding"]) -> list[str]:
    lines = [
        shown(f"  {'repaired: ' if item.repaired else ''}{item.path}{': ' if item.path else ''}{item.words}")
        for item in found[:_MOST_LINES]
    ]
    return [*lines, f"  and {len(found) - _MOST_LINES} more"] if len(found) > _MOST_LINES else lines
