import json
from pathlib import Path

from livecam_nvr import __version__
from livecam_nvr.app.about import ServiceAbout
from livecam_nvr.config.load import parse_config


def about(folder: Path) -> ServiceAbout:
    cameras = [
        {"id": "cam0", "kind": "rtsp", "url": 'rtsp://me:hu"sh%21x@cam/psw=other_1', "sub_url": "rtsp://c/2"}
    ]
    text = json.dumps({"cameras": cameras, "mqtt": {"host": "b", "username": "me", "password": "broker word"}})
    found = parse_config(text, "config.yaml", folder)
    return ServiceAbout(lambda: found)


async def test_what_runs_here_is_told(tmp_path: Path) -> None:
    found = await about(tmp_path).versions()
    assert found["livecam-nvr"] == __version__
    assert found["ffmpeg"][0].isdigit()
    assert all(found.values())


async def test_the_checks_are_those_of_a_service_that_runs(tmp_path: Path) -> None:
    names = [check.name for check in await about(tmp_path).checks()]
    assert names == sorted(names)
    assert {"encoder", "MediaMTX", "GStreamer"} <= set(names)


def test_no_secret_is_in_the_config_that_is_shown(tmp_path: Path) -> None:
    shown = json.dumps(about(tmp_path).config())
    assert '"host": "b"' in shown
    for secret in ("hu", "other", "broker word"):
        assert secret not in shown.replace("Authority", "")


def test_secrets_are_taken_out_of_any_text(tmp_path: Path) -> None:
    said = ['hu"sh%21x is wrong', 'and hu"sh!x', "psw=other_1", "the broker word", json.dumps('hu"sh%21x')]
    clean = about(tmp_path).clean(" | ".join(said))
    for secret in ("sh%21x", "sh!x", "other", "broker word"):
        assert secret not in clean, clean
    assert "is wrong" in clean
