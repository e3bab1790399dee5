"""The certificate of the page: loads it, and takes up a new one while the service runs."""

import asyncio
import logging
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from livecam_nvr.config.models import TlsConfig
from livecam_nvr.domain.errors import ErrorKind, LivecamError

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 10.0
_SOON = timedelta(days=14)
_ONE = "name a certificate and the key that belongs to it, or make both: livecam-nvr tls init"

_State = tuple[tuple[int, int, int] | None, ...]


class Certificate:
    """Certificate and key, on which every connection's encryption begins.

    Args:
        config: With both files.
        look_every_s: How often is looked whether the files were replaced.
    """

    def __init__(self, config: TlsConfig, look_every_s: float = _LOOK_EVERY_S) -> None:
        if config.certificate is None or config.private_key is None:
            raise ValueError("there is no certificate")
        self._certificate, self._key = config.certificate, config.private_key
        self._look_every_s = look_every_s
        self._loaded: ssl.SSLContext | None = None
        self._seen: _State = ()

    async def open(self) -> ssl.SSLContext:
        """The context for listening; later certificates are used in it, too.

        Raises:
            LivecamError: CONFIG; says which file is wrong, and how.
        """
        self._seen = await asyncio.to_thread(self._state)
        self._loaded = context = await asyncio.to_thread(load, self._certificate, self._key)

        def newest(connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext) -> None:
            # Files are never loaded into a context that is in use: a certificate without its key would break it.
            if self._loaded is not None:
                connection.context = self._loaded

        context.sni_callback = newest  # asked for clients that name no host, too
        return context

    async def watch(self) -> None:
        """Takes up new files within seconds; until cancelled. What cannot be used is logged, the old ones stay."""
        before = self._seen
        while True:
            await asyncio.sleep(self._look_every_s)
            now = await asyncio.to_thread(self._state)
            # Unchanged since the last look: nobody is writing them any more, and both are the new ones.
            if now == before and now != self._seen:
                self._seen = now
                await self._renew()
            before = now

    async def _renew(self) -> None:
        try:
            self._loaded = await asyncio.to_thread(load, self._certificate, self._key)
        except LivecamError as error:
            _log.error("the new certificate is not used, the old one stays: %s; %s", error.message, error.hint)
        else:
            _log.info("the new certificate %s is in use", self._certificate)

    def _state(self) -> _State:
        return tuple(_signature(path) for path in (self._certificate, self._key))


def load(certificate: Path, key: Path) -> ssl.SSLContext:
    """A server's context: TLS 1.2 or newer, with Python's own choice of ciphers. Blocks; for threads.

    Raises:
        LivecamError: CONFIG; says which file is wrong, and how.
    """
    end = _end_of(certificate)
    _read("tls.private_key", key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=_no_passphrase(key))
    except ssl.SSLError as error:
        raise _unusable(certificate, key, error) from None
    left = end - datetime.now(UTC)
    if left < _SOON:
        told = "ended" if left < timedelta(0) else "ends"
        _log.warning("the certificate %s %s on %s: browsers refuse it then", certificate, told, f"{end:%Y-%m-%d}")
    return context


def _end_of(certificate: Path) -> datetime:
    from cryptography import x509  # noqa: PLC0415 - only with TLS

    try:
        return x509.load_pem_x509_certificate(_read("tls.certificate", certificate)).not_valid_after_utc
    except ValueError:
        raise LivecamError(
            ErrorKind.CONFIG,
            f"tls.certificate: {certificate} is no certificate in PEM",
            "it begins with -----BEGIN CERTIFICATE-----, the server's own first, then those that signed it",
        ) from None


def _read(setting: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LivecamError(
            ErrorKind.CONFIG, f"{setting}: {path} cannot be read: {error.strerror or error}", _ONE
        ) from None


def _no_passphrase(key: Path) -> Callable[[], str]:
    """Without this, OpenSSL would ask for it on the terminal."""

    def ask() -> str:
        raise LivecamError(
            ErrorKind.CONFIG,
            f"tls.private_key: {key} has a passphrase, which nobody can type when the service starts",
            f"take it off: openssl pkey -in {key.name} -out new.pem; and let nobody else read that file",
        )

    return ask


def _unusable(certificate: Path, key: Path, error: ssl.SSLError) -> LivecamError:
    if error.reason == "KEY_VALUES_MISMATCH":
        return LivecamError(
            ErrorKind.CONFIG, f"tls.private_key: {key} is not the key of {certificate}", "name files of one pair"
        )
    if error.reason in ("EE_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"):
        return LivecamError(
            ErrorKind.CONFIG, f"tls.certificate: {certificate} is too weak for today's browsers", _ONE
        )
    return LivecamError(ErrorKind.CONFIG, f"tls.private_key: {key} is no private key in PEM", _ONE)


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
