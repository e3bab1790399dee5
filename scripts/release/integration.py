"""The integration's own repository, as HACS and Home Assistant's Marketplace want it."""

import json
import shutil
from pathlib import Path

from release import packing, rules


def make(root: Path, target: Path, repository: str, version: str) -> None:
    """Writes it: the integration, hacs.json, the licence, and what homeassistant/repository/ holds."""
    home = root / "homeassistant"
    packing.copy(home / "repository", target)
    for page in (path for path in packing.files(target) if path.suffix in {".md", ".yml"}):
        page.write_text(page.read_text().replace("@REPOSITORY@", repository))
    shutil.copyfile(root / "LICENSE", target / "LICENSE")
    shutil.copyfile(root / "hacs.json", target / "hacs.json")
    component = target / "custom_components" / rules.DOMAIN
    packing.copy(home / "custom_components" / rules.DOMAIN, component)
    manifest = component / "manifest.json"
    manifest.write_text(addressed(manifest.read_text(), repository, version))


def addressed(manifest: str, repository: str, version: str) -> str:
    """The manifest with the addresses that only a published project has, its keys in hassfest's order."""
    said = json.loads(manifest) | {
        "codeowners": [f"@{repository.partition('/')[0]}"],
        "documentation": f"https://github.com/{repository}",
        "issue_tracker": f"https://github.com/{repository}/issues",
        "version": version,
    }
    first = ("domain", "name")
    ordered = {key: said[key] for key in (*first, *sorted(said.keys() - set(first)))}
    return json.dumps(ordered, indent=2, ensure_ascii=False) + "\n"
