"""`livecam-nvr discover` against a camera on loopback."""

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from support.onvif_camera import OnvifDevice, Stream
from support.ports import free_port
from support.waiting import PATIENCE_S

from livecam_nvr.cli.main import main
from livecam_nvr.config.load import load_config
from livecam_nvr.config.models import RtspCamera

SECRET = 'p@/:"ß%hunter2'


class Served:
    """A camera on a thread of its own: the command has a loop of its own."""

    def __init__(self) -> None:
        self.device = OnvifDevice(user="a d", password=SECRET)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> OnvifDevice:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.device.__aenter__(), self._loop).result(PATIENCE_S)
        return self.device

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self.device.__aexit__(), self._loop).result(PATIENCE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()


@pytest.fixture
def device() -> Iterator[OnvifDevice]:
    with Served() as device:
        yield device


@pytest.fixture
def password(tmp_path: Path) -> str:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n", "utf-8")
    return str(file)


def discover(device: OnvifDevice, *words: str) -> int:
    return main(["discover", "--address", device.place, *words])


def test_what_it_prints_can_be_pasted(
    device: OnvifDevice, password: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = quote(SECRET, safe="")
    device.streams.append(Stream("garage", path=f"user=admin_password={own}_channel=2", source="second"))
    device.streams.append(Stream("attic", path="cam?pwd=hunter2&channel=2", source="third"))
    assert discover(device, "--user", "a d", "--password-file", password) == 0
    said = capsys.readouterr()
    assert "hunter2" not in said.out + said.err
    assert "Acme Eye 3, 127.0.0.1" in said.out
    assert "  main  main stream: H.264, 1920x1080, 25 fps, 4096 kbit/s, sound: aac" in said.out
    assert "  sub   sub stream: H.264, 640x360, 15 fps, 512 kbit/s" in said.out
    assert "can be moved, gives snapshots, firmware 1.2.3" in said.out

    yaml = said.out[said.out.index("cameras:") :]
    file = tmp_path / "config.yaml"
    file.write_text(yaml.replace("PASSWORD", "new%40word"), "utf-8")
    first, second, third = load_config(file, tmp_path).cameras
    assert isinstance(first, RtspCamera)
    assert isinstance(second, RtspCamera)
    assert (first.id, first.name, second.id) == ("acme-eye-3-1", "Acme Eye 3 1", "acme-eye-3-2")
    assert first.url.get_secret_value() == "rtsp://a%20d:new%40word@127.0.0.1:554/main"
    assert first.sub_url is not None
    assert first.sub_url.get_secret_value() == "rtsp://a%20d:new%40word@127.0.0.1:554/sub"
    assert first.onvif_url is not None
    assert first.onvif_url.get_secret_value() == f"http://a%20d:new%40word@{device.place}/onvif/device_service"
    assert second.url.get_secret_value().endswith("/user=admin_password=new%40word_channel=2")
    assert second.sub_url is None
    assert isinstance(third, RtspCamera)
    assert third.url.get_secret_value().endswith("/cam?pwd=***&channel=2")
    assert "*** hides a password" in said.out


def test_json(device: OnvifDevice, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("LIVECAM_NVR_CAMERA_PASSWORD", SECRET)
    assert discover(device, "--user", "a d", "--json") == 0
    said = capsys.readouterr()
    assert "hunter2" not in said.out + said.err
    [camera] = json.loads(said.out)["cameras"]
    assert camera["host"] == "127.0.0.1"
    assert camera["onvif_url"] == device.url
    assert camera["error"] is None
    assert camera["choices"] == [{"main": "main", "sub": "sub"}]
    assert camera["description"]["profiles"][0]["stream_uri"] == "rtsp://127.0.0.1:554/main"


def test_a_wrong_password(device: OnvifDevice, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "wrong").write_text("hunter3")
    assert discover(device, "--user", "a d", "--password-file", str(tmp_path / "wrong")) == 0
    said = capsys.readouterr()
    assert "does not let the user 'a d' in" in said.out
    assert "cameras:" not in said.out
    assert "hunter" not in said.out + said.err
    assert device.refused == 1


def test_without_a_user(device: OnvifDevice, capsys: pytest.CaptureFixture[str]) -> None:
    assert discover(device) == 0
    said = capsys.readouterr().out
    assert "wants a user name and a password" in said
    assert "With --user NAME" in said


def test_an_open_camera(device: OnvifDevice, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    device.user = ""
    assert discover(device) == 0
    said = capsys.readouterr().out
    assert "PASSWORD" not in said
    (tmp_path / "config.yaml").write_text(said[said.index("cameras:") :], "utf-8")
    [camera] = load_config(tmp_path / "config.yaml", tmp_path).cameras
    assert isinstance(camera, RtspCamera)
    assert camera.url.get_secret_value() == "rtsp://127.0.0.1:554/main"


def test_nothing_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["discover", "--address", f"127.0.0.1:{free_port()}"]) == 1
    assert "cannot be reached" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--timeout", "0"], "not a number of seconds from 0.2 to 60"),
        (["--timeout", "nan"], "not a number of seconds"),
        (["--address"], "expected at least one argument"),
        (["--address", "http://u:hunter2@camera"], "use --user"),
        (["--address", "ftp://u:hunter2@camera"], "write it like 192.168.1.20"),
        (["--address", "x", "--password-file", "f"], "--password-file needs --user"),
        (["--address", "x", "--user", "u", "--password-file", "/nowhere"], "cannot read /nowhere"),
        (["--address", "x", "--user", "u"], "--user needs a password"),
        (["--address", "x", "--user", "u:v", "--password-file", "/dev/null"], "a user name has no colon"),
    ],
)
def test_wrong_words(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LIVECAM_NVR_CAMERA_PASSWORD", raising=False)
    assert main(["discover", *words]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert "hunter2" not in captured.err + captured.out
