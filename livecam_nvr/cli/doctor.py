"""`livecam-nvr doctor`: looks at everything the service needs, and says how to mend what is broken."""

import argparse

from livecam_nvr.cli import common, exit_codes

_PATIENCE_S = 20.0


def add(commands: common.Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "doctor",
        help="check what the service needs, and say how to mend it",
        description="Checks config, Python, ffmpeg, media server, ports, disk, clock, cameras, broker, users, "
        "certificate and who can read secrets, and says how to mend what is broken. Changes nothing.",
    )
    common.add_config_option(parser)
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Prints a line for each check as soon as it is done."""
    import asyncio  # noqa: PLC0415 - nor these for `--help`

    from livecam_nvr.cli.checks import config_checks, machine_checks  # noqa: PLC0415
    from livecam_nvr.cli.examine import examine, show  # noqa: PLC0415
    from livecam_nvr.config.load import ConfigErrors  # noqa: PLC0415
    from livecam_nvr.core.ports import Check  # noqa: PLC0415

    common.keep_quiet()
    status = exit_codes.OK
    running = None
    checks = list(machine_checks())
    try:
        config = common.load(args)
    except ConfigErrors as errors:
        status = exit_codes.USAGE
        for mistake in errors.mistakes:
            show(Check("config", ok=False, found=str(mistake)))
        print("  Ports, cameras and the rest can be checked when the config is right.")
    else:
        from livecam_nvr.app.checks import checks as part_checks  # noqa: PLC0415 - only for a config that is right
        from livecam_nvr.cli.access_checks import access_checks  # noqa: PLC0415
        from livecam_nvr.cli.running import running_service  # noqa: PLC0415

        show(Check("config", ok=True, found=_described(args, len(config.cameras))))
        running = asyncio.run(running_service(config))
        file = common.config_file(args)
        checks += [*part_checks(config), *access_checks(config, file), *config_checks(config, running)]
    broken = asyncio.run(examine(checks, _PATIENCE_S, running=running is not None))
    return status or (exit_codes.FAILED if broken else exit_codes.OK)


def _described(args: argparse.Namespace, cameras: int) -> str:
    where = common.config_file(args) or "no config file: test cameras"
    return f"{where}, {cameras} {'camera' if cameras == 1 else 'cameras'}"
