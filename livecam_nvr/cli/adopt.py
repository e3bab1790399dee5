"""`livecam-nvr adopt`: the folder in `recording.path` is the archive from now on."""

import argparse

from livecam_nvr.cli import common, exit_codes


def add(commands: common.Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "adopt",
        help="use the disk that is there now for the recordings",
        description="Makes what is at recording.path the archive from now on: for a new disk, or one that comes "
        "from another machine. Without this a service records only onto the disk that it knows, so that one that "
        "is not mounted never fills the one below it. Deletes nothing; a running service notices by itself.",
    )
    common.add_config_option(parser)
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Adopts, and says what."""
    config = common.load(args)
    from livecam_nvr.domain.errors import ErrorKind, LivecamError  # noqa: PLC0415 - not for `--help`
    from livecam_nvr.storage.place.marker import Marker  # noqa: PLC0415
    from livecam_nvr.storage.refusal import in_words  # noqa: PLC0415

    common.keep_quiet()
    path = config.recording.path
    try:
        new = Marker(path, config.data_dir).adopt()
    except OSError as error:
        raise LivecamError(
            ErrorKind.DISK,
            f"the recordings' folder cannot be adopted: {in_words(error, str(path))}",
            "see `livecam-nvr doctor`",
        ) from error
    print(f"{path} is the archive {'from now on' if new else 'already'}.")
    return exit_codes.OK
