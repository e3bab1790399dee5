"""Each mistake is told with file, line, key, what is wrong and what would be right; all of them at once."""

from pathlib import Path

import pytest

from livecam_nvr.config.load import ConfigErrors, parse_config


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        parse_config(text, "config.yaml", Path("/srv"))
    assert str(caught.value).splitlines() == [str(m) for m in caught.value.mistakes]
    return [str(m) for m in caught.value.mistakes]


CAM = "cameras:\n- id: a\n  kind: rtsp\n  url: rtsp://cam/1\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            CAM + "  transprot: tcp\n",
            '5: cameras[0].transprot: unknown key; did you mean "transport"?',
        ),
        (
            CAM + "  fps: 5\n",
            "5: cameras[0].fps: unknown key; it belongs to cameras of kind test, v4l2, picamera2",
        ),
        ("http_port: 1\n", "1: http_port: unknown key; it belongs under `listen:`"),
        (
            "mqtt:\n  cameras: 1\n",
            "2: mqtt.cameras: unknown key; it belongs to the left margin, outside of any section",
        ),
        (
            "node: {colour: red}\n",
            "1: node.colour: unknown key; known here: id, name",
        ),
        (
            "listen:\n  http_port: 80001\n",
            '2: listen.http_port: "80001" is not a whole number from 1 to 65535; e.g. `http_port: 8001`',
        ),
        (
            "recording:\n  segment_seconds: half a minute\n",
            (
                '2: recording.segment_seconds: "half a minute" is not a whole number from 10 to 3600;'
                " e.g. `segment_seconds: 30`"
            ),
        ),
        (
            "recording: {durability_seconds: 0.1}\n",
            (
                '1: recording.durability_seconds: "0.1" is not a number from 0.5 to 300;'
                " e.g. `durability_seconds: 5`"
            ),
        ),
        (
            "recording: {min_free: much}\n",
            '1: recording.min_free: "much" is not a size such as 500MB or 2GiB; e.g. `min_free: 1.0GiB`',
        ),
        (
            CAM + "  enabled: maybe\n",
            '5: cameras[0].enabled: "maybe" is not true or false; e.g. `enabled: true`',
        ),
        (
            CAM + "  transport: upd\n",
            '5: cameras[0].transport: "upd" is not one of tcp, udp; did you mean "udp"?',
        ),
        (
            "cameras:\n- id: a\n  kind: test\n  size: 1281x720\n",
            (
                '4: cameras[0].size: "1281x720" is not WIDTHxHEIGHT with even numbers of pixels up to 9998;'
                " e.g. `size: 1280x720`"
            ),
        ),
        (
            "cameras:\n- id: Front Door\n  kind: test\n",
            (
                '2: cameras[0].id: "Front Door" is not 1 to 32 of the characters a-z, 0-9, - and _, beginning'
                " with a letter or a digit; e.g. `id: cam0`"
            ),
        ),
        (
            "mqtt: {base_topic: home/#}\n",
            (
                '1: mqtt.base_topic: "home/#" is not an MQTT topic: no spaces, no + or #, no / at either end;'
                " e.g. `base_topic: livecam-nvr`"
            ),
        ),
        (
            "node: {name: ''}\n",
            '1: node.name: "" is not text of 1 to 64 characters; e.g. `name: livecam-nvr`',
        ),
        (
            "mqtt: broker\n",
            '1: mqtt: "broker" is not a section (`key: value` lines, indented under it)',
        ),
        (
            "cameras: 2\n",
            '1: cameras: "2" is not a list (entries that begin with `- `, indented under it)',
        ),
        (
            "cameras: []\n",
            "1: cameras: must have 1 to 64 entries; leave `cameras` out for two test cameras",
        ),
        (
            CAM + "-\n",
            "5: cameras[1]: an entry must consist of `key: value` lines; e.g. `- id: cam0`",
        ),
        ("data_dir: [a]\n", "1: data_dir: a list is not a path; e.g. `data_dir: data`"),
        ("data_dir: ''\n", "1: data_dir: is empty; write a path, or leave the line out"),
        (
            'data_dir: "a\\0b"\n',
            "1: data_dir: holds a control character; write the path in 'single quotes'",
        ),
        (
            "recording: {path: ~no-such-user/rec}\n",
            "1: recording.path: `~` with a name that no user of this machine has; write the whole path",
        ),
        ("just text\n", "1: the file must consist of `key: value` lines; see init-config"),
        ("- a\n", "1: the file must consist of `key: value` lines; see init-config"),
        (
            "cameras:\n- kind: test\n  name: A\n",
            "2: cameras[0].id: is missing; e.g. `id: cam0`",
        ),
        (
            "cameras:\n- id: a\n  kind: rtsp\n  url:\n",
            "4: cameras[0].url: is missing; e.g. `url: rtsp://192.168.1.20:554/stream1`",
        ),
        ("cameras:\n- id: a\n", "2: cameras[0].kind: is missing; one of test, rtsp, file, v4l2, picamera2"),
        (
            "cameras:\n- id: a\n  kind: rstp\n",
            (
                '3: cameras[0].kind: "rstp" is not a kind of camera; one of test, rtsp, file, v4l2, picamera2;'
                ' did you mean "rtsp"?'
            ),
        ),
        (
            "mqtt: {host: b, password: secret}\n",
            "1: mqtt.password: is not used without a `username`; write that, too, or neither",
        ),
        (
            CAM + "  masks: [[[0, 0], [0.3, 0]]]\n",
            (
                "5: cameras[0].masks: a list is not a list of areas, each a list of at least 3 points [x, y] with"
                " both from 0 to 1; e.g. `masks: [[[0, 0], [0.3, 0], [0.3, 0.2]]]`"
            ),
        ),
        (
            CAM + "  masks: [[[0, 0], [0.3, 0.3], [0.6, 0.6]]]\n",
            "5: cameras[0].masks: a mask whose points lie on one line hides nothing",
        ),
        (
            CAM + "  sub_url: http://user:secret@cam/2\n",
            "5: cameras[0].sub_url: an address that begins with rtsp:// or rtsps:// is needed",
        ),
        (
            CAM + "  onvif_url: [secret]\n",
            (
                "5: cameras[0].onvif_url: this is not text; e.g."
                " `onvif_url: http://192.168.1.20/onvif/device_service`"
            ),
        ),
        (
            CAM + "  sub_url: rtsp://cam/2\n- id: a_sub\n  kind: test\n",
            (
                "6: cameras[1].id: the smaller stream of the camera in line 2 has this id; give this camera"
                " another one"
            ),
        ),
        (
            "cameras:\n- id: a\n  kind: picamera2\n  focus: near\n",
            '4: cameras[0].focus: "near" is not auto, continuous, or dioptres from 0 to 32; e.g. `focus: 2.5`',
        ),
        (
            "cameras:\n- id: a\n  kind: picamera2\n  white_balance: [1]\n",
            (
                "4: cameras[0].white_balance: a list is not a mode such as auto or daylight, or the two gains"
                " [red, blue], each above 0 and up to 32; e.g. `white_balance: [1.8, 1.5]`"
            ),
        ),
        (
            "cameras:\n- id: a\n  kind: v4l2\n  controls: {Brightness: 1}\n",
            (
                "4: cameras[0].controls: a section is not names of the camera's controls, each with a whole"
                " number; e.g. `controls: {brightness: 10}`"
            ),
        ),
        (
            "cameras:\n- id: a\n  kind: test\n  drills:\n  - what: explode\n",
            '5: cameras[0].drills[0].what: "explode" is not one of drop, stall, clock_jump, disconnect',
        ),
        (
            "cameras:\n- id: a\n  kind: test\n  drills:\n  - {what: stall, for_seconds: 70}\n",
            "5: cameras[0].drills[0]: for_seconds must be less than every_seconds",
        ),
        (
            CAM + "- id: a\n  kind: test\n",
            "5: cameras[1].id: the camera in line 2 has the same id; each camera needs an id of its own",
        ),
        (
            "cameras:\n- id: disk\n  kind: test\n",
            "2: cameras[0].id: is taken: the MQTT topics of the disk begin so; give this camera another one",
        ),
        (
            "listen:\n  http_port: 9000\n  hls_port: 9000\n",
            "3: listen.hls_port: port 9000 is already taken by `http_port`; each needs a port of its own",
        ),
        (
            "listen:\n  http_port: 8554\n",
            (
                "2: listen.http_port: port 8554 is already taken by `rtsp_port` (that is its default;"
                " `rtsp_port` can be changed, too); each needs a port of its own"
            ),
        ),
        (
            "listen: {address: localhost}\n",
            (
                "1: listen.address: an IP address of this machine is needed: 127.0.0.1 (this machine only) or"
                " 0.0.0.0 (the network)"
            ),
        ),
        (
            "listen: {port: 1}\n",
            (
                "1: listen.port: unknown key; one of http_port, rtsp_port, webrtc_port, webrtc_udp_port,"
                " hls_port, rtsps_port"
            ),
        ),
        ("node: {Id: a}\n", '1: node.Id: unknown key; did you mean "id"?'),
        (
            'node: {name: "a\\nb"}\n',
            "1: node.name: holds a control character; write the name in one line, in 'single quotes'",
        ),
        (
            "mqtt: {host: 'broker:1883'}\n",
            (
                "1: mqtt.host: this is not the name or address of a machine; e.g. `host: homeassistant.local`;"
                " port, user name and password have keys of their own"
            ),
        ),
        (
            "cameras:\n- {id: a, kind: file, path: 'rtsp://cam/1'}\n",
            (
                "2: cameras[0].path: is an address and not a path; the address of a camera is the `url` of one of"
                " kind rtsp"
            ),
        ),
        ("recording: {path: 'smb://nas/rec'}\n", "1: recording.path: is an address and not a path"),
        (
            "cameras:\n- {id: a, kind: rtsp, url: 'rtsp://me:pa@ss#word@cam/1'}\n",
            "2: cameras[0].url: holds a `#`; write it as %23",
        ),
        (
            "cameras:\n- {id: a, kind: rtsp, url: http://cam}\n",
            "2: cameras[0].url: an address that begins with rtsp:// or rtsps:// is needed",
        ),
        (
            "node:\n  id: a\nmqtt:\n  port: 1\nnode:\n  id: b\n",
            "5: node: is there twice, first in line 1; keep one of the two",
        ),
        (
            "node:\n\tid: a\n",
            "2: YAML: a tab stands where YAML wants spaces; replace the tab by spaces",
        ),
        ("node: {id: 'a}\n", "2: YAML: a quote is not closed before the end; close the quote"),
        (
            "node:\n  id: a\n name: b\n",
            "3: YAML: the indentation does not fit the lines above; align it with its neighbours",
        ),
        (
            "node: {}\n---\nnode: {}\n",
            "2: YAML: a second document begins here (`---`); one file holds one config",
        ),
        ("? [a]\n: b\n", "1: a key must be a plain word; write `key: value`"),
    ],
)
def test_the_words(text: str, expected: str) -> None:
    assert mistakes(text) == [f"config.yaml:{expected}"]


def test_udp_has_ports_of_its_own() -> None:
    parse_config("listen: {webrtc_udp_port: 8889}\n", "config.yaml", Path("/srv"))


@pytest.mark.parametrize("host", ["homeassistant.local", "192.168.1.10", "fe80::1%eth0", "::1", "my_broker", ""])
def test_a_broker_may_have_any_name_or_address(host: str) -> None:
    assert parse_config(f"mqtt: {{host: '{host}'}}\n", "config.yaml", Path("/srv")).mqtt.host == host


def test_names_of_all_languages_are_good() -> None:
    name = "خانه\u200cی ما 👨\u200d👩\u200d👧"
    assert parse_config(f"node: {{name: {name}}}\n", "config.yaml", Path("/srv")).node.name == name


def test_all_at_once_in_the_order_of_the_lines() -> None:
    found = mistakes(
        "cameras:\n"
        "- {id: a, kind: rtps}\n"
        "- {id: a, kind: test, fps: fast, colour: red}\n"
        "listen: {http_port: 0, hls_port: 8889}\n"
        "data_dir: ''\n"
        "data_dir: x\n"
    )
    assert [line.split(": ")[:2] for line in found] == [
        ["config.yaml:2", "cameras[0].kind"],
        ["config.yaml:3", "cameras[1].colour"],
        ["config.yaml:3", "cameras[1].fps"],
        ["config.yaml:3", "cameras[1].id"],
        ["config.yaml:4", "listen.hls_port"],
        ["config.yaml:4", "listen.http_port"],
        ["config.yaml:5", "data_dir"],
        ["config.yaml:6", "data_dir"],
    ]


@pytest.mark.parametrize(
    "text",
    [
        "cameras:\n- {id: a, kind: rtsp, url: 'http://me:hunter2@cam/'}\n",
        "cameras:\n- {id: a, kind: rtsp, url: 'rtsp://me:hunter2#x@cam/'}\n",
        "cameras:\n- {id: a, kind: rtsp, url: 'rtsp://me:hunter2@[cam/'}\n",
        "cameras:\n- {id: a, kind: rtsp, url: hunter2}\n",
        "cameras:\n- {id: a, kind: rtsp, url: [hunter2]}\n",
        "cameras:\n- {id: a, kind: test, url: 'rtsp://me:hunter2@cam/'}\n",
        "cameras:\n- {id: a, kind: rtsp, link: 'rtsp://me:hunter2@cam/'}\n",
        "cameras:\n- {id: a, kind: rtps, url: 'rtsp://me:hunter2@cam/'}\n",
        "cameras:\n- {id: 'rtsp://me:hunter2@cam/', kind: test}\n",
        "cameras:\n- rtsp://me:hunter2@cam/\n",
        "cameras: rtsp://me:hunter2@cam/\n",
        "rtsp://me:hunter2@cam/: x\n",
        "rtsp://me:hunter2@cam/\n",
        "cameras:\n- {id: a, kind: rtsp, url: 'rtsp://me:hun@ter2#hunter2@cam/'}\n",
        "cameras:\n- {id: a, kind: file, path: 'rtsp://me:hunter2@cam/'}\n",
        "mqtt: {host: 'mqtt://me:hunter2@broker:1883'}\n",
        "mqtt:\n  host:broker\n  password:hunter2\n",
        "mqtt:\n  password=hunter2\n",
        "mqtt: {pasword: hunter2}\n",
        "mqtt: {password: [hunter2]}\n",
        "mqtt: {password: {hunter2: x}}\n",
        "mqtt:\n  password: &hunter2\n",
        "mqtt:\n  password: &hunter2 a\n  username: &hunter2 b\n",
        "mqtt:\n  password: *hunter2\n",
        "mqtt:\n  password: !hunter2\n",
        "mqtt:\n  password: !hunter2!x y\n",
        "mqtt:\n  password: @hunter2\n",
        "mqtt:\n  password: hunter2: x\n",
        "mqtt:\n  password: 'hunter2\n",
        'mqtt:\n  password: "\\hunter2"\n',
        "mqtt:\n  password: a\n  password: hunter2\n",
    ],
)
def test_passwords_are_never_told(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert "hunter2" not in "\n".join(mistakes(text))
    assert "hunter2" not in capfd.readouterr().err


def test_a_misspelt_kind_hides_no_other_mistake_of_that_camera() -> None:
    text = "cameras:\n- id: A b\n  kind: rstp\n  transprot: tcp\n"
    told = mistakes(text)
    assert [line.split(": ")[0:2] for line in told] == [
        ["config.yaml:2", "cameras[0].id"],
        ["config.yaml:3", "cameras[0].kind"],
        ["config.yaml:4", "cameras[0].transprot"],
    ]
    assert told[2].endswith('did you mean "transport"?')
