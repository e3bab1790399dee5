"""Certificates for the page."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from livecam_nvr.config.models import TlsConfig


def make_certificate(
    folder: Path, name: str = "nvr", *, days: float = 90, passphrase: bytes | None = None
) -> TlsConfig:
    """Writes `NAME.pem` and `NAME.key` for 127.0.0.1, valid for so many days from yesterday on."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    begin = now - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(min(begin, now + timedelta(days=days) - timedelta(days=1)))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    hidden = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    config = TlsConfig(certificate=folder / f"{name}.pem", private_key=folder / f"{name}.key")
    assert config.certificate is not None
    assert config.private_key is not None
    config.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    config.private_key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, hidden)
    )
    return config


def trusting(config: TlsConfig) -> ssl.SSLContext:
    """A client's context that trusts this certificate and no other."""
    return ssl.create_default_context(cafile=config.certificate)
