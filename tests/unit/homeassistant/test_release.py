"""What is published of the integration and the app: made whole, the same each time; wrong things are refused."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[3]
sys.path.append(str(ROOT / "scripts"))

from release import rules  # noqa: E402

OWNER, NAME = "anna", "livecam-nvr-integration"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def release(out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / "scripts" / "release-integration"), str(out), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything, made once."""
    out = tmp_path_factory.mktemp("release") / "out"
    done = release(out, "--repository", f"{OWNER}/{NAME}", "--app-repository", f"{OWNER}/livecam-nvr-app")
    assert done.returncode == 0, done.stderr
    return out


def manifest(folder: Path) -> dict[str, Any]:
    said: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return said


def test_the_versions_are_one() -> None:
    integration = ROOT / "homeassistant" / "custom_components" / rules.DOMAIN
    app = YAML(typ="safe").load((ROOT / "homeassistant" / "addon" / rules.DOMAIN / "config.yaml").read_text())
    assert manifest(integration)["version"] == app["version"] == VERSION
    changes = (ROOT / "homeassistant" / "addon" / rules.DOMAIN / "CHANGELOG.md").read_text()
    assert f"## {VERSION}\n" in changes


def test_the_zip_holds_the_contents_of_the_integration(made: Path) -> None:
    folder = made / "repository" / "custom_components" / rules.DOMAIN
    with zipfile.ZipFile(made / rules.ZIP) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert {"manifest.json", "__init__.py", "brand/icon.png", "translations/en.json"} <= set(names)
        assert names == sorted(names)
        assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
        for name in names:
            assert archive.read(name) == (folder / name).read_bytes()


def test_the_addresses_are_those_of_the_repository(made: Path) -> None:
    said = manifest(made / "repository" / "custom_components" / rules.DOMAIN)
    assert said["codeowners"] == [f"@{OWNER}"]
    assert said["documentation"] == f"https://github.com/{OWNER}/{NAME}"
    assert said["issue_tracker"] == f"https://github.com/{OWNER}/{NAME}/issues"
    pages = [path for path in made.rglob("*") if path.suffix in {".md", ".yml", ".yaml", ".json"}]
    assert pages
    assert not [path for path in pages if "@REPOSITORY@" in path.read_text()]


def test_the_same_tree_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    assert release(again, "--repository", f"{OWNER}/{NAME}").returncode == 0
    assert (again / rules.ZIP).read_bytes() == (made / rules.ZIP).read_bytes()


def test_another_version_can_be_named(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert release(out, "--repository", f"{OWNER}/{NAME}", "--version", "9.8.7").returncode == 0
    assert manifest(out / "repository" / "custom_components" / rules.DOMAIN)["version"] == "9.8.7"


@pytest.mark.parametrize("name", ["livecam-nvr", "a/b/c", "anna/..", "-x/y", "anna/li vecam"])
def test_a_repository_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    done = release(tmp_path / "out", f"--repository={name}")
    assert done.returncode == 2
    assert "OWNER/NAME" in done.stderr


def test_what_may_not_be_published_is_not_made(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = release(out, "--repository", f"{OWNER}/{NAME}", "--version", "latest")
    assert done.returncode == 1
    assert "version has to be one that Home Assistant loads" in done.stderr
    assert not out.exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    assert release(tmp_path, "--repository", f"{OWNER}/{NAME}").returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    said = json.loads(path.read_text())
    change(said)
    path.write_text(json.dumps(said))


COMPONENT = Path("custom_components") / rules.DOMAIN
SPOILED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no readme": (lambda tree: (tree / "README.md").unlink(), "README.md is missing"),
    "no licence": (lambda tree: (tree / "LICENSE").unlink(), "LICENSE is missing"),
    "no checks": (lambda tree: shutil.rmtree(tree / ".github"), "no workflow runs hacs/action"),
    "two integrations": (
        lambda tree: (tree / "custom_components" / "x").mkdir(),
        "it has to be livecam_nvr alone",
    ),
    "hacs: unknown key": (
        lambda tree: edit(tree / "hacs.json", lambda said: said.update(domains=[])),
        "hacs.json: nobody knows the key domains",
    ),
    "hacs: no name": (
        lambda tree: edit(tree / "hacs.json", lambda said: said.pop("name")),
        "hacs.json: name is missing",
    ),
    "hacs: no zip": (
        lambda tree: edit(tree / "hacs.json", lambda said: said.pop("filename")),
        "zip_release has to be true",
    ),
    "manifest: no JSON": (
        lambda tree: (tree / COMPONENT / "manifest.json").write_text("{"),
        "manifest.json is no JSON",
    ),
    "manifest: no tracker": (
        lambda tree: edit(tree / COMPONENT / "manifest.json", lambda said: said.pop("issue_tracker")),
        "issue_tracker is missing",
    ),
    "manifest: order": (
        lambda tree: edit(
            tree / COMPONENT / "manifest.json", lambda said: said.update(dependencies=said.pop("dependencies"))
        ),
        "the keys have to be",
    ),
    "manifest: domain": (
        lambda tree: edit(tree / COMPONENT / "manifest.json", lambda said: said.update(domain="livecam")),
        "domain has to be livecam_nvr",
    ),
    "manifest: loose requirement": (
        lambda tree: edit(tree / COMPONENT / "manifest.json", lambda said: said.update(requirements=["aiohttp"])),
        "requirement aiohttp has to name one version",
    ),
    "manifest: service": (
        lambda tree: edit(tree / COMPONENT / "manifest.json", lambda said: said.update(zeroconf=["_x._tcp"])),
        "zeroconf '_x._tcp' is no service type",
    ),
    "manifest: dependency": (
        lambda tree: edit(tree / COMPONENT / "manifest.json", lambda said: said.update(dependencies=["mqtt"])),
        "mqtt stands in dependencies and in after_dependencies",
    ),
    "import": (
        lambda tree: (tree / COMPONENT / "const.py").write_text("from homeassistant.components.hue import X\n"),
        "const.py imports hue",
    ),
    "words: missing": (
        lambda tree: edit(tree / COMPONENT / "translations" / "ko.json", lambda said: said.pop("services")),
        "translations/ko.json: services.",
    ),
    "words: HTML": (
        lambda tree: edit(
            tree / COMPONENT / "translations" / "en.json", lambda said: said.update(title="<b>x</b>")
        ),
        "title holds HTML",
    ),
    "words: reference": (
        lambda tree: edit(
            tree / COMPONENT / "translations" / "en.json", lambda said: said.update(title="[%key:a%]")
        ),
        "title refers to another text",
    ),
    "words: quotes": (
        lambda tree: edit(tree / COMPONENT / "translations" / "en.json", lambda said: said.update(title="'{x}'")),
        "title has a placeholder in single quotes",
    ),
    "icon of no family": (
        lambda tree: edit(
            tree / COMPONENT / "icons.json", lambda said: said.update(services={"keep_clip": {"service": "x.png"}})
        ),
        "it has to begin with mdi:",
    ),
    "icons": (
        lambda tree: edit(tree / COMPONENT / "icons.json", lambda said: said.pop("services")),
        "icons.json: services.",
    ),
    "brand: size": (
        lambda tree: shutil.copy(
            tree / COMPONENT / "brand" / "icon@2x.png", tree / COMPONENT / "brand" / "icon.png"
        ),
        "brand/icon.png has 512x512 pixels; it has to have 256x256",
    ),
    "brand: none": (lambda tree: shutil.rmtree(tree / COMPONENT / "brand"), "brand/icon.png is missing"),
    "link": (lambda tree: (tree / COMPONENT / "x.py").symlink_to("const.py"), "x.py is a symbolic link"),
}


@pytest.mark.parametrize("what", SPOILED)
def test_what_is_wrong_is_told(made: Path, tmp_path: Path, what: str) -> None:
    tree = tmp_path / "repository"
    shutil.copytree(made / "repository", tree)
    spoil, words = SPOILED[what]
    spoil(tree)
    told = list(rules.of_repository(tree))
    assert [line for line in told if words in line], told


def test_nothing_is_wrong_with_what_is_made(made: Path) -> None:
    assert not list(rules.of_repository(made / "repository"))
    assert not list(rules.of_zip(made / rules.ZIP, made / "repository"))


def test_the_app_brings_the_service_that_it_builds(made: Path) -> None:
    tree = made / "app-repository"
    app = tree / rules.DOMAIN
    # The Supervisor takes every file of this name for an app.
    named = [path for path in tree.rglob("config.*") if path.suffix in {".yaml", ".yml", ".json"}]
    found = [path for path in named if "rootfs" not in path.parts]
    assert found == [app / "config.yaml"]
    wanted = re.findall(r"^COPY (\S+) ", (app / "Dockerfile").read_text(), flags=re.MULTILINE)
    assert wanted
    assert all((app / name).exists() for name in wanted)
    service = app / "rootfs" / "opt" / "livecam-nvr"
    assert (service / "livecam_nvr" / "web" / "static" / "index.html").is_file()
    assert (service / "requirements.lock").read_bytes() == (ROOT / "requirements.lock").read_bytes()
    assert not list(app.rglob("__pycache__"))


def test_every_option_of_the_app_is_explained_in_every_language(made: Path) -> None:
    app = made / "app-repository" / rules.DOMAIN
    yaml = YAML(typ="safe")
    config = yaml.load((app / "config.yaml").read_text())
    assert config["options"].keys() == config["schema"].keys()
    for language in ("en", "ko"):
        said = yaml.load((app / "translations" / f"{language}.yaml").read_text())
        assert said["configuration"].keys() == config["schema"].keys()
        assert said["network"].keys() == config["ports"].keys() == config["ports_description"].keys()
