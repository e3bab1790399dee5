"""`livecam-nvr export`: recorded footage as one ordinary MP4 file, with or without a running service."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from livecam_nvr.cli import common, exit_codes
from livecam_nvr.cli.progress import gauge
from livecam_nvr.domain.errors import ErrorKind, LivecamError

if TYPE_CHECKING:
    from livecam_nvr.config.models import Config
    from livecam_nvr.core.exports import ExportReport, ExportRequest

_NS = 1_000_000_000
_REDRAW_S = 0.2
_MOST_GAPS = 20


def add(commands: common.Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "export",
        help="make one MP4 file out of recordings",
        description="Makes one ordinary MP4 file out of what was recorded in a time. Needs no running service, "
        "and changes nothing in the recordings.",
    )
    common.add_config_option(parser)
    parser.add_argument("--camera", metavar="ID", required=True, help="the camera")
    parser.add_argument("--beside", metavar="ID", help="another camera, shown beside it at the same time")
    parser.add_argument(
        "--from",
        dest="begin",
        metavar="MOMENT",
        required=True,
        help="where to begin: 2026-11-21T09:30 in local time, or with an offset or Z",
    )
    parser.add_argument("--to", dest="end", metavar="MOMENT", required=True, help="where to end")
    parser.add_argument(
        "--exact",
        action="store_true",
        help="cut to the picture; without it, at the keyframes before and after, and nothing is encoded",
    )
    parser.add_argument("--title", default="", help="what players show as its title")
    parser.add_argument("-o", "--output", metavar="FILE", type=Path, required=True, help="the file to make")
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Makes the file, and says what is in it."""
    config = common.load(args)
    import asyncio  # noqa: PLC0415 - not for `--help`

    from livecam_nvr.cli.coverage import moment  # noqa: PLC0415
    from livecam_nvr.core.exports import ExportRequest  # noqa: PLC0415

    common.keep_quiet()
    cameras = (args.camera,) if args.beside is None else (args.camera, args.beside)
    request = ExportRequest(cameras, moment(args.begin), moment(args.end), args.exact, args.title)
    output: Path = args.output
    if output.exists():
        raise LivecamError(
            ErrorKind.CONFLICT, f"{output} is there already", "name another file, or delete it first"
        )
    line = _Line(sys.stderr)
    try:
        report, unsigned = asyncio.run(_export(config, request, output, line))
    except OSError as error:
        raise LivecamError(ErrorKind.DISK, f"{output} cannot be made: {error.strerror or error}") from error
    finally:
        line.close()
    print(in_words(report, output))
    if unsigned:
        print(f"livecam-nvr: {unsigned}", file=sys.stderr)
    return exit_codes.OK


async def _export(
    config: "Config", request: "ExportRequest", output: Path, line: "_Line"
) -> tuple["ExportReport", str]:
    from livecam_nvr.cli.stored_footage import StoredPast, stored_footage  # noqa: PLC0415 - nor these for `--help`
    from livecam_nvr.media.export.maker import ExportMaker  # noqa: PLC0415
    from livecam_nvr.media.hardware import choose  # noqa: PLC0415
    from livecam_nvr.storage.index.index import INDEX_NAME  # noqa: PLC0415

    root, database = config.recording.path, config.data_dir / INDEX_NAME
    footage, known = await stored_footage(root, database)
    titles = {camera_id: camera_id for camera_id in known}
    titles |= {camera.id: camera.title for camera in config.cameras}
    # Only pictures side by side are encoded by what the config asks for.
    two = len(request.cameras) > 1
    maker = ExportMaker(
        footage, titles, StoredPast(root, database), await choose(config.encoding.encoder if two else "x264")
    )
    maker.check(request)
    part = output.with_name(f".{output.name}.part")
    part.unlink(missing_ok=True)
    try:
        report = await maker.make(request, await maker.find(request), part, line)
        unsigned = await _sign(config, report, part)
        part.rename(output)
    finally:
        part.unlink(missing_ok=True)
    return report, unsigned


async def _sign(config: "Config", report: "ExportReport", file: Path) -> str:
    """Signs it; returns why not, if that does not work: a film without a proof is better than none."""
    from secrets import token_hex  # noqa: PLC0415 - nor these for `--help`

    from livecam_nvr.app.signing import Signer  # noqa: PLC0415
    from livecam_nvr.runtime.clock import SystemClock  # noqa: PLC0415

    signer = Signer(config.recording.path, config.data_dir, None, SystemClock())
    try:
        await signer.sign(token_hex(8), report, file)
    except LivecamError as error:
        return f"it is not signed: {error.message}; {error.hint}"
    except OSError as error:
        return f"it is not signed: {error.strerror or error}"
    return ""


def in_words(report: "ExportReport", output: Path) -> str:
    """What was made, and what is missing of it."""
    length = report.duration_ns / _NS
    begin = _clock(report.begin_utc_ns)
    lines = [
        f"{output}: {report.frames} pictures, {length:.1f} s from {begin} on, {report.bytes / 1e6:.1f} MB",
        *(f"  {note}" for note in report.notes),
        *(
            f"  nothing of {gap.camera_id} from {_clock(gap.begin_utc_ns)} to {_clock(gap.end_utc_ns)}"
            f"{f': {gap.text}' if gap.text else ''}"
            for gap in report.gaps[:_MOST_GAPS]
        ),
    ]
    if len(report.gaps) > _MOST_GAPS:
        lines.append(f"  and {len(report.gaps) - _MOST_GAPS} more gaps")
    return "\n".join(lines)


def _clock(utc_ns: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(utc_ns // _NS))


class _Line:
    """Shows how far it is: a bar on a terminal, a line for every tenth where there is none."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._drawn_s = float("-inf")
        self._tenth = 0
        self._open = False

    def __call__(self, share: float, words: str) -> None:
        """See media.export.maker.Progress."""
        text = f"{gauge(share)}  {words}"
        if self._terminal:
            now = time.monotonic()
            if now - self._drawn_s >= _REDRAW_S:
                self._drawn_s = now
                self._open = True
                print(f"\r{text}\x1b[K", end="", file=self._stream, flush=True)
        elif int(share * 10) > self._tenth:
            self._tenth = int(share * 10)
            print(text, file=self._stream, flush=True)

    def close(self) -> None:
        """Ends the line."""
        if self._open:
            print("\r\x1b[K", end="", file=self._stream, flush=True)
            self._open = False
