"""What hassfest, HACS and Home Assistant's Marketplace demand of a published integration.

After home-assistant/core (script/hassfest, `components/marketplace` of 2026.11), hacs/integration
(`validate/`, `utils/validate.py`) and home-assistant/brands. They run where it is published; this tells before
that, without a network. What only GitHub knows (description, topics, issues, a release) is not asked.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from release import imports, manifests, packing, pictures, words

DOMAIN = "livecam_nvr"
ZIP = "livecam_nvr.zip"
# The Marketplace takes no more, neither as it comes nor unpacked.
_MOST_BYTES = 100 * 1024 * 1024
_HACS_KEYS: dict[str, type] = {
    "content_in_root": bool,
    "country": list,
    "filename": str,
    "hacs": str,
    "hide_default_branch": bool,
    "homeassistant": str,
    "name": str,
    "persistent_directory": str,
    "render_readme": bool,
    "zip_release": bool,
}


def of_repository(tree: Path) -> Iterator[str]:
    """What is wrong with a repository of one integration; nothing if it may be published."""
    for name in ("README.md", "LICENSE", "hacs.json"):
        if not (tree / name).is_file():
            yield f"{name} is missing"
    workflows = "".join(path.read_text() for path in sorted((tree / ".github" / "workflows").glob("*.yml")))
    for action in ("home-assistant/actions/hassfest", "hacs/action"):
        if action not in workflows:
            yield f"no workflow runs {action}"
    components = sorted(path.name for path in (tree / "custom_components").glob("*") if path.is_dir())
    if components != [DOMAIN]:
        yield f"custom_components holds {', '.join(components) or 'nothing'}; it has to be {DOMAIN} alone"
    yield from of_hacs_json(tree / "hacs.json")
    yield from of_integration(tree / "custom_components" / DOMAIN)


def of_hacs_json(path: Path) -> Iterator[str]:
    """What is wrong with hacs.json."""
    said, fault = parsed(path)
    if fault:
        yield fault
        return
    yield from manifests.of_types("hacs.json", said, _HACS_KEYS)
    if not said.get("name"):
        yield "hacs.json: name is missing"
    if said.get("zip_release") is not True or said.get("filename") != ZIP:
        yield f"hacs.json: zip_release has to be true, and filename {ZIP}"
    if not manifests.VERSION.fullmatch(str(said.get("homeassistant", ""))):
        yield "hacs.json: homeassistant has to be the oldest version of it that will do, as in 2026.11.0"


def of_integration(folder: Path) -> Iterator[str]:
    """What is wrong with the folder `custom_components/<domain>`."""
    said, fault = parsed(folder / "manifest.json")
    if fault:
        yield fault
        return
    yield from manifests.of_manifest(said, folder)
    yield from imports.undeclared(folder, said)
    yield from words.of_translations(folder)
    yield from pictures.of_brand(folder / "brand")
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            yield f"{path.relative_to(folder)} is a symbolic link, which no archive of GitHub keeps"


def of_zip(path: Path, tree: Path) -> Iterator[str]:
    """What is wrong with the asset of the release: it has to be the contents of the integration's folder."""
    folder = tree / "custom_components" / DOMAIN
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    if path.stat().st_size > _MOST_BYTES or sum(entry.file_size for entry in entries) > _MOST_BYTES:
        yield f"{ZIP} is larger than 100 MiB"
    if [entry.filename for entry in entries] != [f.relative_to(folder).as_posix() for f in packing.files(folder)]:
        yield f"{ZIP} does not hold the files of {folder.name}, at its root"


def parsed(path: Path) -> tuple[dict[str, Any], str]:
    """A JSON object, or why it is none."""
    try:
        said = json.loads(path.read_text())
    except FileNotFoundError:
        return {}, f"{path.name} is missing"
    except ValueError as error:
        return {}, f"{path.name} is no JSON: {error}"
    return (said, "") if isinstance(said, dict) else ({}, f"{path.name} has to be an object")
