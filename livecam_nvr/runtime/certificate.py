"""Reads certificates and judges them: names, end, whether a key belongs to one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from livecam_nvr.domain.errors import ErrorKind, LivecamError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

WARN_DAYS: Final = 30
"""So long before its end people are told; certificates that live shorter are renewed later, see `ends_soon`."""
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class CertificateInfo:
    """What people want to know of a certificate."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    """Host names and IP addresses that it is valid for."""
    begin: datetime
    end: datetime
    fingerprint: str
    """SHA-256 of the whole certificate, as browsers show it: `AB:CD:…`."""
    self_signed: bool

    def covers(self, host: str) -> bool:
        """Whether it is valid for a host name or address; `*.` stands for one label (RFC 9525, 6.3)."""
        wanted = host.strip("[]").lower().rstrip(".")
        _, _, parent = wanted.partition(".")
        return wanted in self.names or (bool(parent) and f"*.{parent}" in self.names)

    def ends_soon(self, now: datetime) -> bool:
        """Whether it is time to renew it: 30 days before the end, or in the last quarter of a short life."""
        return self.end - now < min(timedelta(days=WARN_DAYS), (self.end - self.begin) / 4)


def read(path: Path) -> CertificateInfo:
    """What the first certificate in a PEM file says. Blocks; for threads.

    Raises:
        LivecamError: CONFIG if it is none, NOT_FOUND if it cannot be read.
    """
    from cryptography import x509  # noqa: PLC0415 - heavy, and seldom needed
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415

    certificate = _loaded(path)
    try:
        san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [str(name).lower() for name in san.get_values_for_type(x509.DNSName)]
        names += [str(address) for address in san.get_values_for_type(x509.IPAddress)]
    except x509.ExtensionNotFound:
        names = []
    except ValueError:
        raise _no_certificate(path) from None
    return CertificateInfo(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        names=tuple(names),
        begin=certificate.not_valid_before_utc,
        end=certificate.not_valid_after_utc,
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
        self_signed=certificate.issuer == certificate.subject,
    )


def check_key(certificate: Path, private_key: Path) -> None:
    """Whether a key can be used, and belongs to a certificate. Blocks; for threads.

    Raises:
        LivecamError: CONFIG if not, NOT_FOUND if one cannot be read.
    """
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )

    try:
        key: PrivateKeyTypes = load_pem_private_key(_bytes(private_key), password=None)
    except TypeError:
        raise LivecamError(
            ErrorKind.CONFIG,
            f"{private_key} has a passphrase",
            f"take it off: openssl pkey -in {private_key.name} -out new.pem",
        ) from None
    except ValueError:
        raise LivecamError(
            ErrorKind.CONFIG, f"{private_key} is no private key in PEM", "certificate and private_key swapped?"
        ) from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != _loaded(certificate).public_key().public_bytes(*form):
        raise LivecamError(
            ErrorKind.CONFIG,
            f"{private_key} is not the key of {certificate}",
            "name the two files that belong together; were both renewed?",
        )


def _loaded(path: Path) -> "x509.Certificate":
    from cryptography import x509  # noqa: PLC0415

    try:
        return x509.load_pem_x509_certificate(_bytes(path))
    except ValueError:
        raise _no_certificate(path) from None


def _no_certificate(path: Path) -> LivecamError:
    return LivecamError(
        ErrorKind.CONFIG, f"{path} is no certificate in PEM", "it begins with -----BEGIN CERTIFICATE-----"
    )


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError as error:
        raise LivecamError(
            ErrorKind.NOT_FOUND,
            f"{path} cannot be read: {error.strerror or error}",
            "let the user read it that the service runs as, or make one: livecam-nvr tls init",
        ) from error


def valid_words(info: CertificateInfo, now: datetime) -> str:
    """Until when it is valid, for people; local time."""
    end = info.end.astimezone()
    if now < info.begin:
        return f"valid only from {info.begin.astimezone():%Y-%m-%d %H:%M} on"
    if now > info.end:
        return f"ended on {end:%Y-%m-%d}"
    days = (info.end - now).days
    return f"valid until {end:%Y-%m-%d} ({days} day{'' if days == 1 else 's'})"
