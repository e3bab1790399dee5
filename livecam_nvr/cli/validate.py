"""`livecam-nvr validate`: all mistakes of a config at once."""

import argparse
from typing import TYPE_CHECKING

from livecam_nvr.cli import common, exit_codes

if TYPE_CHECKING:
    from livecam_nvr.config.models import Config


def add(commands: common.Commands) -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "validate",
        help="tell every mistake in the config",
        description="Tells every mistake in the config at once, each with file, line, key and what would be "
        "right. Starts nothing and looks at no camera.",
    )
    common.add_config_option(parser)
    parser.set_defaults(execute=execute)


def execute(args: argparse.Namespace) -> int:
    """Prints the mistakes, or a summary."""
    from livecam_nvr.config.load import ConfigErrors  # noqa: PLC0415 - pydantic is not for `--help`

    try:
        config = common.load(args)
    except ConfigErrors as errors:
        for mistake in errors.mistakes:
            print(mistake)
        count = len(errors.mistakes)
        print("1 mistake" if count == 1 else f"{count} mistakes")
        return exit_codes.USAGE
    print(_summary(config))
    if file := common.config_file(args):
        from livecam_nvr.config.secrets import loose_secrets  # noqa: PLC0415 - YAML is only for a file

        for loose in loose_secrets(file, config):
            print(f"But {loose}")
    return exit_codes.OK


def _summary(config: "Config") -> str:
    cameras = ", ".join(f"{c.id} ({c.kind}{'' if c.enabled else ', not enabled'})" for c in config.cameras)
    broker = f"{config.mqtt.host}:{config.mqtt.port}" if config.mqtt.host else "none"
    return "\n".join(
        (
            "The config is good.",
            f"  cameras     {cameras}",
            f"  recordings  {config.recording.path}",
            f"  page        {config.listen.address}:{config.listen.http_port}",
            f"  broker      {broker}",
        )
    )
