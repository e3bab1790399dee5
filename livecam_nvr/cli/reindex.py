"""`livecam-nvr reindex`: rebuilds the index from the recordings."""

import argparse
import sys

from livecam_nvr.cli import common, exit_codes

_MOST_ERRORS = 20


def add(commands: common.Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "reindex",
        help="rebuild the index from the recordings alone",
        description="Rebuilds the index of the recordings from the files alone: recordings and ledgers. The old "
        "index stays until the new one is complete. The service must be stopped.",
    )
    common.add_config_option(parser)
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Rebuilds it, and says what was found."""
    config = common.load(args)
    from livecam_nvr.cli.pass_progress import PassProgress  # noqa: PLC0415 - nor these for `--help`
    from livecam_nvr.storage.index.index import INDEX_NAME  # noqa: PLC0415
    from livecam_nvr.storage.index.reindex import reindex  # noqa: PLC0415

    common.keep_quiet()
    progress = PassProgress(sys.stderr)
    try:
        report = reindex(config.recording.path, config.data_dir / INDEX_NAME, progress)
    finally:
        progress.close()
    found = [f"{report.indexed} recordings"]
    found += [f"{n} {what}" for n, what in ((report.repaired, "of them repaired"),) if n]
    found.append(f"{report.entries} entries of the ledgers")
    print(f"The index is rebuilt: {', '.join(found)}.")
    others = (
        (report.set_aside, "set aside as .broken: nothing of them could be used"),
        (report.foreign, "named like recordings, but none of ours: left alone"),
        (report.damaged_lines, "damaged lines of ledgers left out"),
    )
    for count, what in others:
        if count:
            print(f"  {count} {what}")
    for words in report.errors[:_MOST_ERRORS]:
        print(f"  not read: {words}")
    if len(report.errors) > _MOST_ERRORS:
        print(f"  not read: {len(report.errors) - _MOST_ERRORS} more")
    return exit_codes.FAILED if report.errors else exit_codes.OK
