"""MQTT over TLS with a real broker: who is trusted, who is not, and why, in words."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.mqtt_certificates import Authority
from support.own_time import within_own_time
from support.ports import free_port
from support.waiting import until

from livecam_nvr.config.models import NodeConfig
from livecam_nvr.config.mqtt import MqttConfig
from livecam_nvr.mqtt.checks import BrokerCheck

HUB = "homeassistant/device/livecam-nvr_home/config"
SWITCH = "livecam-nvr/home/cam0/recording"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def encrypted(broker, authority: Authority) -> Callable[..., None]:
    """Starts the broker anew with a certificate for these names."""

    def start(*hosts: str, more: tuple[str, ...] = (), **kind: Any) -> None:
        broker.kill()
        certificate, key = authority.issue("broker", *hosts, **kind)
        broker.encrypt(certificate, key, *more)
        broker.start()

    return start


async def found(port: int, host: str = "127.0.0.1", **config: object) -> tuple[str, str]:
    """What doctor finds wrong, and its hint; both empty if nothing is."""
    settings = MqttConfig.model_validate({"host": host, "port": port, "tls": True, **config})
    (check,) = await BrokerCheck(settings, NodeConfig(id="home", name="x")).check()
    return ("", "") if check.ok else (check.found, check.mend)


async def test_user_and_password_over_tls_and_a_switch_that_moves(homes, broker, authority, encrypted, ears):
    broker.users(me="hunter2-secret")
    encrypted("localhost")
    home = homes(
        broker.port,
        host="localhost",
        tls=True,
        ca_file=str(authority.file),
        username="me",
        password="hunter2-secret",
    )
    await home.connected()
    trusting = ssl.create_default_context(cafile=str(authority.file))
    trusting.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    trusting.check_hostname = False
    async with ears(broker.port, username="me", password="hunter2-secret", tls_context=trusting) as ear:
        await ear.hears(HUB)
        await ear.hears("livecam-nvr/home/cam1/snapshot")
        await ear.say(f"{SWITCH}/set", "OFF")
        await ear.hears(SWITCH, b"OFF")
        await home.service.stop()
        await ear.hears("livecam-nvr/home/status", b"offline")


async def test_the_password_is_still_checked(broker, authority, encrypted):
    broker.users(me="right-one")
    encrypted("localhost")
    said, mend = await found(
        broker.port,
        "localhost",
        ca_file=authority.file,
        username="me",
        password="hunter2",
    )
    assert said == f"the broker localhost:{broker.port} refuses the user 'me' or the password"
    assert "hunter2" not in said + mend


async def test_it_goes_by_the_name_in_the_certificate(broker, authority, encrypted):
    encrypted("localhost")
    assert await found(broker.port, "localhost", ca_file=authority.file) == ("", "")
    said, mend = await found(broker.port, ca_file=authority.file)
    assert said == (f"the certificate of the broker 127.0.0.1:{broker.port} is for another name than '127.0.0.1'")
    assert "mqtt.host" in mend
    encrypted("127.0.0.1", "other.example")
    assert await found(broker.port, ca_file=authority.file) == ("", "")
    said, _ = await found(broker.port, "localhost", ca_file=authority.file)
    assert "is for another name than 'localhost'" in said


async def test_a_self_signed_one_is_trusted_by_its_own_file_only(broker, authority, encrypted, tmp_path):
    encrypted("127.0.0.1", self_signed=True)
    assert await found(broker.port, ca_file=tmp_path / "broker.pem") == ("", "")
    said, mend = await found(broker.port, ca_file=authority.file)
    assert (
        said
        == f"the certificate of the broker 127.0.0.1:{broker.port} is not signed by mqtt.ca_file {authority.file}"
    )
    assert "whoever signed" in mend
    said, mend = await found(broker.port)
    assert (
        said
        == f"the certificate of the broker 127.0.0.1:{broker.port} is signed by nobody whom this system trusts"
    )
    assert "set mqtt.ca_file" in mend


async def test_an_expired_one(broker, authority, encrypted):
    encrypted("127.0.0.1", days=-1)
    said, mend = await found(broker.port, ca_file=authority.file)
    assert said == f"the certificate of the broker 127.0.0.1:{broker.port} has expired"
    assert "clock" in mend


async def test_a_broker_that_wants_a_certificate_from_us(broker, authority, encrypted, tmp_path):
    encrypted("127.0.0.1", more=(f"cafile {authority.file}", "require_certificate true"))
    said, mend = await found(broker.port, ca_file=authority.file)
    assert said == f"the broker 127.0.0.1:{broker.port} wants a certificate from us"
    assert mend == "set mqtt.client_certificate and mqtt.client_key"
    certificate, key = authority.issue("service")
    ours = {"ca_file": authority.file, "client_certificate": certificate, "client_key": key}
    assert await found(broker.port, **ours) == ("", "")
    authority.issue("service", days=-1)
    said, mend = await found(broker.port, **ours)
    assert said == f"the broker 127.0.0.1:{broker.port} refuses our certificate: it has expired"
    (tmp_path / "elsewhere").mkdir()
    certificate, key = Authority(tmp_path / "elsewhere", "Other CA").issue("stranger")
    said, mend = await found(broker.port, ca_file=authority.file, client_certificate=certificate, client_key=key)
    assert said == (
        f"the broker 127.0.0.1:{broker.port} refuses our certificate: the broker does not know who signed it"
    )
    assert "client_certificate" in mend


async def test_tls_1_2_asks_for_a_certificate_in_its_greeting(authority):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.file))
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    context.load_cert_chain(*authority.issue("broker", "127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def greet(listener: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(listener.accept()[0], server_side=True):
            pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        (said, _), _ = await asyncio.gather(
            found(port, ca_file=authority.file), asyncio.to_thread(greet, listener)
        )
        assert said == f"the broker 127.0.0.1:{port} wants a certificate from us"
        certificate, key = authority.issue("service", days=-1)
        (said, _), _ = await asyncio.gather(
            found(port, ca_file=authority.file, client_certificate=certificate, client_key=key),
            asyncio.to_thread(greet, listener),
        )
        assert said == f"the broker 127.0.0.1:{port} refuses our certificate: it has expired"


async def test_a_renewed_certificate_is_picked_up_without_a_restart(homes, broker, authority, encrypted):
    encrypted("127.0.0.1", more=(f"cafile {authority.file}", "require_certificate true"))
    certificate, key = authority.issue("service", days=-1)
    files = {"ca_file": str(authority.file), "client_certificate": str(certificate), "client_key": str(key)}
    home = homes(broker.port, tls=True, **files)
    await home.service.start()
    await until(lambda: home.service.status().fault, what="a fault")
    assert "it has expired" in home.service.status().fault.message
    authority.issue("service")
    await until(lambda: home.service.status().connected, what="connected")
    assert home.service.status().fault is None


async def test_tls_to_a_plain_port_and_plain_to_a_tls_port(broker, authority, encrypted):
    said, mend = await found(broker.port, ca_file=authority.file)
    assert said == f"127.0.0.1:{broker.port} takes connections but does not speak TLS"
    assert "8883" in mend
    encrypted("127.0.0.1")
    said, mend = await found(broker.port, tls=False)
    assert said == f"127.0.0.1:{broker.port} wants to be spoken to with TLS"
    assert "set mqtt.tls: true" in mend


async def test_something_else_that_speaks_tls(authority):
    certificate, key = authority.issue("web", "127.0.0.1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        said, mend = await found(port, ca_file=authority.file)
    assert said == f"127.0.0.1:{port} takes connections but does not answer as an MQTT broker"
    assert "8883 is usual" in mend


async def test_files_that_cannot_be_used(broker, authority, encrypted, tmp_path):
    encrypted("127.0.0.1")
    certificate, key = authority.issue("service")
    _, other = authority.issue("other")
    _, locked = authority.issue("locked", passphrase=b"hunter2")
    empty = tmp_path / "empty"
    empty.touch()
    gone = tmp_path / "gone"
    both = {"ca_file": authority.file, "client_certificate": certificate, "client_key": key}
    for changed, told in (
        ({"ca_file": gone}, f"mqtt.ca_file {gone} cannot be read: no such file or directory"),
        ({"ca_file": tmp_path}, f"mqtt.ca_file {tmp_path} cannot be read: is a directory"),
        ({"ca_file": empty}, f"mqtt.ca_file {empty} holds no certificates"),
        ({"client_key": gone}, f"mqtt.client_key {gone} cannot be read: no such file or directory"),
        ({"client_key": other}, f"mqtt.client_key {other} does not belong to mqtt.client_certificate"),
        ({"client_key": locked}, f"mqtt.client_key {locked} has a passphrase"),
        (
            {"client_certificate": empty},
            f"mqtt.client_certificate {empty} and mqtt.client_key {key} cannot be used",
        ),
    ):
        said, mend = await found(broker.port, **{**both, **changed})
        assert said == told
        assert mend


async def test_a_port_that_takes_connections_and_says_nothing_does_not_hold_up_a_stop(homes, authority):
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", free_port())
    async with server:
        home = homes(server.sockets[0].getsockname()[1], tls=True, ca_file=str(authority.file))
        await home.service.start()
        await asyncio.sleep(0)
        async with within_own_time(1.0, "the stop"):
            await home.service.stop()
