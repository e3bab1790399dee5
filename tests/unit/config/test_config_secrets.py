"""Secrets from files and from the environment: what arrives, what is refused, and who else may read them."""

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livecam_nvr.config.load import ConfigErrors, load_config, parse_config
from livecam_nvr.config.models import Config, RtspCamera
from livecam_nvr.config.secrets import loose_secrets

CAM = "cameras:\n- id: a\n  kind: rtsp\n"
MQTT = "mqtt:\n  host: broker\n  username: me\n"


def parse(text: str, base: Path = Path("/srv")) -> Config:
    return parse_config(text, "config.yaml", base)


def mistakes(text: str, base: Path = Path("/srv")) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        parse(text, base)
    return [str(m).removeprefix("config.yaml:") for m in caught.value.mistakes]


def camera(config: Config) -> RtspCamera:
    found = config.cameras[0]
    assert isinstance(found, RtspCamera)
    return found


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"s3cret", "s3cret"),
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b"\xef\xbb\xbf s3 cret \n", " s3 cret "),
        (b"${HOME}\n", "${HOME}"),
        (b"p\xc3\xa4ss\n", "päss"),
    ],
)
def test_a_file_holds_the_password_without_its_newline(tmp_path: Path, raw: bytes, value: str) -> None:
    (tmp_path / "pw").write_bytes(raw)
    config = parse(f"{MQTT}  password_file: pw\n", tmp_path)
    assert config.mqtt.password.get_secret_value() == value
    assert config.mqtt.password_file == tmp_path / "pw"
    assert value not in repr(config)


def test_all_addresses_of_a_camera_may_be_in_files(tmp_path: Path) -> None:
    for name, text in (("u", "rtsp://me:pw@cam/1"), ("s", "rtsp://me:pw@cam/2"), ("o", "http://me:pw@cam/onvif")):
        (tmp_path / name).write_text(text + "\n")
    config = parse(f"{CAM}  url_file: u\n  sub_url_file: {tmp_path}/s\n  onvif_url_file: o\n", tmp_path)
    big, small = config.streams
    assert camera(config).onvif_url is not None
    assert isinstance(big, RtspCamera)
    assert isinstance(small, RtspCamera)
    assert [big.url.get_secret_value(), small.url.get_secret_value()] == [
        "rtsp://me:pw@cam/1",
        "rtsp://me:pw@cam/2",
    ]
    assert (small.url_file, small.sub_url_file, small.onvif_url_file) == (None, None, None)


def test_relative_to_the_config_s_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "mqtt").write_text("here\n")
    (tmp_path / "config.yaml").write_text(f"{MQTT}  password_file: secrets/mqtt\n")
    monkeypatch.chdir("/")
    assert load_config(tmp_path / "config.yaml").mqtt.password.get_secret_value() == "here"


def test_systemd_s_folder_of_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mqtt").write_text("from systemd")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    config = parse(
        MQTT + "  password_file: ${CREDENTIALS_DIRECTORY}/mqtt\n  tls: true\n"
        "  client_certificate: ${CREDENTIALS_DIRECTORY}/cert\n  client_key: ${CREDENTIALS_DIRECTORY}/key\n"
        "tls:\n  certificate: ${CREDENTIALS_DIRECTORY}/c\n  private_key: ${CREDENTIALS_DIRECTORY}/k\n"
    )
    assert config.mqtt.password.get_secret_value() == "from systemd"
    assert config.mqtt.client_key == tmp_path / "key"
    assert config.tls.private_key == tmp_path / "k"


def test_the_environment_in_a_part_of_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "s3$cr${et}")  # what is put in is not looked at again
    monkeypatch.setenv("HOST_2", "cam")
    config = parse(f"{CAM}  url: rtsp://me:${{PW}}@${{HOST_2}}/1\n{MQTT}  password: ${{PW}}\n")
    assert camera(config).url.get_secret_value() == "rtsp://me:s3$cr${et}@cam/1"
    assert config.mqtt.password.get_secret_value() == "s3$cr${et}"


@pytest.mark.parametrize(
    ("written", "meant"),
    [("$${x}", "${x}"), ("a$b", "a$b"), ("$$", "$$"), ("$PW", "$PW"), ("$$${PW}", "$${PW}"), ("a}$", "a}$")],
)
def test_what_is_no_variable_stays(written: str, meant: str) -> None:
    assert parse(f"{MQTT}  password: '{written}'\n").mqtt.password.get_secret_value() == meant


def test_it_means_nothing_in_other_keys() -> None:
    config = parse("node: {name: '${HOME}'}\ndata_dir: '${HOME}/x'\nmqtt: {username: '${HOME}'}\n")
    assert config.node.name == config.mqtt.username == "${HOME}"
    assert config.data_dir == Path("/srv/${HOME}/x")


ALONE = "write the secret into it, alone and in one line"


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (None, f"there is no such file; {ALONE}; a relative path begins in the config file's folder"),
        (b"", f"is empty; {ALONE}"),
        (b"\n", f"is empty; {ALONE}"),
        (b"hunter2\nhunter2\n", f"holds more than one line, or a control character; {ALONE}"),
        (b"hunter2\0", f"holds more than one line, or a control character; {ALONE}"),
        (b"hunter2\xff", f"holds bytes that are not UTF-8 text; {ALONE}"),
        (b"hunter2" * 2500, f"is larger than 16 kB; is this the right file? {ALONE}"),
    ],
)
def test_files_that_hold_no_secret(tmp_path: Path, raw: bytes | None, told: str) -> None:
    if raw is not None:
        (tmp_path / "hunter2").write_bytes(raw)
    assert mistakes(f"{MQTT}  password_file: hunter2\n", tmp_path) == [f"4: mqtt.password_file: {told}"]
    assert mistakes(f"{CAM}  url_file: hunter2\n", tmp_path) == [f"4: cameras[0].url_file: {told}"]


def test_folders_pipes_and_sockets_are_no_secrets(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    os.mkfifo(tmp_path / "f")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        for name, told in (("d", "is a folder"), ("f", "is not a plain file"), ("s", "cannot be read: ")):
            (found,) = mistakes(f"{MQTT}  password_file: {name}\n", tmp_path)
            assert f"mqtt.password_file: {told}" in found


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "pw").touch(mode=0)
    (found,) = mistakes(f"{MQTT}  password_file: pw\n", tmp_path)
    assert "may not be read by this user" in found


def test_what_is_wrong_with_the_contents_is_told_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "u").write_text("http://me:hunter2@cam/\n")
    assert mistakes(f"{CAM}  url_file: u\n", tmp_path) == [
        "4: cameras[0].url_file: in that file: an address that begins with rtsp:// or rtsps:// is needed"
    ]
    (tmp_path / "u").write_text("rtsp://me:hunter2@cam/#1\n")
    assert mistakes(f"{CAM}  url_file: u\n", tmp_path) == [
        "4: cameras[0].url_file: in that file: holds a `#`; write it as %23"
    ]
    assert mistakes("mqtt: {host: b, password_file: u}\n", tmp_path) == [
        "1: mqtt.password_file: is not used without a `username`; write that, too, or neither"
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            CAM + "  url: rtsp://cam/1\n  url_file: hunter2\n",
            ["5: cameras[0].url_file: is there beside `url`; keep one of the two"],
        ),
        (
            MQTT + "  password: hunter2\n  password_file: hunter2\n",
            ["5: mqtt.password_file: is there beside `password`; keep one of the two"],
        ),
        (
            CAM + "  url_file: rtsp://me:hunter2@cam/1\n",
            [
                (
                    "4: cameras[0].url_file: is an address and not a path; the address of a camera is the"
                    " `url` of one of kind rtsp"
                )
            ],
        ),
        (
            CAM + "  url_file: ''\n",
            ["4: cameras[0].url_file: is empty; write a path, or leave the line out"],
        ),
        (
            CAM + "  url_file: ~no-such-user/x\n",
            ["4: cameras[0].url_file: `~` with a name that no user of this machine has; write the whole path"],
        ),
        (CAM, ["2: cameras[0].url: is missing; e.g. `url: rtsp://192.168.1.20:554/stream1`"]),
        (
            CAM + "  url: rtsp://me:${hunter2}@cam/1\n",
            [
                (
                    "4: cameras[0].url: the environment variable that it names is not there; set it for the"
                    " service; `$${` stands for `${` itself"
                )
            ],
        ),
        (
            CAM + "  url: ${EMPTY}\n  onvif_url: http://${NEWLINE}/\n",
            [
                (
                    "4: cameras[0].url: the environment variable that it names is empty; set it for the service;"
                    " `$${` stands for `${` itself"
                ),
                (
                    "5: cameras[0].onvif_url: the environment variable that it names holds a control"
                    " character; set it in one line"
                ),
            ],
        ),
        (
            MQTT + "  password: hunter${2}x\n",
            [
                (
                    "4: mqtt.password: holds a `${` without a name and a `}`; write `${NAME}`; `$${` stands"
                    " for `${` itself"
                )
            ],
        ),
        (
            MQTT + "  password_file: ${NOT_SET}/mqtt\n",
            [
                (
                    "4: mqtt.password_file: the environment variable `NOT_SET` is not there; set it for the"
                    " service; `$${` stands for `${` itself"
                )
            ],
        ),
        (
            "tls: {certificate: '${NOT_SET}/c', private_key: k}\n",
            [
                (
                    "1: tls.certificate: the environment variable `NOT_SET` is not there; set it for the service;"
                    " `$${` stands for `${` itself"
                )
            ],
        ),
        (
            MQTT + "  ca_file: ca.pem\n",
            ["4: mqtt.ca_file: is not used without `tls: true`; write that, too, or neither"],
        ),
        (
            MQTT + "  tls: true\n  client_key: k.pem\n",
            ["5: mqtt.client_key: is not used without `client_certificate`; write that, too, or neither"],
        ),
        (
            MQTT + "  tls: true\n  client_certificate: c.pem\n",
            ["5: mqtt.client_certificate: is not used without `client_key`; write that, too, or neither"],
        ),
        (
            "cameras:\n- {id: a, kind: test, url_file: hunter2}\n",
            ["2: cameras[0].url_file: unknown key; it belongs to cameras of kind rtsp"],
        ),
        (
            "cameras:\n- {id: a, kind: rtps, url_file: hunter2}\n",
            [
                (
                    '2: cameras[0].kind: "rtps" is not a kind of camera; one of test, rtsp, file, v4l2, picamera2;'
                    ' did you mean "rtsp"?'
                ),
                (
                    f"2: cameras[0].url_file: there is no such file; {ALONE}; a relative path begins in the config"
                    " file's folder"
                ),
            ],
        ),
        (
            "tls: {certificate: c.pem}\n",
            ["1: tls: certificate and private_key are needed together"],
        ),
        (
            "listen: {trusted_proxies: 10.0.0.1}\n",
            [
                (
                    '1: listen.trusted_proxies: "10.0.0.1" is not a list of IP addresses and networks; e.g.'
                    " `trusted_proxies: [172.30.33.0/24]`"
                )
            ],
        ),
        (
            "listen: {trusted_proxies: [proxy]}\n",
            ["1: listen.trusted_proxies: an IP address or network is needed, e.g. 172.30.33.0/24"],
        ),
        ("mqtt: {port: x}\n", ['1: mqtt.port: "x" is not a whole number from 1 to 65535; e.g. `port: 1883`']),
    ],
)
def test_the_words(text: str, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("NEWLINE", "hunter\n2")
    monkeypatch.delenv("NOT_SET", raising=False)
    assert mistakes(text) == told
    assert "hunter2" not in "\n".join(told)


@given(st.text(st.sampled_from("${}$a1 \n:@/#"), max_size=20))
@settings(deadline=None)
def test_any_password_is_taken_or_refused_in_words(text: str) -> None:
    quoted = text.replace("'", "''").replace("\n", " ")
    try:
        config = parse(f"{MQTT}  password: '{quoted}'\n")
    except ConfigErrors:
        assert "${" in quoted.replace("$${", "")
    else:
        assert config.mqtt.password.get_secret_value() == text.replace("\n", " ").replace("$${", "${")


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("", 1883),
        ("tls: true", 8883),
        ("tls: yes", 8883),
        ("tls: false", 1883),
        ("{tls: on, port: 1883}", 1883),
        ("{tls: 1, port: 9999}", 9999),
        ("port:", 1883),
    ],
)
def test_the_port_follows_tls_if_none_is_written(text: str, port: int) -> None:
    section = text if text.startswith("{") else f"{{{text}}}" if text and not text.endswith(":") else "{}"
    assert parse(f"mqtt: {section}\nnode: {{}}\n").mqtt.port == port


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder that everybody may enter, as /etc is; pytest's own are closed."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder not in (Path("/"), Path("/tmp")):
            folder.chmod(folder.stat().st_mode | 0o011)
    return tmp_path


def test_files_that_all_may_read_are_found(home: Path) -> None:
    (home / "pw").write_text("s3cret")
    (home / "u").write_text("rtsp://me:pw@cam/1")
    (home / "key").write_text("…")
    file = home / "config.yaml"
    file.write_text(
        f"{CAM}  url_file: u\n  onvif_url: http://me:pw@cam/\n{MQTT}  password_file: pw\n  tls: true\n"
        "  client_certificate: c\n  client_key: key\ntls: {certificate: c, private_key: missing}\n"
    )
    config = load_config(file)
    for name in ("pw", "u", "key", "config.yaml"):
        (home / name).chmod(0o644)
    found = loose_secrets(file, config)
    assert [(loose.file, loose.key) for loose in found] == [
        (file, "cameras[0].onvif_url"),
        (home / "pw", "mqtt.password_file"),
        (home / "key", "mqtt.client_key"),
        (home / "u", "cameras[0].url_file"),
    ]
    assert str(found[1]) == (
        f"{home}/pw holds a secret (mqtt.password_file) and may be read by every user of this machine;"
        f" chmod o-rwx {home}/pw"
    )
    assert not any("me:pw" in str(loose) for loose in found)
    for loose in found:
        loose.file.chmod(0o640)
    assert loose_secrets(file, config) == []


def test_in_a_closed_folder_nobody_else_can_read_them(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    (closed / "config.yaml").write_text(f"{MQTT}  password: s3cret\n")
    (closed / "config.yaml").chmod(0o644)
    config = load_config(closed / "config.yaml")
    assert loose_secrets(closed / "config.yaml", config) == []
    closed.chmod(0o755)
    assert [loose.key for loose in loose_secrets(closed / "config.yaml", config)] == ["mqtt.password"]


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (MQTT, False),
        (f"{MQTT}  password: ${{PW}}\n", False),
        (f"{MQTT}  password: x${{PW}}\n", True),
        (f"{CAM}  url: rtsp://cam/1\n", False),
        (f"{CAM}  url: rtsp://me@cam/1\n", False),
        (f"{CAM}  url: rtsp://me:${{PW}}@cam/1\n", False),
        (f"{CAM}  url: rtsp://me:pw@cam/1\n", True),
        (f"{CAM}  url: rtsp://cam/user=me_password=pw_channel=1\n", True),
        (f"{CAM}  url: rtsp://cam/1?pwd=${{PW}}\n", False),
    ],
)
def test_a_config_that_all_may_read_is_fine_without_secrets(
    home: Path, monkeypatch: pytest.MonkeyPatch, text: str, holds: bool
) -> None:
    monkeypatch.setenv("PW", "s3cret")
    file = home / "config.yaml"
    file.write_text(text)
    file.chmod(0o644)
    assert bool(loose_secrets(file, load_config(file))) is holds
    assert loose_secrets(None, load_config(file)) == []
    assert loose_secrets(home / "none.yaml", load_config(file)) == []
