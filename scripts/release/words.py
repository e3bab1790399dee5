"""Translations, icons and actions of an integration, as hassfest looks at them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PLACE = re.compile(r"\{\w+\}")
_KEY = re.compile(r"[a-z0-9]+(?:[_-][a-z0-9]+)*")
_SECTIONS = {
    "common",
    "config",
    "config_subentries",
    "device",
    "entity",
    "exceptions",
    "issues",
    "options",
    "selector",
    "services",
    "system_health",
    "title",
}


def of_translations(folder: Path) -> Iterator[str]:
    """What is wrong: English has to be whole, and every other language has to say the same things."""
    english_file = folder / "translations" / "en.json"
    if not english_file.is_file():
        yield "translations/en.json is missing: nobody reads strings.json of what is not part of Home Assistant"
        return
    english = json.loads(english_file.read_text())
    said = flat(english)
    for key in sorted(english.keys() - _SECTIONS):
        yield f"translations/en.json: nobody knows the section {key}"
    for path in sorted((folder / "translations").glob("*.json")):
        own = said if path == english_file else flat(json.loads(path.read_text()))
        name = f"translations/{path.name}"
        yield from (f"{name}: {key} is missing" for key in sorted(said.keys() - own.keys()))
        yield from (f"{name}: {key} is not in en.json" for key in sorted(own.keys() - said.keys()))
        for key, text in own.items():
            yield from of_text(f"{name}: {key}", text, said.get(key, text))
    for key in sorted(said):
        if key.startswith(("entity.", "selector.")) and not all(map(_KEY.fullmatch, key.split("."))):
            yield f"translations/en.json: {key} is no key; small letters, digits, and single _ or - between them"
    yield from of_actions(folder, english)
    yield from of_icons(folder)


def of_text(where: str, text: str, english: str) -> Iterator[str]:
    """What is wrong with one text."""
    if re.search(r"<[a-zA-Z/!]", text):
        yield f"{where} holds HTML"
    if "[%key:" in text:
        yield f"{where} refers to another text, which is resolved for parts of Home Assistant only"
    if re.search(r"'\{\w+\}'", text):
        yield f"{where} has a placeholder in single quotes, which is not filled in"
    if "://" in text:
        yield f"{where} holds an address, which belongs into a placeholder"
    if text != text.strip():
        yield f"{where} begins or ends with a blank"
    if set(_PLACE.findall(text)) != set(_PLACE.findall(english)):
        yield f"{where} has other placeholders than the English text"


def of_actions(folder: Path, english: dict[str, Any]) -> Iterator[str]:
    """Whether every action of services.yaml has its name, its description, its fields' names and its icon."""
    path = folder / "services.yaml"
    if not path.is_file():
        return
    icons = json.loads((folder / "icons.json").read_text()).get("services", {})
    said = english.get("services", {})
    # Names of actions stand at the left edge; those of their fields are four blanks in, below `fields:`.
    actions: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if action := re.match(r"(\w+):", line):
            actions[action[1]] = []
        elif field := re.match(r" {4}(\w+):", line):
            actions[list(actions)[-1]].append(field[1])
    for action_name in actions:
        if not {"name", "description"} <= said.get(action_name, {}).keys():
            yield f"translations/en.json: services.{action_name} needs a name and a description"
        if action_name not in icons:
            yield f"icons.json: services.{action_name} is missing"
    for action_name in sorted(said.keys() - actions.keys()):
        yield f"translations/en.json: services.{action_name} is not in services.yaml"


def of_icons(folder: Path) -> Iterator[str]:
    """Whether each icon is one of Material Design's."""
    icons = json.loads((folder / "icons.json").read_text()) if (folder / "icons.json").is_file() else {}
    for key, icon in flat(icons).items():
        if not icon.startswith("mdi:"):
            yield f"icons.json: {key} is {icon!r}; it has to begin with mdi:"


def flat(said: dict[str, Any], above: str = "") -> dict[str, str]:
    """All texts by their path."""
    found: dict[str, str] = {}
    for key, value in said.items():
        if isinstance(value, dict):
            found |= flat(value, f"{above}{key}.")
        else:
            found[f"{above}{key}"] = str(value)
    return found
