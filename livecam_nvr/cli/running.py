"""Asks the service that runs how it is, with a token that lives only as long as the question."""

import asyncio
import json
import secrets
import ssl
import time
from ipaddress import ip_address
from typing import Any, Final

from livecam_nvr.cli.access_files import access_folder
from livecam_nvr.config.models import Config
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.storage.place.holder import holder

_PATIENCE_S: Final = 2.0
# The service looks for new tokens once a second.
_USUALLY_NOTICED_S: Final = 1.2
_NOTICED_S: Final = 4.0
_PAUSE_S: Final = 0.2
_TOKEN_NS: Final = 60 * 1_000_000_000
_REFUSED: Final = 401


async def running_service(config: Config) -> dict[str, Any] | None:
    """The status of the service at the configured place (docs/ref/http.md).

    None if none runs; an empty one if one runs into this archive that does not say how it is.
    """
    from livecam_nvr.access.store import FILE  # noqa: PLC0415 - SQLite

    if not await asyncio.to_thread(_is_held, config):
        # Only a demo says it to everybody. One with other folders may still have the port.
        return (await _ask(config, ""))[1]
    if not (access_folder(config) / FILE).exists():
        return (await _ask(config, ""))[1] or {}
    try:
        return await _ask_with_token(config) or {}
    except LivecamError:
        return {}


def _is_held(config: Config) -> bool:
    try:
        return holder(config.recording.path) is not None
    except OSError:
        return False


async def _ask_with_token(config: Config) -> dict[str, Any] | None:
    from livecam_nvr.access.store import AccessStore  # noqa: PLC0415

    store = await asyncio.to_thread(AccessStore, access_folder(config))
    try:
        end = time.time_ns() + _TOKEN_NS
        name = f"doctor-{secrets.token_hex(4)}"
        made = await asyncio.to_thread(store.add_token, name, Role.VIEWER, None, end)
        try:
            give_up = time.monotonic() + _NOTICED_S
            # Asked before it is known, it would be a refusal in the audit log.
            await asyncio.sleep(_USUALLY_NOTICED_S)
            while True:
                code, status = await _ask(config, made.secret)
                if code != _REFUSED or time.monotonic() > give_up:
                    return status
                await asyncio.sleep(_PAUSE_S)
        finally:
            await asyncio.to_thread(store.remove_token, made.info.id)
    finally:
        await asyncio.to_thread(store.close)


async def _ask(config: Config, token: str) -> tuple[int, dict[str, Any] | None]:
    """The status code, 0 if nothing answers; and the status, if it is one of ours."""
    listen = config.listen
    ip = ip_address(listen.address)
    host = str(ip) if not ip.is_unspecified else "::1" if ip.version == 6 else "127.0.0.1"  # noqa: PLR2004
    lines = ["GET /api/status HTTP/1.0", "Host: localhost", "Connection: close"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    try:
        async with asyncio.timeout(_PATIENCE_S):
            context = _encrypted() if config.tls.enabled else None
            reader, writer = await asyncio.open_connection(host, listen.http_port, ssl=context)
            try:
                writer.write("\r\n".join([*lines, "", ""]).encode())
                answer = bytearray()
                while more := await reader.read(1_000_000):
                    answer += more
            finally:
                writer.close()
        head, _, body = bytes(answer).partition(b"\r\n\r\n")
        code = int(head.split(b" ", 2)[1])
    except (OSError, TimeoutError, ValueError, IndexError):
        return 0, None
    return code, _status(body)


def _encrypted() -> ssl.SSLContext:
    """This machine's own service: its certificate is for other names, and may well be self-signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _status(body: bytes) -> dict[str, Any] | None:
    try:
        status = json.loads(body)
    except ValueError:
        return None
    ours = isinstance(status, dict) and {"cameras", "media_server", "broker"} <= status.keys()
    return status if ours else None
