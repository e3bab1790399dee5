"""Users and tokens in their file, with real SQLite."""

import contextlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.waiting import PATIENCE_S

from livecam_nvr.access.database import AccessFile
from livecam_nvr.access.passwords import Cost, Hasher
from livecam_nvr.access.store import FILE, AccessStore
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.errors import ErrorKind, LivecamError

CHILD = Path(__file__).parents[2] / "child_scripts" / "access_store_child.py"
CHEAP = Hasher(Cost(rounds=1, memory_kib=8, lanes=1))
PASSWORD = "correct horse"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "access"


@pytest.fixture
def store(folder: Path) -> Iterator[AccessStore]:
    with AccessStore(folder, hasher=CHEAP, now_utc_ns=lambda: 1000) as store:
        yield store


@contextlib.contextmanager
def refused(kind: ErrorKind, words: str | None = None) -> Iterator[None]:
    with pytest.raises(LivecamError, match=words) as caught:
        yield
    assert caught.value.kind is kind
    assert caught.value.hint


def test_users_are_kept(store: AccessStore, folder: Path) -> None:
    anna = store.add_user("Anna", PASSWORD, Role.ADMIN, None)
    ben = store.add_user("ben", PASSWORD, Role.VIEWER, ["yard", "door"])
    assert (ben.cameras, ben.created_utc_ns, ben.last_sign_in_utc_ns) == (("door", "yard"), 1000, None)
    with AccessStore(folder) as other:
        assert other.users() == [anna, ben]
    with refused(ErrorKind.CONFLICT, "(?i)anna"):
        store.add_user("ANNA", PASSWORD, Role.VIEWER, None)
    with refused(ErrorKind.INVALID):
        store.add_user("carl", "short", Role.VIEWER, None)
    with refused(ErrorKind.NOT_FOUND, "carl"):
        store.set_password("carl", PASSWORD)
    store.remove_user("BEN")
    assert store.users() == [anna]


def test_users_can_be_changed(store: AccessStore) -> None:
    store.add_user("anna", PASSWORD, Role.ADMIN, None)
    store.add_user("ben", PASSWORD, Role.VIEWER, ["yard"])
    assert store.change_user("Ben", role=Role.OPERATOR).cameras == ("yard",)
    assert store.change_user("ben", cameras=["door"]).role is Role.OPERATOR
    assert store.change_user("ben", all_cameras=True).cameras is None
    with refused(ErrorKind.INVALID):
        store.change_user("ben", cameras=["door"], all_cameras=True)


def test_the_last_admin_of_all_cameras_stays(store: AccessStore) -> None:
    store.add_user("anna", PASSWORD, Role.ADMIN, None)
    store.add_user("ben", PASSWORD, Role.ADMIN, ["yard"])
    for weaken in (
        lambda: store.remove_user("anna"),
        lambda: store.change_user("anna", role=Role.OPERATOR),
        lambda: store.change_user("anna", cameras=["yard"]),
    ):
        with refused(ErrorKind.CONFLICT, "last admin"):
            weaken()
    store.change_user("anna", role=Role.ADMIN, all_cameras=True)
    store.change_user("ben", all_cameras=True)
    store.change_user("anna", role=Role.VIEWER)
    store.remove_user("anna")
    assert [user.name for user in store.users()] == ["ben"]


def test_only_the_first_user_can_be_the_first(store: AccessStore) -> None:
    store.add_user("anna", PASSWORD, Role.ADMIN, None, only_first=True)
    with refused(ErrorKind.CONFLICT):
        store.add_user("ben", PASSWORD, Role.ADMIN, None, only_first=True)


def test_tokens_are_shown_once_and_stored_hashed(store: AccessStore, folder: Path) -> None:
    new = store.add_token("homeassistant", Role.VIEWER, ["door"], expires_utc_ns=2000)
    assert store.tokens() == [new.info]
    assert new.secret.encode() not in (folder / FILE).read_bytes()
    with refused(ErrorKind.CONFLICT):
        store.add_token("HomeAssistant", Role.VIEWER, None)
    with refused(ErrorKind.CONFLICT):
        store.add_token(new.info.id, Role.VIEWER, None)
    with refused(ErrorKind.INVALID, "expired already"):
        store.add_token("other", Role.VIEWER, None, expires_utc_ns=1000)
    with refused(ErrorKind.NOT_FOUND, "frigate"):
        store.remove_token("frigate")
    assert store.remove_token(new.info.id) == new.info
    assert store.remove_token(store.add_token("frigate", Role.VIEWER, None).info.name).name == "frigate"
    assert store.tokens() == []


def test_no_password_can_be_found_in_the_folder(store: AccessStore, folder: Path) -> None:
    store.add_user("anna", PASSWORD, Role.ADMIN, None)
    old = sqlite3.connect(folder / FILE)
    with contextlib.closing(old):
        (hashed,) = old.execute("SELECT password FROM user").fetchone()
    store.set_password("anna", "another horse")
    kept = (folder / FILE).read_bytes()
    assert PASSWORD.encode() not in kept
    assert hashed.rsplit("$", 1)[1].encode() not in kept


@pytest.mark.parametrize("umask", [0o000, 0o077, 0o777])
def test_nobody_else_may_read_it(folder: Path, umask: int) -> None:
    folder.parent.mkdir()
    before = os.umask(umask)
    try:
        with AccessStore(folder, hasher=CHEAP) as store:
            store.add_user("anna", PASSWORD, Role.ADMIN, None)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_rights_that_are_too_wide_are_taken_back(store: AccessStore, folder: Path) -> None:
    folder.chmod(0o755)
    (folder / FILE).chmod(0o644)
    with AccessStore(folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_belongs_to_whom_the_folder_around_it_belongs(folder: Path) -> None:
    folder.parent.mkdir()
    os.chown(folder.parent, 1234, 1235)
    with AccessStore(folder):
        found = [(path.stat().st_uid, path.stat().st_gid) for path in (folder, folder / FILE)]
    assert found == [(1234, 1235)] * 2


def test_what_a_crash_while_it_was_made_has_left_does_no_harm(folder: Path) -> None:
    folder.mkdir(parents=True)
    for left in (f"{FILE}.new", f"{FILE}.new-journal", f"{FILE}-journal"):
        (folder / left).write_bytes(b"garbage" * 100)
    with AccessStore(folder) as store:
        store.add_token("ha", Role.VIEWER, None)
    assert [path.name for path in folder.iterdir()] == [FILE]


def test_several_processes_begin_and_write_at_once(folder: Path) -> None:
    children = [subprocess.Popen([sys.executable, CHILD, folder, f"p{n}", "10"]) for n in range(3)]
    assert [child.wait(timeout=4 * PATIENCE_S) for child in children] == [0, 0, 0]
    with AccessStore(folder) as store:
        assert len(store.tokens()) == 30


@pytest.mark.parametrize("damage", ["empty", "garbage", "another", "page", "nonsense"])
def test_a_damaged_file_is_an_error_and_never_a_fresh_start(folder: Path, damage: str) -> None:
    with AccessStore(folder, hasher=CHEAP) as store:
        store.add_user("anna", PASSWORD, Role.ADMIN, None)
    file = folder / FILE
    content = file.read_bytes()
    if damage == "empty":
        file.write_bytes(b"")
    elif damage == "garbage":
        file.write_bytes(b"garbage" * 1000)
    elif damage == "another":
        file.unlink()
        with contextlib.closing(sqlite3.connect(file)) as other:
            other.execute("CREATE TABLE x (y)")
    elif damage == "page":
        file.write_bytes(content[:4096] + b"\xff" * 8192 + content[4096 + 8192 :])
    else:
        with contextlib.closing(sqlite3.connect(file)) as other:
            other.execute("UPDATE user SET cameras = '{}'")
            other.commit()
    before = file.read_bytes()
    with refused(ErrorKind.DISK, "damaged"), AccessStore(folder) as store:
        store.users()
    assert file.read_bytes() == before


def test_a_file_of_a_newer_program_is_left_alone(folder: Path) -> None:
    AccessStore(folder).close()
    with contextlib.closing(sqlite3.connect(folder / FILE)) as other:
        other.execute("PRAGMA user_version = 99")
    with refused(ErrorKind.CONFLICT, "newer"):
        AccessStore(folder)


def test_a_lock_that_is_held_too_long_is_told(folder: Path) -> None:
    file = AccessFile(folder / FILE, patience_s=0.1)
    with (
        contextlib.closing(file),
        contextlib.closing(sqlite3.connect(folder / FILE, isolation_level=None)) as other,
    ):
        other.execute("BEGIN EXCLUSIVE")
        with refused(ErrorKind.UNAVAILABLE, "locked"), file.reading() as connection:
            connection.execute("SELECT * FROM user")
        other.execute("ROLLBACK")
        with file.reading() as connection:
            assert connection.execute("SELECT * FROM user").fetchall() == []


def test_a_file_that_is_replaced_or_gone_is_not_written(store: AccessStore, folder: Path) -> None:
    shutil.copy(folder / FILE, folder / "copy")
    (folder / "copy").replace(folder / FILE)
    with refused(ErrorKind.UNAVAILABLE, "another file"):
        store.add_token("a", Role.VIEWER, None)
    (folder / FILE).unlink()
    with refused(ErrorKind.UNAVAILABLE, "vanished"):
        store.add_token("a", Role.VIEWER, None)
    with refused(ErrorKind.UNAVAILABLE, "vanished"):
        AccessStore(folder, create=False)


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with refused(ErrorKind.UNAVAILABLE, "cannot be used"):
        AccessStore(tmp_path / "data" / "access")


def test_a_full_disk_is_told_and_changes_nothing(tmp_path: Path) -> None:
    point = tmp_path / "small"
    point.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(point)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("nothing can be mounted here")
    try:
        with AccessStore(point / "access", hasher=CHEAP) as store:
            store.add_user("anna", PASSWORD, Role.ADMIN, None)
            with contextlib.suppress(OSError), (point / "filler").open("wb", buffering=0) as filler:
                while True:
                    filler.write(bytes(4096))
            with refused(ErrorKind.DISK, "disk"):
                for number in range(100):
                    store.add_token(f"t{number}", Role.VIEWER, None)
            assert [user.name for user in store.users()] == ["anna"]
            (point / "filler").unlink()
            store.add_token("again", Role.VIEWER, None)
    finally:
        subprocess.run(["umount", "-l", str(point)], check=True)
