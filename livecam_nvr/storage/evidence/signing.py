"""The installation's Ed25519 key (RFC 8032), made when it is first needed."""

import base64
import contextlib
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from livecam_nvr.domain.errors import ErrorKind, LivecamError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_NAME = "signing-key.pem"
KEY_BYTES = 32
SIGNATURE_BYTES = 64


def key_path(data_dir: Path) -> Path:
    """Where the key lies."""
    return data_dir / _NAME


def signing_key(data_dir: Path) -> "Ed25519PrivateKey":
    """The key in the data folder; made (readable by its owner only) if there is none. Blocks; for threads.

    Raises:
        LivecamError: CONFIG if the file is something else, DISK if it cannot be read or made.
    """
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - heavy, and seldom needed
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    path = key_path(data_dir)
    try:
        if not path.exists():
            key = Ed25519PrivateKey.generate()
            pem = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            data_dir.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):  # another process was first: its key is the one
                _make(path, pem)
        found = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise LivecamError(
            ErrorKind.DISK,
            f"the signing key {path} cannot be read or made: {error.strerror or error}",
            "see that this user may write to data_dir",
        ) from error
    except ValueError as error:
        raise LivecamError(
            ErrorKind.CONFIG,
            f"{path} is no key",
            "put it back from a backup; or delete the file: later exports are then signed with a new key",
        ) from error
    if not isinstance(found, Ed25519PrivateKey):
        raise LivecamError(ErrorKind.CONFIG, f"{path} is no Ed25519 key", "delete the file: a new key is made")
    return found


def public_bytes(key: "Ed25519PrivateKey") -> bytes:
    """The raw public key, 32 bytes."""
    return key.public_key().public_bytes_raw()


def is_signed(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether the holder of the key has signed `data`."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(public: bytes) -> str:
    """What people compare: the first half of the key's SHA-256, in groups."""
    text = hashlib.sha256(public).hexdigest()[:32]
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def encode(data: bytes) -> str:
    """Bytes as text for JSON."""
    return base64.b64encode(data).decode()


def decode(text: str) -> bytes:
    """The way back. Raises ValueError."""
    return base64.b64decode(text, validate=True)


def _make(path: Path, pem: bytes) -> None:
    # Whole or not at all: half a key would be no key for ever.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, pem)
        owner = path.parent.stat()
        if os.geteuid() == 0:
            # A command that was run by root must not keep the service from its key.
            os.fchown(fd, owner.st_uid, owner.st_gid)
        os.fsync(fd)
    finally:
        os.close(fd)
    try:
        os.link(draft, path)
    finally:
        draft.unlink()
