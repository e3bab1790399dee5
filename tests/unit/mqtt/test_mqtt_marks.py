"""Marks of runs, and where they stood."""

import json
from pathlib import Path

import pytest

from livecam_nvr.mqtt.broker.mark import Mark
from livecam_nvr.mqtt.former.places import Place, Places

HERE = Place("127.0.0.1:1883", "livecam-nvr", "homeassistant", "home")
THERE = Place("127.0.0.1:1883", "livecam-nvr", "homeassistant", "house")


def test_a_mark_is_read_as_it_was_written() -> None:
    mark = Mark("1" * 32)
    assert Mark.parse(mark.encoded()) == mark
    assert Mark("1" * 32).run != mark.run
    assert Mark.parse(Mark("1" * 32).encoded()).same_installation(mark)


@pytest.mark.parametrize(
    "payload", [b"", b"0123456789abcdef", b"[]", b'{"install_id": 5, "run": null}', b"\xff\xfe", b"[" * 100_000]
)
def test_what_is_no_mark_is_nobodys(payload: bytes) -> None:
    found = Mark.parse(payload)
    assert found == Mark("", "")
    assert not found.same_installation(Mark(""))


def test_places_are_remembered_each_once(tmp_path: Path) -> None:
    path = tmp_path / "mqtt_places.json"
    assert Places(path).add(HERE) == []
    written = path.stat().st_mtime_ns
    assert Places(path).add(HERE) == []
    assert path.stat().st_mtime_ns == written  # nothing new: the disk is left alone
    assert Places(path).add(THERE) == [HERE]
    Places(path).remove(HERE)
    assert Places(path).add(THERE) == []


def test_only_so_many_places_are_remembered(tmp_path: Path) -> None:
    places = Places(tmp_path / "mqtt_places.json")
    for number in range(30):
        places.add(Place("b:1", "livecam-nvr", "homeassistant", f"n{number}"))
    assert [place.node_id for place in places.add(HERE)][-1] == "n29"
    assert len(places.add(HERE)) == 19


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"version": 1}',
        '{"version": 1, "places": [{"broker": "b"}]}',
        '{"version": 1, "places": 3}',
    ],
)
def test_a_damaged_file_is_said_and_replaced(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "mqtt_places.json"
    path.write_text(content)
    assert Places(path).add(HERE) == []
    assert "cannot be read" in caplog.text
    assert [found["node_id"] for found in json.loads(path.read_text())["places"]] == ["home"]


def test_nothing_is_remembered_without_a_file() -> None:
    assert Places(None).add(HERE) == []
    Places(None).remove(HERE)
