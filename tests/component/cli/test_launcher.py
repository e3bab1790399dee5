"""The launcher on machines that lack things, with a stand-in for the project and for apt."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.waiting import PATIENCE_S

ROOT = Path(__file__).parents[3]
PYTHON = Path(shutil.which("python3", path=os.defpath) or "").resolve()
# What every Debian has (util-linux, coreutils, diffutils), and nothing else.
BASICS = (
    "cat",
    "cmp",
    "dirname",
    "env",
    "flock",
    "grep",
    "id",
    "mkdir",
    "mv",
    "readlink",
    "rm",
    "setpriv",
    "touch",
)
SERVICE = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print("home", os.environ["LIVECAM_NVR_HOME"], flush=True)
print("cwd", os.getcwd(), flush=True)
print("pid", os.getpid(), flush=True)
print("args", *sys.argv[1:], flush=True)
if "wait" in sys.argv:
    signal.sigwait({signal.SIGTERM})
    sys.exit(7)
"""


class Machine:
    """A clone of the project in a folder with spaces, and a PATH of its own."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "my clone"
        self.bin = folder / "bin"
        self.bin.mkdir()
        package = self.clone / "livecam_nvr"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(SERVICE)
        shutil.copytree(ROOT / "scripts", self.clone / "scripts")
        shutil.copy(ROOT / "livecam-nvr", self.clone)
        # No package: what is tested is the way, not the network.
        self.lock("# nothing\n")
        for name in BASICS:
            found = shutil.which(name)
            assert found, name
            (self.bin / name).symlink_to(found)
        for name in ("ffmpeg", "ffprobe", "mediamtx"):
            self.program(name, "exit 0")
        (self.bin / "python3").symlink_to(PYTHON)

    def copies(self, environment: Path) -> None:
        """Its Python takes this virtual environment, which it has made before, instead of making another one."""
        copy = f'exec /bin/cp -a {environment}/. "$3"'
        self.program("python3", f'[ "$1 $2" = "-m venv" ] || exec {PYTHON} "$@"\n{copy}')

    def lock(self, text: str) -> None:
        (self.clone / "requirements.lock").write_text(text)

    def program(self, name: str, body: str) -> None:
        (self.bin / name).unlink(missing_ok=True)
        (self.bin / name).write_text(f"#!/bin/sh\n{body}\n")
        (self.bin / name).chmod(0o755)

    def apt(self, *, brings: tuple[str, ...]) -> Path:
        """An apt-get that notes how it was called and brings these programs; returns its notes."""
        notes = self.bin.parent / "apt.txt"
        bring = "\n".join(
            f"printf '#!/bin/sh\\n' >{self.bin}/{name}; chmod 755 {self.bin}/{name}" for name in brings
        )
        (self.bin / "chmod").symlink_to("/bin/chmod")
        self.program("apt-get", f'echo "$@" >>{notes}\ncase $* in *install*) {bring or ":"} ;; esac')
        return notes

    @property
    def environment(self) -> Mapping[str, str]:
        return {"PATH": str(self.bin), "HOME": str(self.bin.parent)}

    def start(self, *words: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.clone / "livecam-nvr", *words],
            env=self.environment,
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([PYTHON, "-m", "venv", made], check=True)
    return made


@pytest.fixture
def new_machine(tmp_path: Path) -> Machine:
    """Its Python makes virtual environments itself."""
    return Machine(tmp_path)


@pytest.fixture
def machine(new_machine: Machine, environment: Path) -> Machine:
    new_machine.copies(environment)
    return new_machine


@pytest.fixture(autouse=True)
def _fonts_are_there() -> None:
    if not Path("/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf").exists():
        pytest.skip("fonts-dejavu-core is not installed")


def test_a_first_start_installs_and_later_ones_only_start(new_machine: Machine, tmp_path: Path) -> None:
    machine = new_machine
    first = machine.start("run", "--verbose")
    assert first.returncode == 0, first.stderr
    assert "making a virtual environment" in first.stderr
    assert first.stdout.splitlines()[0] == f"home {machine.clone}"
    assert first.stdout.splitlines()[-1] == "args run --verbose"

    # From another folder, by a link, past a file that looks like one of the project's.
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "livecam_nvr").mkdir(parents=True)
    (elsewhere / "livecam_nvr" / "__main__.py").write_text("raise SystemExit('the wrong one')")
    second = machine.start(cwd=elsewhere)
    assert (second.returncode, second.stderr) == (0, "")
    assert f"cwd {elsewhere}" in second.stdout
    assert f"home {machine.clone}" in second.stdout
    link = tmp_path / "link"
    link.symlink_to(machine.clone / "livecam-nvr")
    linked = subprocess.run([link], env=machine.environment, capture_output=True, text=True, check=True)
    assert f"home {machine.clone}" in linked.stdout

    # Another lock: brought up to date, not made anew.
    machine.lock("# nothing else\n")
    third = machine.start()
    assert "installing the Python packages" in third.stderr
    assert "virtual environment" not in third.stderr

    # Moved: the environment does not fit any more and is mended.
    moved = machine.clone.with_name("moved clone")
    machine.clone.rename(moved)
    machine.clone = moved
    fourth = machine.start()
    assert fourth.returncode == 0, fourth.stderr
    assert f"home {moved}" in fourth.stdout
    assert machine.start().stderr == ""


def test_an_interrupted_first_start_heals(machine: Machine) -> None:
    venv = machine.clone / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "unfinished").touch()
    (venv / "bin" / "python").write_text("half of it")
    done = machine.start()
    assert done.returncode == 0, done.stderr
    assert not (venv / "unfinished").exists()
    assert machine.start().stderr == ""


def test_a_failed_installation_is_begun_anew(machine: Machine) -> None:
    machine.lock("there-is-no-such-package @ file:///none --hash=sha256:0\n")
    failed = machine.start()
    assert failed.returncode == 1
    assert "the Python packages could not be installed" in failed.stderr
    machine.lock("# nothing\n")
    assert machine.start().returncode == 0


def test_two_at_once_take_turns(machine: Machine) -> None:
    starts = [
        subprocess.Popen(
            [machine.clone / "livecam-nvr"],
            env=machine.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [start.communicate() for start in starts]
    assert [start.returncode for start in starts] == [0, 0], said
    assert sum("making a virtual environment" in err for _, err in said) == 1


def test_signals_reach_the_service_and_its_status_comes_back(machine: Machine) -> None:
    machine.start()
    with subprocess.Popen(
        [machine.clone / "livecam-nvr", "wait"], env=machine.environment, stdout=subprocess.PIPE, text=True
    ) as service:
        assert service.stdout
        lines = [service.stdout.readline().strip() for _ in range(4)]
        assert f"pid {service.pid}" in lines
        service.send_signal(signal.SIGTERM)
        assert service.wait(PATIENCE_S) == 7


def test_missing_packages_are_named_and_installed(machine: Machine) -> None:
    for name in ("ffmpeg", "ffprobe"):
        (machine.bin / name).unlink()
    machine.program("id", "echo 0")
    notes = machine.apt(brings=("ffmpeg", "ffprobe"))
    done = machine.start()
    assert done.returncode == 0, done.stderr
    assert "installing these packages of the distribution: ffmpeg\n" in done.stderr
    update, install = notes.read_text().splitlines()
    assert update.endswith("update")
    assert install.endswith("install --no-install-recommends ffmpeg")
    assert machine.start().stderr == ""
    assert len(notes.read_text().splitlines()) == 2


def test_sudo_is_used_and_named_by_those_who_are_not_root(machine: Machine) -> None:
    for name in ("ffmpeg", "ffprobe"):
        (machine.bin / name).unlink()
    machine.program("id", "echo 1000")
    machine.program("sudo", 'echo "sudo was asked" >&2; exec "$@"')
    machine.apt(brings=("ffmpeg", "ffprobe"))
    done = machine.start()
    assert done.returncode == 0, done.stderr
    assert "with sudo: ffmpeg" in done.stderr
    assert "sudo was asked" in done.stderr


@pytest.mark.parametrize(
    ("programs", "said"),
    [
        ((), "this is no Debian"),
        (("apt-get",), "there is no sudo here; as root, run: apt-get install ffmpeg"),
        (("apt-get", "sudo"), "apt-get could not install: ffmpeg"),
    ],
)
def test_where_they_cannot_be_installed_it_says_so_and_ends(
    programs: tuple[str, ...], said: str, machine: Machine
) -> None:
    (machine.bin / "ffmpeg").unlink()
    machine.program("id", "echo 1000")
    for name in programs:
        machine.program(name, "exit 1")
    done = machine.start()
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stdout == ""
    assert not (machine.clone / ".venv").exists()


def test_what_is_only_wanted_stops_nobody(machine: Machine) -> None:
    if Path("/usr/lib/python3/dist-packages/gi/__init__.py").exists():
        pytest.skip("GStreamer's packages are installed here")
    (machine.bin / "mediamtx").unlink()
    done = machine.start()
    assert done.returncode == 0
    assert "python3-gi" in done.stderr
    assert "going on without" in done.stderr
