"""What the pages are made of, as far as tests read it: strings of JavaScript, texts, words and names in HTML."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

STATIC = Path(__file__).parents[2] / "livecam_nvr" / "web" / "static"
SCRIPTS = sorted(path for path in STATIC.rglob("*.js") if path.parent.name != "texts")
PAGES = sorted(STATIC.glob("*.html"))

_BEFORE_REGEX = set("(,=:[!&|?{};>\n") | {""}
_VOID = {"meta", "link", "img", "input", "br", "source"}
_NAMES = ("aria-label", "title", "alt", "placeholder", "aria-roledescription")
_MARKS = ("data-text", "data-title", "data-label", "data-role", "data-hint")


class Literal(NamedTuple):
    """A string in a script: of a template, what stands between its values."""

    text: str
    line: int
    before: str
    """The code in front of it, on its line."""
    after: str
    """The code behind it, on its line; of a template, all of it."""


def literals(source: str) -> Iterator[Literal]:
    """All strings of a script, without comments and regular expressions."""
    yield from _code(source, 0, len(source), source)


def _code(source: str, at: int, end: int, whole: str) -> Iterator[Literal]:
    last = ""
    while at < end:
        here = source[at]
        if source.startswith("//", at):
            at = _past(source, "\n", at)
        elif source.startswith("/*", at):
            at = _past(source, "*/", at)
        elif here in "\"'":
            close = _closing(source, at + 1, here)
            yield _literal(source[at + 1 : close], at, close, whole)
            at, last = close + 1, here
        elif here == "`":
            at, found = _template(source, at)
            yield from found
            last = here
        elif here == "/" and last in _BEFORE_REGEX:
            at, last = _past_regex(source, at), "/"
        else:
            last = last if here in " \n\t" else here
            at += 1


def _template(source: str, begin: int) -> tuple[int, list[Literal]]:
    found, parts, at = [], [], begin + 1
    start = at
    while source[at] != "`":
        if source[at] == "\\":
            at += 2
        elif source.startswith("${", at):
            parts.append(source[start:at])
            close = _brace(source, at + 2)
            found += [*_code(source[:close], at + 2, close, source)]
            at = start = close + 1
        else:
            at += 1
    parts.append(source[start:at])
    return at + 1, [*(_literal(part, begin, at, source) for part in parts if part), *found]


def _brace(source: str, at: int) -> int:
    depth = 1
    while True:
        here = source[at]
        if here == "`":
            at, _ = _template(source, at)
            continue
        if here in "\"'":
            at = _closing(source, at + 1, here)
        depth += (here == "{") - (here == "}")
        if depth == 0:
            return at
        at += 1


def _closing(source: str, at: int, quote: str) -> int:
    while source[at] != quote:
        at += 2 if source[at] == "\\" else 1
    return at


def _past(source: str, what: str, at: int) -> int:
    found = source.find(what, at)
    return len(source) if found < 0 else found + len(what)


def _past_regex(source: str, at: int) -> int:
    in_class = False
    at += 1
    while source[at] != "/" or in_class:
        if source[at] == "\\":
            at += 1
        elif source[at] in "[]":
            in_class = source[at] == "["
        at += 1
    return at + 1


def _literal(text: str, at: int, close: int, whole: str) -> Literal:
    begin = whole.rfind("\n", 0, at) + 1
    return Literal(text, whole.count("\n", 0, at) + 1, whole[begin:at], whole[close + 1 :].partition("\n")[0])


def texts(language: str) -> dict[str, Any]:
    """A language's file. Fails if a key is there twice."""
    source = (STATIC / "js" / "texts" / f"{language}.js").read_text()
    body = source[source.index("export default {") + len("export default ") : source.rindex("};") + 1]
    plain = re.sub(r"^\s*//.*$", "", body, flags=re.MULTILINE)
    quoted = re.sub(r"([{,]\s*)(zero|one|two|few|many|other):", r'\1"\2":', plain)
    found: dict[str, Any] = json.loads(re.sub(r",(\s*})", r"\1", quoted), object_pairs_hook=_once)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), f"twice: {[name for name in names if names.count(name) > 1]}"
    return dict(pairs)


class PageReader(HTMLParser):
    """The words that stand in a page, the names its elements are given, and the keys of its texts."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.names: list[str] = []
        self.keys: list[str] = []
        self._open: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self._open.append(tag)
        self.names += [value for name, value in attributes if name in _NAMES and value]
        self.keys += [value for name, value in attributes if name in _MARKS and value]

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not {"noscript", "code", "script"} & set(self._open):
            self.words.append(data.strip())
