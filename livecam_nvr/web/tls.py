"""The certificate of the page: loads it, and takes up a new one while the service runs."""

import asyncio
import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from livecam_nvr.config.models import TlsConfig
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.runtime.certificate import check_key, read, valid_words

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 10.0
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
    with _named("tls.certificate"):
        info = read(certificate)
    with _named("tls.private_key"):
        check_key(certificate, key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        weak = error.reason in ("EE_KEY_TOO_SMALL", "CA_MD_TOO_WEAK")
        reason = "is too weak for today's browsers" if weak else f"cannot be used: {error.reason or error}"
        raise LivecamError(ErrorKind.CONFIG, f"tls.certificate: {certificate} {reason}", _ONE) from None
    now = datetime.now(UTC)
    if now < info.begin or info.ends_soon(now):
        _log.warning("the certificate %s: %s", certificate, valid_words(info, now))
    return context


@contextmanager
def _named(setting: str) -> Iterator[None]:
    """Whatever is wrong with the file is wrong with this setting."""
    try:
        yield
    except LivecamError as error:
        raise LivecamError(ErrorKind.CONFIG, f"{setting}: {error.message}", error.hint) from None


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
