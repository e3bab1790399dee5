"""Makes a self-signed certificate of this installation's own.

It is no authority (`CA:FALSE`): whoever trusts it trusts this machine, and a stolen key opens no other site. What
browsers ask for is kept: names stand in subjectAltName (RFC 9525, 6.3), the purpose is serverAuth, and it lasts at
most 825 days (Apple, "Requirements for trusted certificates in iOS 13 and macOS 10.15", support article 103769).
"""

import contextlib
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.runtime.certificate import CertificateInfo, read

MOST_DAYS: Final = 825
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_MOST_NAME = 253
# A client whose clock is a little behind accepts it, too.
_SLACK = timedelta(hours=1)
# X.520 bounds a common name.
_MOST_COMMON_NAME = 64


@dataclass(frozen=True, slots=True)
class Files:
    """Where the own certificate and its key lie."""

    folder: Path

    @classmethod
    def below(cls, data_dir: Path) -> "Files":
        """Those of this installation."""
        return cls(data_dir / "tls")

    @property
    def certificate(self) -> Path:
        """PEM."""
        return self.folder / "certificate.pem"

    @property
    def private_key(self) -> Path:
        """PEM, PKCS #8, without a passphrase."""
        return self.folder / "private-key.pem"


def checked_names(names: Iterable[str]) -> tuple[str, ...]:
    """Host names (in ASCII) and IP addresses, each once, in order.

    Raises:
        LivecamError: INVALID for what is neither.
    """
    found: dict[str, None] = {}
    for name in names:
        found[_address(name) or _host_name(name)] = None
    return tuple(found)


def make(files: Files, names: Sequence[str], *, days: int, now: datetime) -> CertificateInfo:
    """Makes key and certificate in place of those that may be there. Blocks; for threads.

    Args:
        files: Where; the folder becomes 0700, the key 0600.
        names: See `checked_names`; the first one is the subject's.
        days: How long it is valid, 1 to 825.
        now: The beginning.

    Raises:
        LivecamError: INVALID for names or days, DISK if it cannot be written.
    """
    if not 1 <= days <= MOST_DAYS:
        raise LivecamError(
            ErrorKind.INVALID,
            f"a certificate for {days} days cannot be made",
            f"1 to {MOST_DAYS} days: phones and browsers refuse those that last longer",
        )
    names = checked_names(names)
    if not names:
        raise LivecamError(ErrorKind.INVALID, "a certificate needs a name", "such as the name of this machine")
    certificate, key = _made(names, now - _SLACK, timedelta(days=days))
    try:
        _prepare(files.folder)
        # The key first: who finds a certificate finds its key. Whoever reads in between keeps what they have.
        _write(files.private_key, key, 0o600)
        _write(files.certificate, certificate, 0o644)
    except OSError as error:
        raise LivecamError(
            ErrorKind.DISK,
            f"the certificate cannot be written to {files.folder}: {error.strerror or error}",
            "see that this user may write to data_dir",
        ) from error
    return read(files.certificate)


def _address(name: str) -> str | None:
    try:
        found = ip_address(name.strip("[]"))
    except ValueError:
        return None
    return str(found)


def _host_name(name: str) -> str:
    word = name.strip().lower().rstrip(".")
    if not word.isascii():
        with contextlib.suppress(UnicodeError):
            word = word.encode("idna").decode()
    bare = word.removeprefix("*.")
    if len(word) > _MOST_NAME or not _NAME.fullmatch(bare) or bare.replace(".", "").isdigit():
        raise LivecamError(
            ErrorKind.INVALID, f"{name[:80]!r} is no host name", "such as attic.local, or an address: 192.168.1.20"
        )
    return word


def _made(names: Sequence[str], begin: datetime, life: timedelta) -> tuple[bytes, bytes]:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: PLC0415

    def alternative(name: str) -> x509.GeneralName:
        address = _address(name)
        return x509.DNSName(name) if address is None else x509.IPAddress(ip_address(address))

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:_MOST_COMMON_NAME])])
    only_signatures = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        # Both ends belong to it (RFC 5280, 4.1.2.5): a second less than what is allowed.
        .not_valid_after(begin + life - timedelta(seconds=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(only_signatures, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([alternative(name) for name in names]), critical=False)
        .add_extension(own, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM), key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _prepare(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def _write(path: Path, data: bytes, mode: int) -> None:
    # Whole or not at all, and durable: half a key would keep the service from its page.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        try:
            with os.fdopen(fd, "wb") as file:
                os.fchmod(fd, mode)
                file.write(data)
                file.flush()
                os.fsync(fd)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
    finally:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
