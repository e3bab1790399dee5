"""Reads YAML text into plain data that remembers the line of every key."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from livecam_nvr.config.mistakes import ConfigMistake, dotted

KeyPath = tuple[str | int, ...]
Data = str | list[Any] | dict[str, Any] | None

_QUOTE = "put a value with special characters in 'single quotes'"
_SYNTAX: Final = (
    ("found character '\\t'", "a tab stands where YAML wants spaces", "replace the tab by spaces"),
    ("found a tab character", "a tab stands where YAML wants spaces", "replace the tab by spaces"),
    (
        "mapping values are not allowed",
        "a colon stands where none is expected",
        f"check the indentation; {_QUOTE}",
    ),
    ("could not find expected ':'", "a key without a colon", "write `key: value`"),
    ("expected <block end>", "the indentation does not fit the lines above", "align it with its neighbours"),
    ("found unexpected end of stream", "a quote is not closed before the end", "close the quote"),
    ("found unknown escape", "an unknown escape after a backslash", "use 'single quotes' instead of double ones"),
    ("found undefined alias", "a value begins with `*`, which means something else in YAML", _QUOTE),
    ("found character", "a character that cannot begin a value", _QUOTE),
    ("but found another document", "a second document begins here (`---`)", "one file holds one config"),
)
_TOO_DEEP = 8
_YAML_TAGS = "tag:yaml.org,2002:"


@dataclass
class Source:
    """A config file's contents, before anybody has judged them.

    `data` holds text for every scalar (the field that takes it decides what it means, so `password: 0123`
    stays what was written), None for an empty one, and dicts and lists of these.
    """

    file: str
    data: Data = None
    lines: dict[KeyPath, int] = field(default_factory=dict)
    """Line, from 1, of each key and list entry."""
    mistakes: list[ConfigMistake] = field(default_factory=list)
    read_from: dict[KeyPath, KeyPath] = field(default_factory=dict)
    """Keys whose values are not in this file but in another one, with the keys that name that."""

    def line(self, path: KeyPath) -> int | None:
        """The line of a key, or of the nearest thing around it that is written in the file."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def mistake(self, path: KeyPath, problem: str, hint: str = "") -> None:
        """Notes a mistake at a key, or at the one that names the file its value is in."""
        if path in self.read_from:
            path, problem = self.read_from[path], f"in that file: {problem}"
        self.mistakes.append(ConfigMistake(self.file, self.line(path), dotted(path), problem, hint))


def parse(text: str, file: str) -> Source:
    """Parses; never raises: what is wrong is in `mistakes`, and then `data` may be incomplete."""
    source = Source(file)
    try:
        # A doubled anchor is only warned of, with its name in the warning; below it is a mistake anyway.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem, hint = _explain(error.problem or "")
        source.mistakes.append(ConfigMistake(file, mark.line + 1 if mark else None, "", problem, hint))
        return source
    except (YAMLError, ValueError, RecursionError) as error:
        # A ReaderError tells the position of a character that YAML forbids; the others come from absurd input.
        at = getattr(error, "position", None)
        line = text.count("\n", 0, at) + 1 if isinstance(at, int) else None
        problem = "holds a character that YAML does not allow" if line else "is not YAML that can be read"
        source.mistakes.append(ConfigMistake(file, line, "", problem, "write the file again with a text editor"))
        return source
    if node is not None:
        source.lines[()] = node.start_mark.line + 1
        source.data = _plain(node, (), source)
    return source


def leaves(data: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """All text in the file's data, with where it is."""
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from leaves(value, (*path, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from leaves(value, (*path, number))


def _explain(problem: str) -> tuple[str, str]:
    """Our words for the parser's; its own may quote what was written, and that may be a password."""
    for beginning, ours, hint in _SYNTAX:
        if problem.startswith(beginning):
            return f"YAML: {ours}", hint
    return "YAML: this cannot be read", f"check quotes, brackets and indentation here and above; {_QUOTE}"


def _plain(node: Node, path: KeyPath, source: Source) -> Data:
    if len(path) > _TOO_DEEP:
        source.mistake(path[:2], "is nested too deep")
        return None
    if node.anchor is not None or not str(node.tag or _YAML_TAGS).startswith(_YAML_TAGS):
        # Not repeated here: an unquoted password that begins with one of these would be read as a name.
        source.mistake(path, "begins with `&` or `!`, which mean something else in YAML", _QUOTE)
        return None
    if isinstance(node, ScalarNode):
        empty = node.style is None and node.value in {"", "~", "null", "Null", "NULL"}
        return None if empty else str(node.value)
    if isinstance(node, SequenceNode):
        entries = []
        for number, child in enumerate(node.value):
            source.lines[*path, number] = child.start_mark.line + 1
            entries.append(_plain(child, (*path, number), source))
        return entries
    return dict(_items(node, path, source)) if isinstance(node, MappingNode) else None


def _items(node: MappingNode, path: KeyPath, source: Source) -> Iterator[tuple[str, Data]]:
    first: dict[str, int] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            source.mistakes.append(
                ConfigMistake(source.file, line, dotted(path), "a key must be a plain word", "write `key: value`")
            )
            continue
        key = str(key_node.value)
        here = (*path, key)
        if key in first:
            source.mistakes.append(
                ConfigMistake(
                    source.file,
                    line,
                    dotted(here),
                    f"is there twice, first in line {first[key]}",
                    "keep one of the two",
                )
            )
            continue
        first[key] = source.lines[here] = line
        value = _plain(value_node, here, source)
        # `mqtt:` whose lines are all commented out means: as if it were not there.
        if value is not None:
            yield key, value
