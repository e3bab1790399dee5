"""Asks the service that runs, or orders something, with a token that lives only as long as the question."""

import asyncio
import json
import secrets
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

from livecam_nvr.cli.access_files import access_folder
from livecam_nvr.config.models import Config
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.storage.place.holder import holder

_PATIENCE_S: Final = 2.0
# The service looks for new tokens once a second.
_USUALLY_NOTICED_S: Final = 1.2
_NOTICED_S: Final = 4.0
_PAUSE_S: Final = 0.2
_TOKEN_NS: Final = 60 * 1_000_000_000
_REFUSED: Final = 401
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class _Question:
    path: str
    role: Role = Role.VIEWER
    order: Mapping[str, Any] | None = None
    """What is sent; None for a GET."""
    patience_s: float = _PATIENCE_S


_HOW_IT_IS: Final = _Question("/api/status")
_WHO_ASKS: Final = _Question("/api/session")
"""Answered to everybody."""


async def running_service(config: Config) -> dict[str, Any] | None:
    """The status of the service at the configured place (docs/ref/http.md).

    None if none runs; an empty one if one runs into this archive that does not say how it is.
    """
    from livecam_nvr.access.store import FILE  # noqa: PLC0415 - SQLite

    if not await asyncio.to_thread(_is_held, config):
        # Only a demo says it to everybody. One with other folders may still have the port.
        return _status((await _ask(config, _HOW_IT_IS))[1])
    if not (access_folder(config) / FILE).exists():
        return _status((await _ask(config, _HOW_IT_IS))[1]) or {}
    try:
        return _status((await _ask_with_token(config, _HOW_IT_IS, "doctor"))[1]) or {}
    except LivecamError:
        return {}


async def order_running(
    config: Config, path: str, order: Mapping[str, Any], *, name: str, patience_s: float
) -> dict[str, Any] | None:
    """What the service at the configured place answers to an order, as an operator of all cameras.

    Args:
        config: Says where the service would be.
        path: Where the order is posted to, as JSON (docs/ref/http.md).
        order: What is posted.
        name: What the token is called in the audit log, with some digits behind it.
        patience_s: How long the service may take.

    Returns:
        None if no service runs.

    Raises:
        LivecamError: What the service says if it refuses. UNAVAILABLE if one runs that does not answer.
    """
    from livecam_nvr.access.store import FILE  # noqa: PLC0415

    # A service whose disk is away records nowhere, so it holds no archive, and runs all the same.
    if not await asyncio.to_thread(_is_held, config) and "setup" not in (await _ask(config, _WHO_ASKS))[1]:
        return None
    question = _Question(path, Role.OPERATOR, order, patience_s)
    # In a demo, where everybody is let in, nobody has a token.
    has_tokens = (access_folder(config) / FILE).exists()
    code, answer = await (_ask_with_token(config, question, name) if has_tokens else _ask(config, question))
    if code == _OK:
        return answer
    try:
        said = answer["error"]
        refusal = LivecamError(ErrorKind(said["kind"]), said["message"], said["hint"])
    except (KeyError, TypeError, ValueError):
        raise LivecamError(
            ErrorKind.UNAVAILABLE,
            f"the livecam-nvr that runs does not answer at port {config.listen.http_port}",
            "see `livecam-nvr doctor`; or stop it and try again",
        ) from None
    raise refusal


def _is_held(config: Config) -> bool:
    try:
        return holder(config.recording.path) is not None
    except OSError:
        return False


async def _ask_with_token(config: Config, question: _Question, name: str) -> tuple[int, dict[str, Any]]:
    """As `_ask`; raises LivecamError if there can be no token."""
    from livecam_nvr.access.store import AccessStore  # noqa: PLC0415

    store = await asyncio.to_thread(AccessStore, access_folder(config))
    try:
        end = time.time_ns() + _TOKEN_NS
        name = f"{name}-{secrets.token_hex(4)}"
        made = await asyncio.to_thread(store.add_token, name, question.role, None, end)
        try:
            give_up = time.monotonic() + _NOTICED_S
            # Asked before it is known, it would be a refusal in the audit log.
            await asyncio.sleep(_USUALLY_NOTICED_S)
            while True:
                code, answer = await _ask(config, question, made.secret)
                if code != _REFUSED or time.monotonic() > give_up:
                    return code, answer
                await asyncio.sleep(_PAUSE_S)
        finally:
            await asyncio.to_thread(store.remove_token, made.info.id)
    finally:
        await asyncio.to_thread(store.close)


async def _ask(config: Config, question: _Question, token: str = "") -> tuple[int, dict[str, Any]]:
    """The status code, 0 if nothing answers; and the JSON object, empty if it is none."""
    listen = config.listen
    ip = ip_address(listen.address)
    host = str(ip) if not ip.is_unspecified else "::1" if ip.version == 6 else "127.0.0.1"  # noqa: PLR2004
    order = b"" if question.order is None else json.dumps(question.order).encode()
    lines = [f"{'POST' if order else 'GET'} {question.path} HTTP/1.0", "Host: localhost", "Connection: close"]
    if order:
        lines += ["Content-Type: application/json", f"Content-Length: {len(order)}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    try:
        async with asyncio.timeout(question.patience_s):
            context = _encrypted() if config.tls.enabled else None
            reader, writer = await asyncio.open_connection(host, listen.http_port, ssl=context)
            try:
                writer.write("\r\n".join([*lines, "", ""]).encode() + order)
                answer = bytearray()
                while more := await reader.read(1_000_000):
                    answer += more
            finally:
                writer.close()
        head, _, body = bytes(answer).partition(b"\r\n\r\n")
        code = int(head.split(b" ", 2)[1])
    except (OSError, TimeoutError, ValueError, IndexError):
        return 0, {}
    return code, _object(body)


def _encrypted() -> ssl.SSLContext:
    """This machine's own service: its certificate is for other names, and may well be self-signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _status(found: dict[str, Any]) -> dict[str, Any] | None:
    return found if {"cameras", "media_server", "broker"} <= found.keys() else None
