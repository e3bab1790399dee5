"""Secrets are planted in every place that the config has for them: nothing that the service says has one in it."""

import asyncio
import json
import os
import sys
import traceback
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from support.ports import free_port
from support.service import Service
from support.waiting import PATIENCE_S, until

from livecam_nvr.config.load import ConfigErrors, load_config, parse_config

MARK = "S3CRET"
CAMERAS = ("refused", "gone", "nameless", "inpath", "halved")


async def deny(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A camera that takes no password, over RTSP and HTTP."""
    try:
        while line := await reader.readline():
            first = line.split(b" ")
            sequence = b"1"
            while (header := await reader.readline()).strip():
                if header.lower().startswith(b"cseq:"):
                    sequence = header[5:].strip()
            protocol = first[-1].strip() if len(first) > 2 else b"RTSP/1.0"
            writer.write(
                protocol + b" 401 Unauthorized\r\nCSeq: " + sequence + b"\r\nContent-Length: 0\r\n"
                b'WWW-Authenticate: Basic realm="camera"\r\n\r\n'
            )
    except ConnectionError:
        pass
    finally:
        writer.close()


@pytest.fixture
async def camera_port() -> AsyncIterator[int]:
    server = await asyncio.start_server(deny, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def planted(folder: Path, broker_port: int, camera_port: int) -> dict[str, Any]:
    """What is in the config; all that is secret has the mark in it."""
    (folder / "broker").write_text(f"{MARK}-broker\n")
    (folder / "gone").write_text(f"rtsp://me:{MARK}-gone@127.0.0.1:{free_port()}/1\n")
    (folder / "sub").write_text(f"rtsp://me:{MARK}-sub@127.0.0.1:{camera_port}/2\n")
    (folder / "onvif").write_text(f"http://me:{MARK}-onvif@127.0.0.1:{camera_port}/onvif/device_service\n")
    here = f"127.0.0.1:{camera_port}"
    cameras = [
        {"id": "refused", "url": f"rtsp://me:{MARK}-1@{here}/1", "sub_url_file": "sub", "onvif_url_file": "onvif"},
        {"id": "gone", "url_file": "gone", "onvif_url": f"http://me:{MARK}-3@127.0.0.1:1/onvif"},
        {"id": "nameless", "url": "rtsp://me:${PLANTED}@no-such-camera.invalid/1"},
        {"id": "inpath", "url": f"rtsp://{here}/user=admin_password={MARK}-4_channel=1&pwd={MARK}-5"},
        {"id": "halved", "url": f'rtsp://me:{MARK}-6@{MARK}"-7@{here}/1'},
    ]
    return {
        "cameras": [{"kind": "rtsp", **camera} for camera in cameras],
        "mqtt": {"host": "127.0.0.1", "port": broker_port, "username": "me", "password_file": "broker"},
    }


async def say(*arguments: str) -> str:
    """All that a command prints."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "livecam_nvr",
        *arguments,
        env={**os.environ, "PLANTED": f"{MARK}-2"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await child.communicate()
    return out.decode()


def lines_with_a_secret(text: str) -> list[str]:
    return [line for line in text.splitlines() if MARK in line]


async def test_nothing_that_the_service_says_has_a_secret_in_it(broker, ears, camera_port, tmp_path):
    broker.kill()
    broker.users(me=f"{MARK}-broker")
    broker.start()
    service = Service(tmp_path, **planted(tmp_path, broker.port, camera_port))
    service.env["PLANTED"] = f"{MARK}-2"
    await service.start("--verbose", wait=False)
    try:
        async with ears(broker.port, username="me", password=f"{MARK}-broker") as ear:

            def all_told() -> bool:
                topics = [f"livecam-nvr/livecam/{camera}/status" for camera in CAMERAS]
                return all(ear.on(topic) and ear.on(topic)[-1].json["error"] for topic in topics)

            await until(all_told, f"every camera's fault; log:\n{service.read_log()}")
            heard = "\n".join(f"{h.topic} {h.payload!r}" for h in ear.heard)
        await until(lambda: answers_at_all(service), f"the page; log:\n{service.read_log()}")
        answers = [await answer(service, path) for path in ("/api/status", "/api/cameras/refused/ptz", "/none")]
    finally:
        await service.stop()
    log = service.read_log()
    assert "refuses user or password" in log
    assert "refuses user or password" in heard
    config = str(tmp_path / "config.yaml")
    validated = await say("validate", "--config", config)
    assert "The config is good" in validated
    for text in (log, heard, validated, await say("doctor", "--config", config), *answers):
        assert text
        assert lines_with_a_secret(text) == []


async def answers_at_all(service: Service) -> bool:
    """The broker is told of the cameras before there is a page."""
    try:
        await service.status()
    except OSError:
        return False
    return True


async def answer(service: Service, path: str) -> str:
    """What a page says, whether it is allowed or not."""

    def fetch() -> str:
        try:
            wanted = urllib.request.Request(service.url + path, headers=service.bearer)
            with urllib.request.urlopen(wanted, timeout=PATIENCE_S) as found:
                return f"{found.headers}\n{found.read().decode()}"
        except urllib.error.HTTPError as error:
            with error:
                return f"{error.headers}\n{error.read().decode()}"

    return await asyncio.to_thread(fetch)


async def test_a_config_shows_none_and_neither_do_its_mistakes(tmp_path, monkeypatch):
    monkeypatch.setenv("PLANTED", f"{MARK}-2")
    text = json.dumps(planted(tmp_path, 1883, 554))
    (tmp_path / "config.yaml").write_text(text)
    config = load_config(tmp_path / "config.yaml")
    for shown in (repr(config), str(config), config.model_dump_json(), repr(config.streams), repr(config.mqtt)):
        assert MARK not in shown
    for wrong in ("not-a-port", 0, [MARK]):
        spoilt = json.loads(text)
        spoilt["mqtt"]["port"] = wrong
        for camera in spoilt["cameras"]:
            camera["transport"] = f"{MARK}"[:3]
            for key in ("url", "onvif_url"):
                camera[key] = camera[key].replace("://", ":/") if key in camera else None
        with pytest.raises(ConfigErrors) as caught:
            parse_config(json.dumps(spoilt), "config.yaml", tmp_path)
        assert MARK not in "".join(traceback.format_exception(caught.value))
        assert len(caught.value.mistakes) > 5
