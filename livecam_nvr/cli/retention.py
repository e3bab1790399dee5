"""`livecam-nvr retention`: what the archive holds, for how long, and what limits would delete."""

import argparse
import time

from livecam_nvr.cli import common, exit_codes


def add(commands: common.Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "retention",
        help="show how long recordings are kept, and what limits would delete",
        description="Shows what the archive holds, how many days of recordings the disk holds with the limits of "
        "the config at the present rate, and when it will be full. Deletes nothing: the service does that.",
    )
    common.add_config_option(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="show, too, what would be deleted now, and for which limit"
    )
    parser.add_argument(
        "--camera", metavar="ID", help="the limits below are for this camera's own recordings (default: for all)"
    )
    parser.add_argument("--max-age-days", metavar="N", help="a limit in place of the config's, such as 14")
    parser.add_argument("--event-max-age-days", metavar="N", help="the same for recordings of events, such as 60")
    parser.add_argument("--max-size", metavar="SIZE", help="a limit in place of the config's, such as 200GB")
    parser.add_argument("--keep-free", metavar="SIZE", help="a limit in place of the config's, such as 20GB")
    parser.add_argument("--json", action="store_true", help="print JSON, as GET /api/retention answers")
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Asks the index's file, beside a running service or without one, and prints the answer."""
    config = common.load(args)
    import asyncio  # noqa: PLC0415 - nor these for `--help`
    import json  # noqa: PLC0415

    from livecam_nvr.cli.retention_report import report  # noqa: PLC0415
    from livecam_nvr.core.retention import Settings, forecast  # noqa: PLC0415
    from livecam_nvr.storage.index.index import INDEX_NAME  # noqa: PLC0415
    from livecam_nvr.storage.shedding.stocktaking import ArchiveStock, StoredIndex  # noqa: PLC0415

    common.keep_quiet()
    limits = ("max_age_days", "event_max_age_days", "max_size", "keep_free")
    changes = {name: text for name in limits if (text := getattr(args, name)) is not None}
    settings = Settings.of(config.recording, config.cameras).changed(changes, args.camera)
    stock = ArchiveStock(config.recording.path, StoredIndex(config.data_dir / INDEX_NAME))
    now_utc_ns = time.time_ns()
    rules = settings.rules()
    found = asyncio.run(forecast(stock, rules, now_utc_ns, most=None))
    if args.json:
        from livecam_nvr.web.retention import forecast_json  # noqa: PLC0415

        print(json.dumps(forecast_json(rules, found, now_utc_ns), indent=2))
    else:
        print("\n".join(report(found, now_utc_ns, str(config.recording.path), deletions=args.dry_run or changes)))
    return exit_codes.OK
