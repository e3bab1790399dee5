"""Hashes, remembered passwords, last uses, and what counts as local."""

import subprocess
import sys

import pytest
from fakes.runtime_clock import FakeClock

from livecam_nvr.access.last_use import LastUse
from livecam_nvr.access.origins import is_local
from livecam_nvr.access.passwords import Cost, Hasher
from livecam_nvr.access.remembered import RememberedPasswords
from livecam_nvr.access.rows import SessionRow
from livecam_nvr.access.secrets import hash_of, looks_like_token, new_id, new_session, new_token
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS

CHEAP = Cost(rounds=1, memory_kib=8, lanes=1)


def test_secrets_are_long_and_never_the_same() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(looks_like_token(token) and len(token) == 47 for token in tokens)
    assert len({new_session() for _ in range(100)}) == len({new_id() for _ in range(100)}) == 100
    assert not looks_like_token(new_session())
    assert not looks_like_token(new_token() + "\n")


@pytest.mark.parametrize("text", ["x" * 129, "é", "\ud800"])
def test_what_can_be_no_secret_has_no_hash(text: str) -> None:
    assert hash_of(text) is None
    assert hash_of("x") != hash_of("y")


def test_a_password_is_the_right_one_or_not() -> None:
    hasher = Hasher(CHEAP)
    stored = hasher.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert stored != hasher.hash("correct horse")
    assert hasher.verify(stored, "correct horse")
    assert not hasher.verify(stored, "correct horsf")
    assert not hasher.outdated(stored)
    assert Hasher(Cost(2, 8, 1)).outdated(stored)
    assert not hasher.verify(hasher.nobodys(), "correct horse")


def test_a_damaged_hash_is_no_wrong_password() -> None:
    with pytest.raises(LivecamError) as caught:
        Hasher(CHEAP).verify("$argon2id$rubbish", "correct horse")
    assert caught.value.kind is ErrorKind.UNAVAILABLE


def test_the_cost_is_that_of_rfc_9106() -> None:
    assert Hasher().nobodys().startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_argon2_is_not_loaded_at_the_start() -> None:
    code = "import livecam_nvr.access.service, sys; sys.exit('argon2' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_remembered_password_is_one_from_the_same_address_for_a_while() -> None:
    clock = FakeClock()
    remembered = RememberedPasswords(clock)
    digest = remembered.digest("anna", "correct horse", "10.0.0.7")
    assert not remembered.knows("user:anna#1", digest)
    remembered.remember("user:anna#1", digest)
    assert remembered.knows("user:anna#1", digest)
    assert not remembered.knows("user:anna#2", digest)
    assert not remembered.knows("user:anna#1", remembered.digest("anna", "correct horse", "10.0.0.8"))
    assert not remembered.knows("user:anna#1", remembered.digest("anna", "correct horsf", "10.0.0.7"))
    assert RememberedPasswords(clock).digest("anna", "correct horse", "10.0.0.7") != digest
    clock.advance(599)
    assert remembered.knows("user:anna#1", digest)
    clock.advance(2)
    assert not remembered.knows("user:anna#1", digest)


def test_remembered_passwords_are_bounded_and_go_with_the_credential() -> None:
    remembered = RememberedPasswords(FakeClock())
    digests = [remembered.digest("anna", "correct horse", f"10.0.0.{n}") for n in range(256)]
    for digest in digests:
        remembered.remember("a", digest)
    assert remembered.knows("a", digests[0])  # and is the last to go now
    remembered.remember("b", digests[0])
    assert not remembered.knows("a", digests[1])
    assert remembered.knows("a", digests[0])
    remembered.forget(frozenset({"a"}))
    assert not remembered.knows("a", digests[0])
    assert remembered.knows("b", digests[0])


def test_last_uses_are_written_seldom() -> None:
    last_use = LastUse()
    row = SessionRow("s", "anna", b"", 0, 0)
    stored = {"s": row}
    last_use.note_session("s", 3600 * NS)
    last_use.note_token("t", 5, "10.0.0.7")
    batch = last_use.due(stored, 0.0)
    assert batch.sessions == {}
    assert batch.tokens == {"t": (5, "10.0.0.7")}
    last_use.written(batch, 0.0)
    assert not last_use.due(stored, 3000.0)
    last_use.note_token("t", 6, "10.0.0.7")
    assert not last_use.due(stored, 59.0)
    assert last_use.due(stored, 60.0).tokens
    last_use.note_session("s", 3601 * NS)
    assert last_use.due(stored, 59.0).sessions == {"s": 3601 * NS}
    assert last_use.session(row) == 3601 * NS
    assert last_use.due(stored, 59.0, last=True).tokens
    assert not last_use.due({}, 59.0).sessions


def test_what_is_used_while_it_is_written_is_written_again() -> None:
    last_use = LastUse()
    last_use.note_token("t", 5, "")
    batch = last_use.due({}, 0.0)
    last_use.note_token("t", 6, "")
    last_use.written(batch, 0.0)
    assert last_use.due({}, 0.0, last=True).tokens == {"t": (6, "")}


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.2",
        "169.254.1.1",
        "fe80::1%eth0",
        "fd12::1",
        "::ffff:192.168.1.2",
    ],
)
def test_these_are_local(address: str) -> None:
    assert is_local(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost",
        "8.8.8.8",
        "172.32.0.1",
        "192.169.0.1",
        "100.64.0.1",
        "0.0.0.0",
        "::",
        "2001:db8::1",
        "::ffff:8.8.8.8",
        "203.0.113.1",
        "127.0.0.1.evil.example",
        "64:ff9b::a00:1",
    ],
)
def test_these_are_not(address: str) -> None:
    assert not is_local(address)
