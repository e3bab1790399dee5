"""`livecam-nvr coverage`: how much of a time was recorded, and why the rest was not."""

import argparse
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from livecam_nvr.cli import common, exit_codes
from livecam_nvr.cli.durations import parse_duration
from livecam_nvr.domain.coverage import Coverage, Gap, Span
from livecam_nvr.domain.errors import ErrorKind, LivecamError, unknown_camera
from livecam_nvr.domain.gap_words import in_words
from livecam_nvr.domain.segment import NS

if TYPE_CHECKING:
    from livecam_nvr.config.models import Config

_USUAL = "24h"
_MOST_LINES = 40


def add(commands: common.Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "coverage",
        help="tell how much was recorded, and why the rest was not",
        description="Tells for each camera how much of a time was recorded, and every gap with its begin, end and "
        "cause. Needs no running service, and changes nothing.",
    )
    common.add_config_option(parser)
    parser.add_argument("--camera", metavar="ID", action="append", default=[], help="only this camera; repeatable")
    parser.add_argument("--last", metavar="TIME", help=f"so much up to now, such as 90m or 7d (default: {_USUAL})")
    parser.add_argument(
        "--from",
        dest="begin",
        metavar="MOMENT",
        help="where to begin: 2026-11-21T09:30 in local time, or with an offset or Z",
    )
    parser.add_argument("--to", dest="end", metavar="MOMENT", help="where to end (default: now)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Reads index and files, and prints what there is."""
    config = common.load(args)
    from livecam_nvr.runtime.clock import SystemClock  # noqa: PLC0415 - not for `--help`

    common.keep_quiet()
    now = SystemClock().utc_ns()
    asked = asked_range(args.begin, args.end, args.last, now)
    found = _read(config, args.camera, asked, now)
    if args.json:
        print(json.dumps({"cameras": [as_json(item) for item in found]}))
    else:
        print("\n\n".join(as_text(item) for item in found) or "There are no cameras.")
    return exit_codes.OK


def asked_range(begin: str | None, end: str | None, last: str | None, now_utc_ns: int) -> Span:
    """The range that the options ask for, up to now at most.

    Raises:
        LivecamError: INVALID if they contradict each other, or a moment or duration is not right.
    """
    if last is not None and begin is not None:
        raise LivecamError(ErrorKind.INVALID, "--last and --from contradict each other", "give one of them")
    until = now_utc_ns if end is None else min(now_utc_ns, moment(end))
    since = until - round(parse_duration(last or _USUAL) * NS) if begin is None else moment(begin)
    if since >= until:
        raise LivecamError(
            ErrorKind.INVALID, "there is nothing between --from and --to", "the earlier, past moment is --from"
        )
    return Span(since, until)


def moment(text: str) -> int:
    """A moment as people write it, UTC in nanoseconds; local time if it has no offset.

    Raises:
        LivecamError: INVALID if it is none.
    """
    try:
        found = datetime.fromisoformat(text).astimezone(UTC)
        return int(found.timestamp() * 1_000_000) * 1000
    except (ValueError, OverflowError, OSError):
        raise LivecamError(
            ErrorKind.INVALID,
            f"{text[:40]!r} is no moment",
            "write it like 2026-11-21T09:30, 2026-11-21T09:30:00Z or 2026-11-21",
        ) from None


def as_json(found: Coverage) -> dict[str, Any]:
    """One camera's coverage for programs; times are UTC in nanoseconds."""
    return {
        "camera_id": found.camera_id,
        "begin_utc_ns": found.range.begin_utc_ns,
        "end_utc_ns": found.range.end_utc_ns,
        "recorded_ns": found.recorded_ns,
        "share": found.share,
        "share_of_wanted": found.share_of_wanted,
        "frames": found.frames,
        "gaps": [
            {
                "begin_utc_ns": gap.begin_utc_ns,
                "end_utc_ns": gap.end_utc_ns,
                "cause": gap.cause.value,
                "by": gap.by,
                "words": gap.words,
                "meant": gap.cause.meant,
                "text": in_words(gap),
            }
            for gap in found.gaps
        ],
    }


def as_text(found: Coverage) -> str:
    """One camera's coverage for people; times are local."""
    begin, end = _local(found.range.begin_utc_ns), _local(found.range.end_utc_ns)
    share, of_wanted = _percent(found.share), _percent(found.share_of_wanted)
    lines = [
        f"{found.camera_id}  {share} recorded, {of_wanted} of what was wanted",
        f"  {begin:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S}, {found.frames} pictures in finished files",
    ]
    left_out = len(found.gaps) - _MOST_LINES
    if left_out > 0:
        lines.append(f"  … and {left_out} earlier gaps; --json tells them all")
    lines += [_line(gap) for gap in found.gaps[-_MOST_LINES:]]
    return "\n".join(lines)


def _line(gap: Gap) -> str:
    begin, end = _local(gap.begin_utc_ns), _local(gap.end_utc_ns)
    until = f"{end:%H:%M:%S}" if begin.date() == end.date() else f"{end:%Y-%m-%d %H:%M:%S}"
    return f"  {begin:%Y-%m-%d %H:%M:%S} to {until:<19}  {_length(gap.duration_ns / NS):>8}  {in_words(gap)}"


def _length(seconds: float) -> str:
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _percent(share: float) -> str:
    # Cut off and not rounded: what lacks a second is not all.
    return f"{int(share * 10_000) / 100:.2f} %"


def _local(utc_ns: int) -> datetime:
    return datetime.fromtimestamp(utc_ns / NS, UTC).astimezone()


def _read(config: "Config", camera_ids: list[str], asked: Span, now_utc_ns: int) -> list[Coverage]:
    import sqlite3  # noqa: PLC0415 - nor these for `--help`
    from contextlib import closing  # noqa: PLC0415

    from livecam_nvr.storage.index.database import connect  # noqa: PLC0415
    from livecam_nvr.storage.index.index import INDEX_NAME  # noqa: PLC0415
    from livecam_nvr.storage.ledger.past_unattended import coverage_of  # noqa: PLC0415
    from livecam_nvr.storage.place.folders import indexed_cameras  # noqa: PLC0415
    from livecam_nvr.storage.place.holder import holder  # noqa: PLC0415

    root, path = config.recording.path, config.data_dir / INDEX_NAME
    try:
        running = holder(root) is not None
        with closing(connect(path, read_only=True)) as connection:
            configured = [camera.id for camera in config.cameras if camera.enabled]
            known = [*configured, *(name for name in indexed_cameras(connection) if name not in configured)]
            for camera_id in camera_ids:
                if camera_id not in known:
                    raise unknown_camera(camera_id, known)
            return [
                coverage_of(connection, root, camera_id, asked, now_utc_ns, running=running)
                for camera_id in camera_ids or known
            ]
    except (sqlite3.Error, OSError) as error:
        raise LivecamError(
            ErrorKind.UNAVAILABLE,
            f"the index {path} cannot be read: {error}" if path.exists() else f"there is no index {path}",
            "start the service once, or run livecam-nvr reindex: the index is made from the recordings",
        ) from error
