"""The command line: finds the command, runs it, and turns failures into words and an exit status."""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import Final

from livecam_nvr import __version__
from livecam_nvr.cli import (
    adopt,
    audit,
    cameras,
    coverage,
    discover,
    doctor,
    exit_codes,
    export,
    home_assistant,
    init_config,
    media_server,
    reindex,
    retention,
    run,
    tls,
    token,
    user,
    validate,
    verify,
    verify_export,
    version,
)
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.redact import redact

# Each module has `add(commands)`, which adds its parser with `set_defaults(execute=...)`. Heavy modules are
# imported by `execute` only: `--help` answers at once.
_COMMANDS: Final = (
    run,
    validate,
    init_config,
    cameras,
    discover,
    doctor,
    user,
    token,
    audit,
    tls,
    home_assistant,
    coverage,
    retention,
    export,
    verify_export,
    verify,
    reindex,
    adopt,
    media_server,
    version,
)
_OWN_OPTIONS: Final = {"-h", "--help", "--version"}


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="livecam-nvr",
        description="A dependable camera service for the home: live RTSP and HTTP, 30-second recordings, "
        "Home Assistant over MQTT.",
        epilog="Without a command it runs the service. `livecam-nvr COMMAND --help` tells more of each.",
    )
    parser.add_argument("--version", action="version", version=f"livecam-nvr {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for module in _COMMANDS:
        module.add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command in `argv` (the process's own arguments if None); returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or (words[0].startswith("-") and words[0] not in _OWN_OPTIONS):
        words.insert(0, "run")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a ✔ gets a `?` and not a traceback.
            stream.reconfigure(errors="replace")
    try:
        args = build_parser().parse_args(words)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else exit_codes.USAGE
    try:
        status = int(args.execute(args))
        sys.stdout.flush()
    except LivecamError as error:
        print(redact(f"livecam-nvr: {error.message}"), file=sys.stderr)
        if error.hint:
            print(redact(f"  {error.hint}"), file=sys.stderr)
        return exit_codes.EXIT_CODES[error.kind]
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        # Whoever read has seen enough (`| head`); at exit Python would complain about what it could not write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.FAILED
    return status


def entry() -> None:
    """The installed `livecam-nvr` command."""
    sys.exit(main())
