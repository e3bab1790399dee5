"""`livecam-nvr user`, as a person types it, with the real store."""

import io
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest
from support.waiting import PATIENCE_S

from livecam_nvr.access.audit import read_entries
from livecam_nvr.access.store import AccessStore
from livecam_nvr.cli.main import main
from livecam_nvr.core.access import Deed
from livecam_nvr.domain.access import Role

ROOT = Path(__file__).parents[3]
PASSWORD = "wide blue rooftop 7"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVECAM_NVR_HOME", str(tmp_path))


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\nnot this line\n")
    return str(path)


@pytest.fixture
def anna(password_file: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["user", "add", "anna", "--password-file", password_file]) == 0
    capsys.readouterr()
    return "anna"


def store(tmp_path: Path) -> AccessStore:
    return AccessStore(tmp_path / "data" / "access")


def audit(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    capsys.readouterr()
    assert main(["audit", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)["entries"]
    assert isinstance(entries, list)
    return entries


def test_the_first_one_is_an_admin_and_later_ones_are_viewers(
    password_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["user", "add", "anna", "--password-file", password_file]) == 0
    assert capsys.readouterr().out == "anna may sign in: admin of all cameras.\n"
    words = ["user", "add", "Bob", "--camera", "cam1", "--camera", "cam0", "--camera", "cam1"]
    assert main([*words, "--password-file", password_file]) == 0
    assert capsys.readouterr().out == "Bob may sign in: viewer of cam0, cam1.\n"
    with store(tmp_path) as kept:
        found = [(user.name, user.role, user.cameras) for user in kept.users()]
    assert found == [("anna", Role.ADMIN, None), ("Bob", Role.VIEWER, ("cam0", "cam1"))]
    assert (tmp_path / "data" / "access").stat().st_mode & 0o777 == 0o700
    noted = audit(capsys)
    assert [(entry["deed"], entry["target"], entry["door"]) for entry in noted] == [
        (Deed.USER, "anna", "cli"),
        (Deed.USER, "Bob", "cli"),
    ]
    assert PASSWORD not in json.dumps(noted)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--role", "viewer"], "the first user has to be an admin"),
        (["--camera", "cam0"], "the first user has to be an admin"),
        (["--camera", "cam7"], "there is no camera 'cam7'\n  there are: cam0, cam1"),
    ],
)
def test_a_first_user_who_could_not_let_others_in(
    words: list[str], said: str, password_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["user", "add", "anna", *words, "--password-file", password_file]) == 1
    assert said in capsys.readouterr().err
    with store(tmp_path) as kept:
        assert kept.users() == []


def test_wrong_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "add", "anna", "--role", "king"]) == 2
    assert "choose from 'viewer', 'watcher', 'operator', 'admin'" in capsys.readouterr().err
    assert main(["user"]) == 2


def test_bad_names_and_passwords_are_told_without_the_password(
    anna: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "short"
    file.write_text("hunter2")
    assert main(["user", "passwd", anna, "--password-file", str(file)]) == 1
    said = capsys.readouterr().err
    assert "too short" in said
    assert "hunter2" not in said
    file.write_text("")
    assert main(["user", "passwd", anna, "--password-file", str(file)]) == 1
    assert "is empty" in capsys.readouterr().err
    file.write_bytes(b"\xff\xfe")
    assert main(["user", "passwd", anna, "--password-file", str(file)]) == 1
    assert "it is not UTF-8" in capsys.readouterr().err
    assert main(["user", "passwd", anna, "--password-file", str(tmp_path / "none")]) == 1
    assert "No such file" in capsys.readouterr().err
    file.write_text(PASSWORD)
    assert main(["user", "passwd", "nobody", "--password-file", str(file)]) == 1
    assert "there is no user 'nobody'\n  there are: anna" in capsys.readouterr().err


def test_standard_input_and_its_blanks(
    anna: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with store(tmp_path) as kept:
        before = kept.users()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"  blanks  count  \r\n")))
    assert main(["user", "passwd", "ANNA", "--password-file", "-"]) == 0
    assert capsys.readouterr().out.startswith("anna has a new password")
    with store(tmp_path) as kept:
        assert kept.users() == before
    assert audit(capsys)[-1]["deed"] == Deed.PASSWORD


def test_roles_and_cameras_change(
    anna: str, password_file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["user", "add", "bob", "--password-file", password_file]) == 0
    assert main(["user", "set", "bob", "--role", "operator", "--camera", "cam1"]) == 0
    assert "bob is now: operator of cam1." in capsys.readouterr().out
    assert main(["user", "set", "bob", "--all-cameras"]) == 0
    assert "bob is now: operator of all cameras." in capsys.readouterr().out
    assert main(["user", "set", "bob"]) == 1
    assert "give --role, --camera or --all-cameras" in capsys.readouterr().err
    assert main(["user", "set", "bob", "--camera", "cam7"]) == 1
    assert main(["user", "set", "bob", "--camera", "cam0", "--all-cameras"]) == 2
    assert main(["user", "set", anna, "--role", "viewer"]) == 1
    assert "last admin" in capsys.readouterr().err
    assert main(["user", "remove", anna]) == 1
    assert "last admin" in capsys.readouterr().err
    assert main(["user", "remove", "bob"]) == 0
    assert main(["user", "remove", "bob"]) == 1
    with store(tmp_path) as kept:
        assert [user.name for user in kept.users()] == ["anna"]
    assert [entry["detail"] for entry in audit(capsys)][-1] == "removed"


def test_the_list(password_file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "list"]) == 0
    assert capsys.readouterr().out == "There is no user yet: livecam-nvr user add NAME\n"
    assert main(["user", "add", "anna", "--password-file", password_file]) == 0
    capsys.readouterr()
    assert main(["user", "list"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["NAME", "ROLE", "CAMERAS", "ADDED", "LAST", "SIGN-IN"]
    assert row.split()[:3] == ["anna", "admin", "all"]
    assert row.endswith("never")
    assert main(["user", "list", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["users"]
    assert (told["name"], told["role"], told["cameras"]) == ("anna", "admin", None)
    assert set(told) == {"name", "role", "cameras", "created_utc_ns", "last_sign_in_utc_ns"}


def test_without_a_terminal_it_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "livecam_nvr", "user", "add", "anna"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "LIVECAM_NVR_HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "--password-file FILE" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("again", "status"), [(PASSWORD, 0), ("another password", 1)])
def test_the_terminal_is_asked_twice_and_shows_nothing(again: str, status: int, tmp_path: Path) -> None:
    terminal, line = pty.openpty()
    command = subprocess.Popen(
        [sys.executable, "-P", "-m", "livecam_nvr", "user", "add", "anna"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "LIVECAM_NVR_HOME": str(tmp_path)},
        stdin=line,
        stdout=line,
        stderr=line,
        start_new_session=True,
    )
    os.close(line)
    said = b""
    answers = {b"new password for anna: ": PASSWORD, b"the same again: ": again}
    with command:
        while select.select([terminal], [], [], PATIENCE_S)[0]:
            try:
                said += os.read(terminal, 1000)
            except OSError:
                break  # its end
            for question in [question for question in answers if said.endswith(question)]:
                os.write(terminal, answers.pop(question).encode() + b"\n")
        os.close(terminal)
    assert command.returncode == status, said
    assert answers == {}
    assert PASSWORD.encode() not in said
    assert (b"the two passwords differ" in said) == (status == 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act as somebody else")
def test_what_root_does_belongs_to_the_owner_of_the_folder(password_file: str) -> None:
    uid, python = 12345, shutil.which("python3", path=os.defpath) or "python3"
    environment = {"PYTHONPATH": f"{ROOT}:{sysconfig.get_path('purelib')}", "SUDO_USER": "anna"}
    reads = ["setpriv", f"--reuid={uid}", "--clear-groups", python, "-c", "import pydantic, argon2, livecam_nvr"]
    if subprocess.run(reads, env=environment, capture_output=True, check=False).returncode:
        pytest.skip("others cannot use this machine's Python packages")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        home.chmod(0o755)
        data = home / "data"
        data.mkdir()
        os.chown(data, uid, uid)
        done = subprocess.run(
            [python, "-P", "-m", "livecam_nvr", "user", "add", "anna", "--password-file", password_file],
            env={**environment, "LIVECAM_NVR_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        made = [data / "access", *(data / "access").iterdir()]
        assert {path.stat().st_uid for path in made} == {uid}
        assert {path.name for path in made} == {"access", "access.sqlite", "audit.sqlite"}
        (entry,) = read_entries(data / "access" / "audit.sqlite", limit=5)
        assert entry.who == "anna as root"
