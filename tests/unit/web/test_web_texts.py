"""The page's texts: each language has all of them, what is used exists, and nothing is written anywhere else."""

import re
from pathlib import Path

import pytest
from support.page_sources import PAGES, SCRIPTS, STATIC, Literal, PageReader, literals, texts

CATEGORIES = {"en": {"one", "other"}, "ko": {"other"}}
# Called with a string: a text that has to exist, or the beginning of such. `told` has words to fall back on.
CALLS = re.compile(r"""\bt\(\s*(?:"([^"]+)"|`([^`$]+)\$\{)""")
# Figures and names are no words: the same everywhere.
NO_WORDS = re.compile(
    r"livecam-nvr|\b(?:fps|HTTP|MQTT|RTSP|RTSPS|HLS|LL-HLS|MP4|MJPEG|MSE|WebRTC|Ctrl\+C|Esc|[KMGT]i?B|[kM]bit/s|ms)\b"
)
# What begins like a sentence's word in scripts, and is a name of the platform: of keys, headers, errors, methods.
PLATFORM = re.compile(
    r"Arrow\w*|Enter|Escape|Home|End|Tab|Page(Up|Down)|Delete|Backspace|Space|Shift|Date|Range|Location|Authorization"
    r"|Left|Right|Top|Bottom|Accept|[A-Z]\w*Error|Content-\w+|Retry-After|If-\w+|Link|ETag|Bearer.*|Cache-Control"
)
SENTENCE = re.compile(r"[A-Za-z]{2,}[,:;.…]? [A-Za-z]{2,}")


@pytest.fixture(scope="module")
def english() -> dict[str, object]:
    return texts("en")


@pytest.mark.parametrize("language", sorted(set(CATEGORIES) - {"en"}))
def test_each_language_has_the_same_texts_with_the_same_values(language: str, english: dict[str, object]) -> None:
    other = texts(language)
    assert set(other) == set(english)
    wrong = [key for key in english if values(other[key]) != values(english[key])]
    assert wrong == []


@pytest.mark.parametrize("language", sorted(CATEGORIES))
def test_what_depends_on_a_number_has_all_the_language_distinguishes(language: str) -> None:
    plurals = {key: text for key, text in texts(language).items() if isinstance(text, dict)}
    assert {key: set(text) for key, text in plurals.items() if set(text) != CATEGORIES[language]} == {}
    same = {key for key, text in texts("en").items() if isinstance(text, dict)}
    assert set(plurals) == same


def test_there_is_a_file_for_each_language_that_can_be_chosen() -> None:
    offered = re.search(r"LANGUAGES = \{(.+?)\}", (STATIC / "js" / "texts.js").read_text())
    assert offered is not None
    assert set(re.findall(r"(\w+):", offered[1])) == set(CATEGORIES)
    assert {path.stem for path in (STATIC / "js" / "texts").iterdir()} == set(CATEGORIES)


def test_every_text_that_is_asked_for_exists(english: dict[str, object]) -> None:
    missing = []
    for path in SCRIPTS:
        for whole, begin in CALLS.findall(path.read_text()):
            if whole and whole not in english:
                missing.append((path.name, whole))
            if begin and not any(key.startswith(begin) for key in english):
                missing.append((path.name, begin + "…"))
    for path in PAGES:
        missing += [(path.name, key) for key in PageReader(path.read_text()).keys if key not in english]
    assert missing == []


def test_every_text_is_used(english: dict[str, object]) -> None:
    used: set[str] = set()
    for path in SCRIPTS:
        used |= {literal.text for literal in literals(path.read_text())}
    begins = {text for text in used if re.fullmatch(r"[a-z]+\.[\w.]*", text) and text not in english}
    # What may begin with the name of a whole page has the rest of it in some list of names.
    narrow = tuple(begins - {f"{page}." for page in ("common", "live", "past", "system", "account")})
    for path in PAGES:
        used |= set(PageReader(path.read_text()).keys)

    def is_used(key: str) -> bool:
        section, _, rest = key.partition(".")
        return key in used or key.startswith(narrow) or (f"{section}." in begins and rest in used)

    assert [key for key in english if not is_used(key)] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_page_has_words_of_its_own(path: Path) -> None:
    page = PageReader(path.read_text())
    assert [text for text in (*page.words, *page.names) if has_words(text)] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(STATIC)))
def test_no_script_has_words_of_its_own(path: Path) -> None:
    found = []
    for literal in literals(path.read_text()):
        text, before = literal.text, literal.before
        capital = re.match(r"[A-Z][a-z]+", text) and not PLATFORM.fullmatch(text)
        shown = re.search(r"(?:textContent|innerText|title|ariaLabel|placeholder|alt) \??\|?\|?= ?$", before)
        if (capital or shown or SENTENCE.search(text)) and has_words(text) and not is_code(literal):
            found.append((literal.line, text))
    assert found == []


def is_code(literal: Literal) -> bool:
    """Selectors, classes, languages' own names, commands, lists of names that scripts need."""
    calls = r"(?:querySelector(?:All)?|closest|matches|matchMedia|replace)(?:\?\.)?\($|\bclassName\b|LANGUAGES = "
    return bool(
        re.search(calls, literal.before) or literal.after.startswith(".split(") or literal.text.startswith("curl ")
    )


def has_words(text: str) -> bool:
    return bool(re.search(r"[^\W\d_]{2,}", NO_WORDS.sub("", text)))


def values(text: object) -> set[str]:
    forms = text.values() if isinstance(text, dict) else [text]
    return {name for form in forms for name in re.findall(r"\{(\w+)\}", str(form))}
