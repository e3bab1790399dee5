"""How doctor asks a running service, with a stand-in for that which knows tokens."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.ports import free_port

from livecam_nvr.access.self_signed import Files, make
from livecam_nvr.access.store import AccessStore
from livecam_nvr.cli.running import running_service
from livecam_nvr.config.load import parse_config
from livecam_nvr.config.models import Config
from livecam_nvr.domain.access import Role
from livecam_nvr.storage.place.lock import ArchiveLock
from livecam_nvr.storage.place.marker import Marker

STATUS = {"cameras": [], "media_server": {}, "broker": {}}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return parse_config(f"listen: {{http_port: {free_port()}}}\n", "config.yaml", tmp_path)


@pytest.fixture
def recording(config: Config) -> Iterator[None]:
    """As if a service recorded into the archive."""
    config.recording.path.mkdir()
    lock = ArchiveLock(config.recording.path, Marker(config.recording.path, config.data_dir))
    lock.ensure()
    yield
    lock.release()


class Stand:
    """Answers everybody with a body, or only those whose token is in the store."""

    def __init__(self, config: Config, body: bytes = json.dumps(STATUS).encode(), *, users: bool = False) -> None:
        self._config = config
        self._body = body
        self._users = users
        self.refused = 0

    @asynccontextmanager
    async def serving(self, context: ssl.SSLContext | None = None) -> AsyncIterator["Stand"]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", self._config.listen.http_port, ssl=context)
        async with server:
            yield self

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        # The first time as a service that has not looked yet.
        allowed = not self._users or (self.refused > 0 and self._knows(head))
        self.refused += not allowed
        code = b"200 OK" if allowed else b"401 Unauthorized"
        writer.write(b"HTTP/1.0 " + code + b"\r\n\r\n" + (self._body if allowed else b'{"error": "no"}'))
        await writer.drain()
        writer.close()

    def _knows(self, head: str) -> bool:
        with AccessStore(self._config.data_dir / "access") as store:
            return "Authorization: Bearer lnv_" in head and bool(store.tokens())


async def test_none_runs(config: Config) -> None:
    assert await running_service(config) is None


async def test_a_demo_tells_everybody(config: Config) -> None:
    async with Stand(config).serving():
        assert await running_service(config) == STATUS
        everywhere = config.model_copy(update={"listen": config.listen.model_copy(update={"address": "0.0.0.0"})})
        assert await running_service(everywhere) == STATUS


@pytest.mark.parametrize("body", [b'{"hello": "world"}', b"[]", b"\xff\xfe"])
async def test_others_are_not_it(config: Config, body: bytes) -> None:
    async with Stand(config, body).serving():
        assert await running_service(config) is None


@pytest.mark.usefixtures("recording")
async def test_it_is_asked_with_a_token_that_ends_with_the_question(config: Config) -> None:
    with AccessStore(config.data_dir / "access") as store:
        store.add_token("mine", Role.VIEWER, None)
    async with Stand(config, users=True).serving() as stand:
        assert await running_service(config) == STATUS
        assert stand.refused == 1
    with AccessStore(config.data_dir / "access") as store:
        assert [token.name for token in store.tokens()] == ["mine"]


@pytest.mark.usefixtures("recording")
async def test_one_that_does_not_answer_runs_all_the_same(config: Config) -> None:
    assert await running_service(config) == {}
    (config.data_dir / "access").mkdir(parents=True)
    (config.data_dir / "access" / "access.sqlite").write_bytes(b"nonsense" * 1000)
    assert await running_service(config) == {}


@pytest.mark.usefixtures("recording")
async def test_it_is_asked_encrypted(config: Config) -> None:
    files = Files.below(config.data_dir)
    await asyncio.to_thread(make, files, ["somewhere-else"], days=1, now=datetime.now(UTC))
    tls = config.tls.model_copy(update={"certificate": files.certificate, "private_key": files.private_key})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.private_key)
    async with Stand(config).serving(context):
        assert await running_service(config.model_copy(update={"tls": tls})) == STATUS
