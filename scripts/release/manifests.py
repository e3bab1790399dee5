"""The rules for an integration's manifest: hassfest's, with those that HACS adds."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

VERSION = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?")
_MANIFEST_NEEDS = ("domain", "name", "codeowners", "documentation", "issue_tracker", "version", "iot_class")
_MANIFEST_KEYS: dict[str, type] = {
    "domain": str,
    "name": str,
    "after_dependencies": list,
    "codeowners": list,
    "config_flow": bool,
    "dependencies": list,
    "documentation": str,
    "integration_type": str,
    "iot_class": str,
    "issue_tracker": str,
    "loggers": list,
    "mqtt": list,
    "quality_scale": str,
    "requirements": list,
    "single_config_entry": bool,
    "version": str,
    "zeroconf": list,
}
_CHOICES = {
    "integration_type": {"device", "hub", "service"},
    "iot_class": {"local_push", "local_polling"},
    "quality_scale": {"bronze", "silver", "gold", "platinum"},
}


def of_manifest(said: dict[str, Any], folder: Path) -> Iterator[str]:
    """What is wrong with a manifest."""
    yield from (f"manifest.json: {key} is missing" for key in _MANIFEST_NEEDS if not said.get(key))
    yield from of_types("manifest.json", said, _MANIFEST_KEYS)
    if list(said)[:2] != ["domain", "name"] or list(said)[2:] != sorted(list(said)[2:]):
        yield "manifest.json: the keys have to be domain, name, and then the others by the alphabet"
    if said.get("domain") != folder.name:
        yield f"manifest.json: domain has to be {folder.name}, as the folder"
    if not VERSION.fullmatch(str(said.get("version", ""))):
        yield "manifest.json: version has to be one that Home Assistant loads, as in 1.2.3"
    for key, choices in _CHOICES.items():
        if key in said and said[key] not in choices:
            yield f"manifest.json: {key} is {said[key]!r}; it has to be one of {', '.join(sorted(choices))}"
    if said.get("config_flow") is not True or not (folder / "config_flow.py").is_file():
        yield "manifest.json: config_flow has to be true, with a config_flow.py"
    yield from of_owners(said)
    yield from of_needs(said)


def of_owners(said: dict[str, Any]) -> Iterator[str]:
    """What is wrong with who answers for it, and where."""
    for key in ("documentation", "issue_tracker"):
        if not str(said.get(key, "")).startswith("https://"):
            yield f"manifest.json: {key} has to be an https address"
    for owner in said.get("codeowners", []):
        if not re.fullmatch(r"@[A-Za-z0-9-]+", str(owner)):
            yield f"manifest.json: {owner!r} is no codeowner; it has to be @name"


def of_needs(said: dict[str, Any]) -> Iterator[str]:
    """What is wrong with what it needs, and with how it is found."""
    for requirement in said.get("requirements", []):
        if "==" not in str(requirement):
            yield f"manifest.json: requirement {requirement} has to name one version with =="
    for both in sorted(set(said.get("dependencies", [])) & set(said.get("after_dependencies", []))):
        yield f"manifest.json: {both} stands in dependencies and in after_dependencies"
    for service in said.get("zeroconf", []):
        kind = service.get("type") if isinstance(service, dict) else service
        if not re.fullmatch(r"_[a-z0-9-]+\._(?:tcp|udp)\.local\.", str(kind)):
            yield f"manifest.json: zeroconf {kind!r} is no service type"


def of_types(name: str, said: dict[str, Any], known: dict[str, type]) -> Iterator[str]:
    """Keys that nobody knows, and values of a wrong type: hassfest and HACS refuse both."""
    for key, value in said.items():
        if key not in known:
            yield f"{name}: nobody knows the key {key}"
        elif not isinstance(value, known[key]):
            yield f"{name}: {key} has to be a {known[key].__name__}"
