"""`livecam-nvr media-server install|status`."""

import argparse
import sys

from livecam_nvr.cli import common, exit_codes


def add(commands: common.Commands) -> None:
    """Adds the command and its two."""
    parser = commands.add_parser(
        "media-server",
        help="install MediaMTX, or tell which media server there is",
        description="MediaMTX serves RTSP, WebRTC and low-latency HLS. Without it, GStreamer serves RTSP.",
    )
    both = parser.add_subparsers(title="commands", metavar="COMMAND", dest="what", required=True)
    install = both.add_parser(
        "install",
        help="fetch MediaMTX",
        description="Fetches MediaMTX's pinned release, checks it against the release's SHA-256 list, and keeps "
        "it in the service's data folder. An interrupted download goes on where it stopped.",
    )
    common.add_config_option(install)
    install.set_defaults(execute=_install)
    status = both.add_parser(
        "status",
        help="tell which media server a start would use",
        description="Tells which media server a start would use, and where it is.",
    )
    common.add_config_option(status)
    status.set_defaults(execute=_status)


def _install(args: argparse.Namespace) -> int:
    config = common.load(args)
    import asyncio  # noqa: PLC0415 - not for `--help`

    from livecam_nvr.cli.progress import ProgressBar  # noqa: PLC0415
    from livecam_nvr.rtsp import choose  # noqa: PLC0415

    progress = ProgressBar(sys.stderr)
    try:
        binary = asyncio.run(choose.install(config, progress))
    finally:
        progress.close()
    print(f"MediaMTX {binary.version} is installed: {binary.path}")
    return exit_codes.OK


def _status(args: argparse.Namespace) -> int:
    config = common.load(args)
    import asyncio  # noqa: PLC0415 - not for `--help`

    from livecam_nvr.rtsp.binary import find  # noqa: PLC0415
    from livecam_nvr.rtsp.gstreamer import really_works  # noqa: PLC0415

    kind = config.media_server.kind
    if kind != "gstreamer":
        binary = asyncio.run(find(config.media_server, config.data_dir, remember=False))
        if binary is not None:
            print(f"MediaMTX {binary.version}: {binary.path}")
            return exit_codes.OK
        print("MediaMTX is not here; `livecam-nvr media-server install` fetches it.")
    if kind != "mediamtx":
        works, words = asyncio.run(really_works())
        print(f"GStreamer's RTSP server {'serves' if works else 'does not work'}: {words}")
        if works:
            return exit_codes.OK
    return exit_codes.FAILED
