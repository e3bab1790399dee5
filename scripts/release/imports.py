"""Which parts of Home Assistant an integration imports without saying so in its manifest.

As hassfest's `dependencies` does it, but over text: the integration is written for a newer Python than that which
makes the release may be.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Imports at the left edge happen; those that are indented are for type checkers only, or are made when needed.
_IMPORT = re.compile(
    r"^from homeassistant\.components(?:\.(?P<one>\w+)[\w.]*)? import (?P<names>\([^)]*\)|[^\n]*)", re.MULTILINE
)
# Parts that are always there, and entity platforms: their base classes need not be set up first.
_ALWAYS_THERE = {
    "binary_sensor",
    "button",
    "camera",
    "event",
    "frontend",
    "homeassistant",
    "image",
    "media_player",
    "media_source",
    "number",
    "persistent_notification",
    "select",
    "sensor",
    "stream",
    "switch",
    "system_health",
    "update",
    "webhook",
    "websocket_api",
}
# A key of the manifest that brings a part with it (`homeassistant.requirements.DISCOVERY_INTEGRATIONS`).
_BY_DISCOVERY = {"mqtt": "mqtt", "zeroconf": "zeroconf"}


def undeclared(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Each part that is imported and stands neither in `dependencies` nor in `after_dependencies`."""
    declared = {str(part) for key in ("dependencies", "after_dependencies") for part in manifest.get(key, [])}
    declared |= _ALWAYS_THERE | {part for key, part in _BY_DISCOVERY.items() if key in manifest}
    for path in sorted(folder.rglob("*.py")):
        for part in sorted(imported(path.read_text()) - declared):
            # A platform for another part (`diagnostics.py`) may import that part.
            if not (folder / f"{part}.py").is_file():
                where = path.relative_to(folder)
                yield f"{where} imports {part}, which is neither in dependencies nor in after_dependencies"


def imported(source: str) -> set[str]:
    """The parts that this module imports."""
    found = set()
    for match in _IMPORT.finditer(source):
        if match["one"]:
            # Signing a path needs nothing to be set up.
            if not (match["one"] == "http" and match["names"].strip() == "async_sign_path"):
                found.add(match["one"])
        else:
            names = match["names"].strip("()\n ").split(",")
            found |= {name.split(" as ")[0].strip() for name in names if name.strip()}
    return found
