"""Changed values in the config's text: what does not change stays as somebody wrote it."""

import copy
from pathlib import Path
from typing import Any

import pytest

from livecam_nvr.config import editing, values
from livecam_nvr.config.load import parse_config
from livecam_nvr.config.source import parse
from livecam_nvr.domain.errors import LivecamError

FILE = """\
# At home.
node:
  name: Home   # for people

cameras:
  # The door.
  - id: front          # never changed
    kind: rtsp
    url: rtsp://anna:hunter2@10.0.0.5/one
    # Its retention.
    retention:
      max_age_days: 3
  # A test.
  - id: test
    kind: test
    fps: 15

  - kind: test
    id: other

mqtt:
  host: broker
  password: 'geheim'
# The end.
"""


def read(text: str) -> dict[str, Any]:
    """The values of a file."""
    return values.typed(parse(text, "config.yaml").data)


def changed(text: str, change: Any) -> str:
    """The text after `change` was done to what a form shows of it."""
    now = read(text)
    shown = values.masked(now)
    change(shown)
    want, mistakes = values.unmasked(shown, now, "config.yaml")
    assert mistakes == []
    return editing.edited(text, want)


def test_what_is_shown_and_sent_back_changes_nothing() -> None:
    example = (Path(__file__).parents[3] / "config.example.yaml").read_text()
    for text in (FILE, example):
        assert changed(text, lambda _: None) == text


def test_a_form_sees_no_secret() -> None:
    shown = values.masked(read(FILE))
    assert shown["cameras"][0]["url"] == {"secret": True, "set": True}
    assert shown["mqtt"]["password"] == {"secret": True, "set": True}
    assert "hunter2" not in str(shown)
    assert "geheim" not in str(shown)
    assert (shown["cameras"][1]["fps"], shown["cameras"][0]["retention"]["max_age_days"]) == (15, 3)


def test_a_value_is_replaced_where_it_stands() -> None:
    def change(shown: dict[str, Any]) -> None:
        shown["node"]["name"] = "Zu Hause: 1"
        shown["cameras"][0]["retention"]["max_age_days"] = 7
        shown["mqtt"]["password"] = "it's new"

    expected = (
        FILE.replace("name: Home", "name: 'Zu Hause: 1'")
        .replace("max_age_days: 3", "max_age_days: 7")
        .replace("'geheim'", "'it''s new'")
    )
    assert changed(FILE, change) == expected


def test_keys_come_and_go() -> None:
    def change(shown: dict[str, Any]) -> None:
        del shown["cameras"][0]["retention"]
        shown["cameras"][1]["overlay"] = True
        del shown["cameras"][2]["kind"]
        shown["cameras"][2]["kind"] = "test"
        shown["cameras"][2]["schedule"] = [{"days": ["mon"], "begin": "08:00"}]
        shown["mqtt"]["host"] = None
        shown["recording"] = {"retention": {"max_size": "10GB"}}

    text = changed(FILE, change)
    assert text == FILE.replace("    retention:\n      max_age_days: 3\n", "").replace(
        "    fps: 15\n", "    fps: 15\n    overlay: true\n"
    ).replace(
        "    id: other\n",
        "    id: other\n    schedule:\n      - days: [mon]\n        begin: '08:00'\n",
    ).replace("  host: broker\n", "").replace(
        "'geheim'\n", "'geheim'\nrecording:\n  retention:\n    max_size: 10GB\n"
    )


def test_the_last_section_and_a_new_one_grow_at_once() -> None:
    def change(shown: dict[str, Any]) -> None:
        shown["mqtt"]["port"] = 1884
        shown["listen"] = {"http_port": 8080}

    text = changed(FILE, change)
    assert read(text)["mqtt"] == {"host": "broker", "password": "geheim", "port": 1884}
    assert read(text)["listen"] == {"http_port": 8080}


def test_cameras_come_and_go() -> None:
    def change(shown: dict[str, Any]) -> None:
        del shown["cameras"][1]
        shown["cameras"].append(
            {"id": "new", "kind": "file", "path": "/a b.mp4", "masks": [[[0, 0], [1, 0], [1, 1]]]}
        )

    text = changed(FILE, change)
    assert text == FILE.replace("  - id: test\n    kind: test\n    fps: 15\n", "").replace(
        "    id: other\n",
        "    id: other\n  - id: new\n    kind: file\n    path: /a b.mp4\n    masks: [[[0, 0], [1, 0], [1, 1]]]\n",
    )
    config = parse_config(text.replace("mqtt:", "mqtt:\n  username: u"), "config.yaml", Path("/x"))
    assert [camera.id for camera in config.cameras] == ["front", "other", "new"]


def test_another_order_keeps_all_that_counts() -> None:
    text = changed(FILE, lambda shown: shown["cameras"].reverse())
    assert [camera["id"] for camera in read(text)["cameras"]] == ["other", "test", "front"]
    assert read(text)["cameras"][2]["url"] == "rtsp://anna:hunter2@10.0.0.5/one"
    assert "# The end." in text


@pytest.mark.parametrize("text", ["", "# Nothing yet.\n"])
def test_a_file_that_is_not_there_is_made(text: str) -> None:
    made = editing.edited(text, {"node": {"name": "Home"}, "cameras": [{"id": "a", "kind": "test"}]})
    assert made == f"{text}node:\n  name: Home\ncameras:\n  - id: a\n    kind: test\n"


def test_a_file_in_one_line_is_written_anew() -> None:
    text = changed('{"node": {"name": "Home"}}', lambda shown: shown["node"].update(name="Here"))
    assert read(text) == {"node": {"name": "Here"}}


@pytest.mark.parametrize(
    "value",
    ["yes", "null", "~", "", " a", "a ", "it's", '"', "#", "a: b", "- a", "0123", "1e3", "&a", "*a", "ä", "{a}",
     "a, b", "a\tb", "\\", "%", "@", "`", "!x", "> y", "| z", "rtsp://u:p%23@h/x?a=b#c", "a #b", "08:00"],
)  # fmt: skip
def test_any_text_comes_back_as_it_was(value: str) -> None:
    for place in ("password", "username"):
        text = changed(FILE, lambda shown, place=place: shown["mqtt"].update({place: value}))
        assert read(text)["mqtt"][place] == value


def test_a_secret_that_nobody_knows_is_a_mistake() -> None:
    now = read(FILE)
    shown = copy.deepcopy(values.masked(now))
    shown["cameras"][0]["id"] = "renamed"
    _, mistakes = values.unmasked(shown, now, "config.yaml")
    assert [mistake.key for mistake in mistakes] == ["cameras[0].url"]


def test_a_secret_goes_with_its_camera() -> None:
    def change(shown: dict[str, Any]) -> None:
        shown["cameras"].insert(0, {"id": "first", "kind": "test"})

    assert read(changed(FILE, change))["cameras"][1]["url"] == "rtsp://anna:hunter2@10.0.0.5/one"


def test_the_difference_shows_no_secret() -> None:
    def change(shown: dict[str, Any]) -> None:
        shown["mqtt"]["password"] = "fresh"
        shown["cameras"][0]["url"] = "rtsp://10.0.0.6/two"
        shown["mqtt"]["port"] = 1884

    lines = editing.differences(FILE, changed(FILE, change), "config.yaml")
    text = "\n".join(lines)
    assert not {"geheim", "fresh", "hunter2", "10.0.0.5", "10.0.0.6"} & set(text.replace("'", " ").split())
    assert "hunter2" not in text
    assert "+  port: 1884" in lines
    assert "-  password: ***" in lines
    assert "+  password: *** (new)" in lines


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(LivecamError, match="cannot be put into"):
        editing.edited(
            "? node\n: {name: x}\nnode2: y\n", {"node": {"name": "z", "id": "q"}, "node2": {"a": "b"}, "c": []}
        )
