"""`scripts/home-assistant` where there can be no Home Assistant, or where nobody says what is wanted."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "scripts" / "home-assistant"
NEEDED = ("cat", "cmp", "dirname", "env", "id", "readlink", "sed", "sh")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    argv = ["/bin/sh", str(SCRIPT), *arguments]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("arguments", [(), ("instal",), ("exec", "-x", "true")])
def test_what_it_can_do_is_told(arguments: tuple[str, ...], tmp_path: Path) -> None:
    if arguments[:1] == ("exec",) and os.geteuid() != 0:
        pytest.skip("it says so in namespaces, which not everybody may make")
    cache = ready_cache(tmp_path) if arguments else tmp_path
    done = run(*arguments, PATH=os.environ["PATH"], XDG_CACHE_HOME=str(cache))
    assert done.returncode == 2
    assert "scripts/home-assistant install" in done.stderr
    assert done.stdout == ""


def test_where_there_is_no_debian_it_says_so_with_a_status_of_its_own(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in NEEDED:
        (tools / name).symlink_to(str(shutil.which(name)))
    for command in ("install", "test", "exec"):
        done = run(command, PATH=str(tools), XDG_CACHE_HOME=str(tmp_path / "cache"))
        assert done.returncode == 3, done.stderr
        assert "no Home Assistant for the tests here" in done.stderr
        assert "apt-get" in done.stderr
    assert not (tmp_path / "cache").exists()


def ready_cache(tmp_path: Path) -> Path:
    """A cache that claims to hold what the scripts want, so that nothing is installed."""
    root = SCRIPT.parents[1]
    folder = tmp_path / "livecam-nvr" / "home-assistant"
    (folder / "root").mkdir(parents=True)
    installer = (root / "scripts" / "home-assistant-install").read_bytes()
    (folder / "tree.ready").write_bytes(installer)
    for part in ("core", "tests"):
        pins = (root / "tests" / "homeassistant" / f"{part}.lock").read_bytes()
        (folder / f"{part}.ready").write_bytes(installer + pins)
    return tmp_path
