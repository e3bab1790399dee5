"""The own certificate, judged by OpenSSL and in a real handshake."""

import asyncio
import os
import shutil
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from livecam_nvr.access.self_signed import MOST_DAYS, Files, checked_names, make
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.runtime.certificate import CertificateInfo, check_key, read, valid_words

NAMES = ("attic", "attic.local", "localhost", "127.0.0.1", "fd00::2")
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    files = Files.below(tmp_path_factory.mktemp("data"))
    make(files, NAMES, days=MOST_DAYS, now=NOW)
    return files


def test_what_it_says(files: Files) -> None:
    info = read(files.certificate)
    assert info.names == NAMES
    assert (info.subject, info.issuer, info.self_signed) == ("CN=attic", "CN=attic", True)
    # Both ends belong to it: not a second more than 825 days.
    assert info.end - info.begin + timedelta(seconds=1) == timedelta(days=825)
    assert info.begin == NOW - timedelta(hours=1)
    assert files.private_key.stat().st_mode & 0o777 == 0o600
    assert files.folder.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in files.folder.iterdir()) == ["certificate.pem", "private-key.pem"]
    check_key(files.certificate, files.private_key)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_finds_nothing_wrong_with_it(files: Files) -> None:
    path = str(files.certificate)
    strict = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "attic.local"]
    done = subprocess.run([*strict, "-CAfile", path, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown = subprocess.run(
        ["openssl", "x509", "-in", path, "-noout", "-fingerprint", "-sha256"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert shown.strip().endswith(f"={read(files.certificate).fingerprint}")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "attic.local", "fd00::2"])
async def test_whoever_trusts_it_gets_through(files: Files, host: str) -> None:
    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own.load_cert_chain(files.certificate, files.private_key)
    trusting = ssl.create_default_context(cafile=str(files.certificate))
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=own)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname=host)
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="example.org")


def test_a_new_one_has_a_new_key(tmp_path: Path) -> None:
    files = Files.below(tmp_path)
    first = make(files, NAMES, days=10, now=NOW)
    key = files.private_key.read_bytes()
    second = make(files, NAMES, days=20, now=NOW)
    assert first.fingerprint != second.fingerprint
    assert files.private_key.read_bytes() != key
    check_key(files.certificate, files.private_key)


def test_names_are_hosts_and_addresses() -> None:
    asked = ["Attic", "attic.", "*.home.example", "192.168.1.20", "[FD00::0:2]", "bücher.local", "ATTIC"]
    assert checked_names(asked) == ("attic", "*.home.example", "192.168.1.20", "fd00::2", "xn--bcher-kva.local")


@pytest.mark.parametrize(
    "name",
    ["", "a b", "https://attic", "attic:8001", "-a", "a..b", "1.2.3", "*", "a.*.b", "a/../b", "x" * 64],
)
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(LivecamError, match="no host name") as raised:
        checked_names([name])
    assert raised.value.kind is ErrorKind.INVALID


@pytest.mark.parametrize("days", [0, -1, 826])
def test_a_life_that_nobody_accepts(tmp_path: Path, days: int) -> None:
    with pytest.raises(LivecamError, match="cannot be made"):
        make(Files.below(tmp_path), NAMES, days=days, now=NOW)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(LivecamError, match="cannot be written"):
        make(Files.below(tmp_path), NAMES, days=1, now=NOW)


def test_a_file_in_the_folder_s_place(tmp_path: Path) -> None:
    (tmp_path / "tls").write_text("a file")
    with pytest.raises(LivecamError, match="cannot be written") as raised:
        make(Files.below(tmp_path), NAMES, days=1, now=NOW)
    assert raised.value.kind is ErrorKind.DISK


def test_files_that_are_something_else(files: Files, tmp_path: Path) -> None:
    other = Files.below(tmp_path)
    make(other, NAMES, days=1, now=NOW)
    with pytest.raises(LivecamError, match="is not the key of"):
        check_key(files.certificate, other.private_key)
    with pytest.raises(LivecamError, match="is no private key"):
        check_key(files.certificate, files.certificate)
    with pytest.raises(LivecamError, match="is no certificate"):
        read(files.private_key)
    with pytest.raises(LivecamError, match="cannot be read"):
        read(tmp_path / "none.pem")
    (tmp_path / "cut.pem").write_bytes(files.certificate.read_bytes()[:300])
    with pytest.raises(LivecamError, match="is no certificate"):
        read(tmp_path / "cut.pem")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_key_with_a_passphrase(files: Files, tmp_path: Path) -> None:
    locked = tmp_path / "locked.pem"
    command = ["openssl", "pkey", "-in", str(files.private_key), "-aes256", "-passout", "pass:hunter2"]
    subprocess.run([*command, "-out", str(locked)], check=True, capture_output=True)
    with pytest.raises(LivecamError, match="has a passphrase"):
        check_key(files.certificate, locked)


def info(*names: str, days: float = 825, ends_in: float = 100) -> CertificateInfo:
    end = NOW + timedelta(days=ends_in)
    return CertificateInfo("CN=x", "CN=x", names, end - timedelta(days=days), end, "AB", self_signed=True)


@pytest.mark.parametrize(
    ("host", "covered"),
    [
        ("attic.local", True),
        ("ATTIC.local.", True),
        ("cam.home.example", True),
        ("home.example", False),
        ("a.cam.home.example", False),
        ("[fd00::2]", True),
        ("local", False),
        ("", False),
    ],
)
def test_hosts_that_it_covers(host: str, covered: bool) -> None:
    assert info("attic.local", "*.home.example", "fd00::2").covers(host) is covered


@pytest.mark.parametrize(
    ("days", "ends_in", "soon"),
    [
        (825, 31, False),
        (825, 29, True),
        (825, -1, True),
        (90, 29, False),
        (90, 22, True),
        (6, 2, False),
        (6, 1, True),
    ],
)
def test_when_it_is_time(days: float, ends_in: float, soon: bool) -> None:
    assert info("x", days=days, ends_in=ends_in).ends_soon(NOW) is soon


def test_its_end_in_words() -> None:
    assert "(100 days)" in valid_words(info("x"), NOW)
    assert "(1 day)" in valid_words(info("x", ends_in=1), NOW)
    assert valid_words(info("x", ends_in=-1), NOW).startswith("ended on ")
    assert valid_words(info("x", days=1, ends_in=3), NOW).startswith("valid only from ")
