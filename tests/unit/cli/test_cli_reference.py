"""docs/ref/cli.md knows every command, argument and help text, and no other."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from livecam_nvr.cli import exit_codes
from livecam_nvr.cli.main import build_parser

REFERENCE = (Path(__file__).parents[3] / "docs" / "ref" / "cli.md").read_text()


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield child
                yield from parsers(child)


ALL = {parser.prog: parser for parser in parsers(build_parser())}


def part(prog: str) -> str:
    found = re.search(rf"^##+ `{prog}`$(.*?)(?=^##|\Z)", REFERENCE, flags=re.MULTILINE | re.DOTALL)
    assert found, f"no heading for {prog}"
    return found[1]


@pytest.mark.parametrize("prog", ALL)
def test_each_command_with_its_description_and_arguments(prog: str) -> None:
    parser = ALL[prog]
    text = part(prog)
    assert parser.description
    assert parser.description in " ".join(text.split())
    rows = []
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
            continue
        name = " ".join([*action.option_strings[-1:], *([str(action.metavar)] if action.metavar else [])])
        rows.append(f"| `{name}` | {action.help} |")
    assert re.findall(r"^\| `.*$", text, flags=re.MULTILINE) == rows


def test_the_list_of_commands_is_that_of_the_help() -> None:
    commands = next(a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    rows = [f"| `livecam-nvr {choice.dest}` | {choice.help} |" for choice in commands._choices_actions]
    assert re.findall(r"^\| `livecam-nvr .*$", REFERENCE, flags=re.MULTILINE) == rows


def test_every_exit_status_is_there() -> None:
    found = {int(number) for number in re.findall(r"^\| (\d+) \|", REFERENCE, flags=re.MULTILINE)}
    assert found == {exit_codes.OK, exit_codes.FAILED, exit_codes.USAGE, exit_codes.INTERRUPTED}
    assert set(exit_codes.EXIT_CODES.values()) <= found
