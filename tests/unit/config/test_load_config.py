"""The loader: what it accepts, where it looks, and that nothing but ConfigErrors ever comes out of it."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livecam_nvr.config.load import ConfigErrors, ConfigMistake, load_config, parse_config
from livecam_nvr.config.models import CAMERA_KINDS, Config, FileCamera, RtspCamera, V4l2Camera
from livecam_nvr.domain.errors import ErrorKind

BASE = Path("/srv/cams")


def parse(text: str) -> Config:
    return parse_config(text, "config.yaml", BASE)


def test_no_file_means_two_test_cameras_in_the_home_folder(tmp_path: Path) -> None:
    config = load_config(None, tmp_path)
    assert [(c.id, c.kind) for c in config.cameras] == [("cam0", "test"), ("cam1", "test")]
    assert config.recording.path == tmp_path / "recordings"
    assert config.data_dir == tmp_path / "data"


def test_without_home_it_is_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("node: {id: here}\n")
    config = load_config()
    assert config.node.id == "here"
    assert config.recording.path == tmp_path / "recordings"


def test_mistakes_name_the_file_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("x: 1\n")
    for path, home in ((None, None), (None, tmp_path), (Path("config.yaml"), None)):
        with pytest.raises(ConfigErrors, match=r"^config\.yaml:1: x: unknown key"):
            load_config(path, home)


def test_relative_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    file = tmp_path / "etc" / "my.yaml"
    file.parent.mkdir()
    file.write_text(
        "recording: {path: ../rec}\ndata_dir: ~/data\nmedia_server: {mediamtx_path: bin/mediamtx}\n"
        "cameras:\n- {id: a, kind: file, path: not-there.mp4}\n- {id: b, kind: v4l2}\n"
    )
    config = load_config(file)
    assert config.recording.path == file.parent / "../rec"
    assert config.data_dir == Path("/home/someone/data")
    assert config.media_server.mediamtx_path == file.parent / "bin/mediamtx"
    replay, usb = config.cameras
    assert isinstance(replay, FileCamera)
    assert replay.path == file.parent / "not-there.mp4"
    assert isinstance(usb, V4l2Camera)
    assert usb.device == Path("/dev/video0")


def test_scalars_mean_what_their_field_makes_of_them() -> None:
    config = parse(
        "node: {name: 2026-01-01}\n"
        "listen: {http_port: '9001', address: 0.0.0.0}\n"
        "mqtt: {host: 10, password: 0123, username: yes}\n"
        "recording: {segment_seconds: 60.0, min_free: 500MB}\n"
        "cameras:\n- {id: 1, kind: test, enabled: no, record: on}\n- {id: '2', kind: test, enabled: 'False'}\n"
    )
    assert config.node.name == "2026-01-01"
    assert config.listen.http_port == 9001
    assert (config.mqtt.host, config.mqtt.username) == ("10", "yes")
    assert config.mqtt.password.get_secret_value() == "0123"
    assert config.recording.segment_seconds == 60
    assert config.recording.min_free == 500_000_000
    assert [(c.id, c.enabled, c.record) for c in config.cameras] == [("1", False, True), ("2", False, True)]


def test_a_key_with_nothing_after_it_counts_as_left_out() -> None:
    assert parse("mqtt:\n  # host: broker\nlisten:\n  http_port:\n") == parse("node: {}\n")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_bytes(b"\xef\xbb\xbfnode: {id: a}\r\n")
    assert load_config(file).node.id == "a"


def test_the_password_is_kept_and_not_shown() -> None:
    config = parse("cameras:\n- {id: a, kind: rtsp, url: 'rtsp://me:pa%40ss@cam/1'}\n")
    camera = config.cameras[0]
    assert isinstance(camera, RtspCamera)
    assert camera.url.get_secret_value() == "rtsp://me:pa%40ss@cam/1"
    assert "pa%40ss" not in repr(config)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"", "is empty"),
        (b"# only this\n", "is empty"),
        (b"node:\n  id: caf\xe9\n", ":2: holds bytes that are not UTF-8"),
        (b"a: \x07\n", ":1: holds a character that YAML does not allow"),
        (b"#" * 1_000_001, "larger than 1 MB"),
    ],
)
def test_files_that_are_no_config(tmp_path: Path, raw: bytes, problem: str) -> None:
    file = tmp_path / "c.yaml"
    file.write_bytes(raw)
    with pytest.raises(ConfigErrors) as caught:
        load_config(file)
    assert problem in str(caught.value)
    assert caught.value.kind is ErrorKind.CONFIG
    assert len(caught.value.mistakes) == 1


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match=r"there is no such file; .*init-config"):
        load_config(tmp_path / "none.yaml")
    with pytest.raises(ConfigErrors, match="is a folder; give the file itself"):
        load_config(tmp_path)


def test_a_dangling_link_is_not_silently_two_test_cameras(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").symlink_to("gone.yaml")
    with pytest.raises(ConfigErrors, match="no such file"):
        load_config(None, tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("node: {}")
    file.chmod(0)
    with pytest.raises(ConfigErrors, match="may not be read by this user"):
        load_config(file)


def test_the_table_of_kinds_is_complete() -> None:
    for kind, model in CAMERA_KINDS.items():
        assert get_args(model.model_fields["kind"].annotation) == (kind,)
    schema = Config.model_json_schema()["properties"]["cameras"]["items"]["discriminator"]["mapping"]
    assert set(schema) == set(CAMERA_KINDS)


_WORDS = st.sampled_from(
    [
        "cameras",
        "id",
        "kind",
        "url",
        "rtsp",
        "test",
        "listen",
        "http_port",
        "path",
        "~x/y",
        "&a",
        "*a",
        "!t",
        "- ",
        ": ",
        "\n",
        "  ",
        "\t",
        "[",
        "]",
        "{",
        "}",
        "'",
        '"',
        "#",
        "|",
        ">",
        "---",
        "%YAML 1",
        "? ",
        "<<: ",
        "null",
        "8889",
        ",",
    ]
)


def outcome(load: Callable[[], Config]) -> tuple[ConfigMistake, ...]:
    """Mistakes, of which there are some, or a whole config; anything else raises."""
    try:
        config = load()
    except ConfigErrors as error:
        mistakes = error.mistakes
    else:
        assert isinstance(config, Config)
        return ()
    assert mistakes
    return mistakes


@given(st.one_of(st.text(), st.lists(_WORDS, max_size=30).map("".join)))
@settings(max_examples=400, deadline=None)
def test_any_text_gives_a_config_or_config_errors(text: str) -> None:
    mistakes = outcome(lambda: parse(text))
    assert all(str(m).startswith("config.yaml") for m in mistakes)


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_bytes_give_a_config_or_config_errors(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "fuzz.yaml"
    file.write_bytes(raw)
    outcome(lambda: load_config(file))


_VALUES: st.SearchStrategy[object] = st.recursive(
    st.one_of(
        st.integers(), st.booleans(), st.floats(), st.text(max_size=8), st.sampled_from(["test", "rtsp", "8889"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "cameras",
                    "listen",
                    "id",
                    "kind",
                    "url",
                    "path",
                    "http_port",
                    "recording",
                    "mqtt",
                    "x",
                    "data_dir",
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@given(_VALUES)
@settings(max_examples=300, deadline=None)
def test_any_structure_gives_a_config_or_config_errors(value: object) -> None:
    # JSON is YAML, near enough.
    outcome(lambda: parse(json.dumps(value)))
