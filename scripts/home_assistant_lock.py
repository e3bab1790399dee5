"""Pins what the tests with Home Assistant install: tests/homeassistant/core.lock and tests.lock, with hashes.

core.lock is Home Assistant as people run it. tests.lock is what pytest-homeassistant-custom-component builds upon:
it follows Home Assistant by some days and insists on its own version of it. Needs uv (https://docs.astral.sh/uv/),
on any Python; run it by `scripts/home-assistant lock` after a change of the versions here.
"""

import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PYTHON = "3.14.2"  # the oldest that Home Assistant runs on
CORE = "2026.11.0"
PLUGIN, PLUGIN_CORE = "0.13.375", "2026.10.4"

ALWAYS = (
    *("frontend", "recorder", "isal", "network", "backup", "person", "camera", "hardware", "conversation", "tts"),
    *("marketplace", "infrared", "radio_frequency", "assist_satellite", "hassio"),
)
"""What Home Assistant sets up at each start, wanted or not, or only imports, as far as it needs packages."""
WANTED = ("mqtt", "stream", "media_source", "history", "logbook", "zeroconf", "mobile_app")
TOOLS = ("mypy", "ruff")

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "homeassistant"


def main() -> None:
    """Writes both."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _compile(folder, CORE, [], "core.lock")
        plugin = f"pytest-homeassistant-custom-component=={PLUGIN}"
        _compile(folder, PLUGIN_CORE, [plugin, *TOOLS], "tests.lock")


def _compile(folder: Path, version: str, more: list[str], lock: str) -> None:
    wheel = _wheel(folder, version)
    wanted = [f"homeassistant=={version}", *_requirements(wheel), *more]
    (folder / "wanted.in").write_text("\n".join(wanted) + "\n")
    with zipfile.ZipFile(wheel) as archive:
        (folder / "constraints.txt").write_bytes(archive.read("homeassistant/package_constraints.txt"))
    subprocess.run(
        ["uv", "pip", "compile", "--quiet", "--generate-hashes", "--python-platform", "linux",
         "--python-version", PYTHON, "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links",
         "-c", str(folder / "constraints.txt"), "-o", str(FOLDER / lock), str(folder / "wanted.in")],
        check=True,
    )  # fmt: skip


def _wheel(folder: Path, version: str) -> Path:
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
         "--python-version", PYTHON, "--dest", str(folder), f"homeassistant=={version}"],
        check=True,
    )  # fmt: skip
    (wheel,) = folder.glob(f"homeassistant-{version}-*.whl")
    return wheel


def _requirements(wheel: Path) -> list[str]:
    """What the integrations that are used, and those they depend upon, want installed."""
    found: set[str] = set()
    with zipfile.ZipFile(wheel) as archive:
        todo, seen = [*ALWAYS, *WANTED], set[str]()
        while todo:
            domain = todo.pop()
            path = zipfile.Path(archive, f"homeassistant/components/{domain}/manifest.json")
            if domain in seen or not path.exists():  # new ones are not in both versions
                continue
            seen.add(domain)
            manifest = json.loads(path.read_text())
            found |= set(manifest.get("requirements", ()))
            todo += manifest.get("dependencies", ())
    return sorted(found)


if __name__ == "__main__":
    main()
