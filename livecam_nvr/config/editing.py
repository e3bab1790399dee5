"""Writes changed values into the config file's text: comments, order and everything that does not change stay."""

import difflib
import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from livecam_nvr.config import values, yaml_text
from livecam_nvr.config.source import parse
from livecam_nvr.domain.errors import ErrorKind, LivecamError

_MASK = "***"
_NEW_MASK = "*** (new)"


def edited(text: str, want: dict[str, Any]) -> str:
    """The file's text with these values in it.

    Only what differs is touched: a value is replaced where it stands, a key is added behind the others of its
    section, a line goes. What is written in one line (`[…]`, `{…}`) is written anew as a whole if it changes.

    Args:
        text: A file without mistakes; empty if there is none yet.
        want: As `values.unmasked` gives them, with all secrets.

    Raises:
        LivecamError: INVALID if the file is written in a way that this cannot be done to.
    """
    root = _compose(text)
    if root is None:
        return "\n".join([*_lines_of(text), *yaml_text.block(want, 0)]) + "\n"
    if root.flow_style:
        result = json.dumps(want, indent=2, ensure_ascii=False) + "\n"
    else:
        editor = _Editor(text)
        editor.section(root, values.pruned(values.typed(parse(text, "").data)), want)
        result = editor.result()
    if values.pruned(values.typed(parse(result, "").data)) != values.typed(_as_text(want)):
        raise LivecamError(
            ErrorKind.INVALID,
            "the file is written in a way that this change cannot be put into",
            "change it with a text editor",
        )
    return result


def differences(before: str, after: str, name: str) -> list[str]:
    """A unified diff of two texts of the config file, without secrets."""
    known = set(values.secrets(values.typed(parse(before, "").data)))
    old, new = (_without_secrets(text, known).splitlines() for text in (before, after))
    return [line.rstrip("\n") for line in difflib.unified_diff(old, new, name, name, n=2, lineterm="")]


def _compose(text: str) -> MappingNode | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        node = YAML(typ="safe", pure=True).compose(text)
    return node if isinstance(node, MappingNode) else None


def _lines_of(text: str) -> list[str]:
    return text.rstrip("\n").split("\n") if text.strip() else []


def _as_text(value: Any) -> Any:
    """Values as the file's reader gives them."""
    if isinstance(value, Mapping):
        return {key: _as_text(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_text(item) for item in value]
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else repr(value)


class _Editor:
    """Gathers replacements of parts of a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._edits: list[tuple[int, int, str]] = []

    def result(self) -> str:
        """The text with all of them."""
        text = self._text
        # From behind; of those at one place the last one first, as each is put in front of what is there already.
        order = sorted((begin, end, number) for number, (begin, end, _) in enumerate(self._edits))
        for begin, end, number in reversed(order):
            text = text[:begin] + self._edits[number][2] + text[end:]
        return text if text.endswith("\n") else f"{text}\n"

    def section(self, node: MappingNode, now: Mapping[str, Any], want: Mapping[str, Any]) -> None:
        """Makes a section that goes over several lines what it is to be."""
        entries = [(str(key.value), key, value) for key, value in node.value]
        for at, (key, key_node, value) in enumerate(entries):
            if key in now and key not in want:
                self._delete(at, entries)
            elif key in want and now.get(key) != want[key]:
                self._change(key, key_node, value, now.get(key), want[key])
        known = {key for key, _, _ in entries}
        new = {key: value for key, value in want.items() if key not in known}
        if new:
            _, last_key, last = entries[-1]
            lines = yaml_text.block(new, entries[0][1].start_mark.column)
            self._insert_behind(_end(last_key, last), lines)

    def _change(self, key: str, key_node: Node, node: Node, now: Any, want: Any) -> None:
        indent = key_node.start_mark.column
        if isinstance(node, ScalarNode) and not node.value and node.style is None:
            colon = self._text.index(":", key_node.end_mark.index) + 1
            if isinstance(want, dict):
                self._insert_behind(colon, yaml_text.block(want, indent + 2))
            else:
                self._edits.append((colon, colon, f" {yaml_text.flow(want)}"))
        elif not isinstance(node, MappingNode | SequenceNode) or node.flow_style:
            self._edits.append((node.start_mark.index, node.end_mark.index, yaml_text.flow(want)))
        elif isinstance(node, MappingNode) and isinstance(want, dict):
            self.section(node, now if isinstance(now, dict) else {}, want)
        elif isinstance(node, SequenceNode) and _in_order(now, want):
            self._list(node, now, want)
        else:
            begin = self._line_begin(key_node.start_mark.index)
            before = self._text[begin : key_node.start_mark.index]
            lines = yaml_text.entry(key, want, indent)
            end = self._line_end(_end(key_node, node))
            self._edits.append((begin, end, before + "\n".join(lines)[indent:]))

    def _list(self, node: SequenceNode, now: Sequence[Any], want: Sequence[Any]) -> None:
        """A list of sections with ids: those that stay are there in the same order, new ones come behind."""
        wanted = {item["id"]: item for item in want}
        for item, before in zip(node.value, now, strict=True):
            after = wanted.pop(before["id"], None)
            if after is None:
                begin = self._line_begin(item.start_mark.index)
                self._edits.append((begin, self._after_line(_end(item, item)), ""))
            elif after != before:
                if item.flow_style:
                    self._edits.append((item.start_mark.index, item.end_mark.index, yaml_text.flow(after)))
                else:
                    self.section(item, before, after)
        dash = node.start_mark.column
        lines = [line for item in wanted.values() for line in yaml_text.list_entry(item, dash)]
        if lines:
            self._insert_behind(_end(node, node), lines)

    def _delete(self, at: int, entries: Sequence[tuple[str, Node, Node]]) -> None:
        _, key_node, node = entries[at]
        begin = key_node.start_mark.index
        if self._text[self._line_begin(begin) : begin].strip():  # behind the dash of a list's entry
            end = entries[at + 1][1].start_mark.index if at + 1 < len(entries) else _end(key_node, node)
            self._edits.append((begin, end, ""))
        else:
            self._edits.append((self._line_begin(begin), self._after_line(_end(key_node, node)), ""))

    def _insert_behind(self, index: int, lines: Iterable[str]) -> None:
        end = self._line_end(index)
        self._edits.append((end, end, "".join(f"\n{line}" for line in lines)))

    def _line_begin(self, index: int) -> int:
        return self._text.rfind("\n", 0, index) + 1

    def _line_end(self, index: int) -> int:
        end = self._text.find("\n", index)
        return len(self._text) if end < 0 else end

    def _after_line(self, index: int) -> int:
        return min(self._line_end(index) + 1, len(self._text))


def _in_order(now: Any, want: Any) -> bool:
    """Whether two lists hold sections with ids of their own, and `want` is `now` with some less and new behind."""
    if not isinstance(now, list) or not isinstance(want, list) or not want:
        return False
    try:
        had, has = ([str(item["id"]) for item in items] for items in (now, want))
    except (TypeError, KeyError):
        return False
    stay = [key for key in had if key in has]
    return bool(stay) and len(set(had)) == len(had) and len(set(has)) == len(has) and has[: len(stay)] == stay


def _end(key: Node, node: Node) -> int:
    """Where the last that is written of a value ends; that of a section is not where the next token begins."""
    if isinstance(node, MappingNode | SequenceNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(*last) if isinstance(last, tuple) else _end(last, last)
    if isinstance(node, ScalarNode) and not node.value and node.style is None:
        return int(key.end_mark.index)
    end = int(node.end_mark.index)
    # A text over several lines (`|`) ends with its last newline.
    return end - 1 if isinstance(node, ScalarNode) and node.style in {"|", ">"} else end


def _without_secrets(text: str, known: set[str]) -> str:
    root = _compose(text)
    data = parse(text, "").data
    spans: list[tuple[int, int, str]] = []

    def look(node: Node, path: tuple[str | int, ...]) -> None:
        if isinstance(node, MappingNode):
            for key, value in node.value:
                look(value, (*path, str(key.value)))
        elif isinstance(node, SequenceNode):
            for number, value in enumerate(node.value):
                look(value, (*path, number))
        elif node.value and values.is_secret_at(path, data):
            spans.append((node.start_mark.index, node.end_mark.index, _MASK if node.value in known else _NEW_MASK))

    if root is not None:
        look(root, ())
    for begin, end, mask in sorted(spans, reverse=True):
        text = text[:begin] + mask + text[end:]
    return text
