"""What doctor and validate say of secrets, the certificate and users, on real files."""

import os
import socket
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from livecam_nvr.access.self_signed import Files, make
from livecam_nvr.access.store import AccessStore
from livecam_nvr.cli.access_checks import CertificateCheck, SecretsCheck, UsersCheck
from livecam_nvr.cli.main import main
from livecam_nvr.cli.secret_files import exposed
from livecam_nvr.config.load import load_config
from livecam_nvr.config.models import Config
from livecam_nvr.core.ports import Check
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.errors import LivecamError

NOW = datetime.now(UTC)
TLS = "tls: {certificate: data/tls/certificate.pem, private_key: data/tls/private-key.pem}\n"


def written(folder: Path, text: str) -> Config:
    file = folder / "config.yaml"
    file.write_text(text)
    file.chmod(0o644)
    return load_config(file)


async def looked(check: SecretsCheck | CertificateCheck | UsersCheck) -> Check:
    (found,) = await check.check()
    return found


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that every user of the machine may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


async def test_a_config_with_a_password_is_not_for_everybody(open_folder: Path) -> None:
    config = written(open_folder, "mqtt: {host: b, username: me, password: hunter2}\n")
    file = open_folder / "config.yaml"
    found = await looked(SecretsCheck(config, file))
    assert (found.ok, found.mend) == (False, f"chmod o-rwx {file}")
    assert "hunter2" not in found.found
    file.chmod(0o600)
    assert (await looked(SecretsCheck(config, file))).ok
    config = written(open_folder, "mqtt: {host: b}\n")
    assert (await looked(SecretsCheck(config, file))).ok
    assert (await looked(SecretsCheck(config, None))).ok


async def test_every_file_with_the_service_s_own_secrets_is_looked_at(tmp_path: Path) -> None:
    config = written(tmp_path, TLS)
    make(Files.below(config.data_dir), ["a"], days=9, now=NOW)
    with AccessStore(config.data_dir / "access"):
        pass
    (config.data_dir / "signing-key.pem").write_text("key")
    (config.data_dir / "signing-key.pem").chmod(0o600)
    check = SecretsCheck(config, tmp_path / "config.yaml")
    assert (await looked(check)).ok
    for name in ("tls/private-key.pem", "access", "access/access.sqlite", "signing-key.pem"):
        path = config.data_dir / name
        usual = path.stat().st_mode & 0o777
        for more in (0o040, 0o004):
            path.chmod(usual | more)
            found = await looked(check)
            assert (found.ok, found.mend) == (False, f"chmod {usual:o} {path}")
        path.chmod(usual)


def test_what_is_gone_is_no_complaint(tmp_path: Path) -> None:
    assert exposed(tmp_path / "none", tmp_path) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
async def test_what_the_service_could_not_read(tmp_path: Path) -> None:
    config = written(tmp_path, "node: {id: a}\n")
    with AccessStore(config.data_dir / "access"):
        pass
    os.chown(config.data_dir, 12345, 12345)
    found = await SecretsCheck(config, None).check()
    assert [check.mend for check in found] == [
        f"sudo chown 12345:12345 {config.data_dir / 'access'}",
        f"sudo chown 12345:12345 {config.data_dir / 'access' / 'access.sqlite'}",
    ]


async def test_certificates(tmp_path: Path) -> None:
    assert (await looked(CertificateCheck(written(tmp_path, "node: {id: a}\n")))).ok
    config = written(tmp_path, f"listen: {{address: 0.0.0.0}}\n{TLS}")
    files = Files.below(config.data_dir)
    machine = socket.gethostname()
    with pytest.raises(LivecamError, match="cannot be read"):
        await CertificateCheck(config).check()
    make(files, [machine, "attic"], days=100, now=NOW)
    found = await looked(CertificateCheck(config))
    assert found.ok
    assert found.found.endswith(f"for {machine.lower()}, attic")
    make(files, ["attic"], days=100, now=NOW)
    found = await looked(CertificateCheck(config))
    assert (found.ok, found.mend) == (False, f"livecam-nvr tls init --renew --name {machine}")
    make(files, [machine], days=100, now=NOW - timedelta(days=90))
    found = await looked(CertificateCheck(config))
    assert (found.ok, found.mend) == (False, "livecam-nvr tls init --renew")
    make(files, [machine], days=100, now=NOW - timedelta(days=101))
    found = await looked(CertificateCheck(config))
    assert not found.ok
    assert found.found.startswith("ended on")
    make(files, [machine], days=100, now=NOW + timedelta(days=2))
    found = await looked(CertificateCheck(config))
    assert not found.ok
    assert found.found.startswith("valid only from")
    files.private_key.write_text("no key")
    with pytest.raises(LivecamError, match="is no private key"):
        await CertificateCheck(config).check()


async def test_users(tmp_path: Path) -> None:
    config = written(tmp_path, "node: {id: a}\n")
    found = await looked(UsersCheck(config))
    assert not found.ok
    assert "user add NAME" in found.mend
    assert not config.data_dir.exists()
    with AccessStore(config.data_dir / "access") as store:
        assert not (await looked(UsersCheck(config))).ok
        store.add_user("anna", "wide blue rooftop 7", Role.ADMIN, None)
    found = await looked(UsersCheck(config))
    assert (found.ok, found.found) == (True, "anna")


def test_validate_says_who_can_read_the_passwords(open_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(open_folder, "mqtt: {host: b, username: me, password: hunter2}\n")
    file = open_folder / "config.yaml"
    assert main(["validate", "--config", str(file)]) == 0
    said = capsys.readouterr().out
    assert f"But {file} holds a secret (mqtt.password)" in said
    assert f"chmod o-rwx {file}" in said
    file.chmod(0o600)
    assert main(["validate", "--config", str(file)]) == 0
    assert "But" not in capsys.readouterr().out
