"""`scripts/home-assistant`: what somebody uses is not made anew under them."""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest
from support.waiting import until

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts" / "home-assistant"


def a_cache(folder: Path) -> Path:
    """A cache that claims to hold what the scripts want; its tree is this machine's own system."""
    cache = folder / "livecam-nvr" / "home-assistant"
    for place in ("repo", "etc"):
        (cache / "root" / place).mkdir(parents=True)
    (cache / "root" / "etc" / "hosts").touch()
    installer = (ROOT / "scripts" / "home-assistant-install").read_bytes()
    (cache / "tree.ready").write_bytes(installer)
    for part in ("core", "tests"):
        pins = (ROOT / "tests" / "homeassistant" / f"{part}.lock").read_bytes()
        (cache / f"{part}.ready").write_bytes(installer + pins)
    return cache


def is_used(cache: Path) -> bool:
    """Whether who installs would have to wait."""
    folder = os.open(cache, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(folder)
    return False


@pytest.mark.skipif(os.geteuid() != 0, reason="it runs in namespaces, which not everybody may make")
async def test_as_long_as_something_runs_in_it_nobody_makes_it_anew(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    system = [word for name in ("usr", "bin", "lib", "lib64") for word in ("-b", f"/{name}=/{name}")]
    argv = [str(SCRIPT), "exec", *system, "sh", "-c", "echo inside; read word; echo $word"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        argv, env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)}, stdin=pipe, stdout=pipe, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "inside\n"
        assert is_used(cache)
        said, _ = running.communicate("done\n")
    assert said == "done\n"
    await until(lambda: not is_used(cache), "the end of what has run")


async def test_whoever_installs_waits_for_whoever_uses_it(tmp_path: Path) -> None:
    cache = a_cache(tmp_path)
    stale = cache / "tree.ready"
    stale.write_text("of another version")
    folder = os.open(cache, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_SH)
    said = tmp_path / "said"
    with said.open("wb") as out:
        installing = subprocess.Popen(
            [str(SCRIPT), "install"],
            env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
            stdout=out,
            stderr=out,
        )
    try:
        await until(
            lambda: "nobody installs or uses it" in said.read_text() or installing.poll() is not None, "it"
        )
        if installing.returncode == 3:
            pytest.skip(said.read_text())
        assert installing.poll() is None
        assert (cache / "root" / "repo").is_dir()
        assert stale.exists()
    finally:
        installing.kill()
        installing.wait()
        os.close(folder)
