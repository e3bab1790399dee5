"""Translations and icons: everything has its words, in every language, and nothing else has any."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from custom_components import livecam_nvr
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.icon import async_get_icons
from homeassistant.helpers.translation import async_get_translations
from pytest_homeassistant_custom_component.common import MockConfigEntry

FOLDER = Path(livecam_nvr.__file__).parent
LANGUAGES = ("en", "ko")


def words(language: str) -> dict[str, Any]:
    return json.loads((FOLDER / "translations" / f"{language}.json").read_text())


def keys(value: Any, before: str = "") -> set[str]:
    if not isinstance(value, dict):
        return {before}
    return {key for name, part in value.items() for key in keys(part, f"{before}.{name}")}


def test_languages_have_the_same_keys() -> None:
    assert keys(words("en")) == keys(words("ko"))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_entities_have_names(hass: HomeAssistant, loaded: MockConfigEntry, language: str) -> None:
    found = await async_get_translations(hass, language, "entity", ["livecam_nvr"])
    for one in er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id):
        if one.domain == "camera":
            continue  # it is called as its device is
        assert f"component.livecam_nvr.entity.{one.domain}.{one.translation_key}.name" in found, one.entity_id


async def test_icons_are_of_entities(hass: HomeAssistant, loaded: MockConfigEntry) -> None:
    entries = er.async_entries_for_config_entry(er.async_get(hass), loaded.entry_id)
    there = {(one.domain, one.translation_key) for one in entries}
    icons = (await async_get_icons(hass, "entity", ["livecam_nvr"]))["livecam_nvr"]
    named = {(domain, key) for domain, parts in icons.items() for key in parts}
    assert named <= there
    entity = words("en")["entity"]
    assert {(domain, key) for domain, parts in entity.items() for key in parts} == there - {
        pair for pair in there if pair[0] == "camera"
    }


def test_everything_that_is_raised_has_words() -> None:
    used = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                used |= {
                    keyword.value.value
                    for keyword in node.keywords
                    if keyword.arg == "translation_key" and isinstance(keyword.value, ast.Constant)
                }
    assert used <= set(words("en")["exceptions"])
