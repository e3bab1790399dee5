"""What another config means for the running service."""

from pathlib import Path

from livecam_nvr.app.changes import changes
from livecam_nvr.config.load import parse_config
from livecam_nvr.config.models import Config

BASE = """
cameras:
- {id: a, kind: test}
- {id: b, kind: rtsp, url: 'rtsp://u:p@h/1', sub_url: 'rtsp://h/2'}
- {id: c, kind: test}
mqtt: {host: broker}
"""


def config(text: str) -> Config:
    """A config in a folder of nobody's."""
    return parse_config(text, "config.yaml", Path("/somewhere"))


def effects(before: str, after: str) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """What going from one to the other does."""
    found = changes(config(before), config(after)).effects
    return [(effect.what, effect.id, effect.how, effect.keys) for effect in found]


def test_the_same_again_does_nothing() -> None:
    assert effects(BASE, BASE) == []


def test_cameras() -> None:
    after = (
        BASE.replace("{id: a, kind: test}", "{id: a, kind: test, fps: 15}")
        .replace("rtsp://h/2'}", "rtsp://h/2', record_mode: always}")
        .replace("{id: c,", "{id: d,")
    )
    assert effects(BASE, after) == [
        ("camera", "c", "removed", ()),
        ("camera", "a", "restarted", ("fps",)),
        ("camera", "b", "changed", ("record_mode",)),
        ("camera", "d", "added", ()),
    ]


def test_a_name_in_the_picture_needs_the_camera_anew_and_another_one_does_not() -> None:
    after = BASE.replace("{id: a,", "{id: a, name: A,").replace("{id: b,", "{id: b, name: B,")
    assert effects(BASE, after)[:2] == [
        ("camera", "a", "restarted", ("name",)),
        ("camera", "b", "changed", ("name",)),
    ]


def test_a_smaller_stream_that_comes_or_goes_is_opened_or_closed() -> None:
    without = BASE.replace(", sub_url: 'rtsp://h/2'", "")
    assert effects(BASE, without) == [("camera", "b", "restarted", ("sub_url",))]
    assert effects(without, BASE) == [("camera", "b", "restarted", ("sub_url",))]


def test_a_camera_that_is_not_enabled_is_as_if_it_were_not_there() -> None:
    off = BASE.replace("{id: c,", "{id: c, enabled: false,")
    assert effects(BASE, off)[0] == ("camera", "c", "removed", ())
    assert effects(off, BASE)[0] == ("camera", "c", "added", ())


def test_what_needs_a_restart_is_said_and_stays_as_it_runs() -> None:
    after = BASE + "listen: {http_port: 9001}\nnode: {id: other, name: Other}\n"
    after += "recording: {path: away, segment_seconds: 60}\n"
    assert effects(BASE, after) == [
        ("service", "", "needs_restart", ("listen.http_port", "node.id")),
        ("service", "", "changed", ("node.name",)),
        ("recording", "", "needs_restart", ("recording.path",)),
        ("recording", "", "changed", ("recording.segment_seconds",)),
    ]
    running = changes(config(BASE), config(after)).config
    assert (running.listen.http_port, running.node.id, running.node.name) == (8001, "livecam", "Other")
    assert running.recording.path == Path("/somewhere/recordings")
    assert running.recording.segment_seconds == 60
    # It goes on being said until the restart.
    assert [effect.how for effect in changes(running, config(after)).effects] == ["needs_restart", "needs_restart"]


def test_what_the_broker_has_to_be_told() -> None:
    def told(after: str) -> tuple[bool, bool]:
        found = changes(config(BASE), config(after))
        return found.broker, found.devices

    assert told(BASE) == (False, False)
    assert told(BASE.replace("{id: a, kind: test}", "{id: a, kind: test, fps: 15}")) == (False, False)
    assert told(BASE.replace("{id: a,", "{id: a, name: A,")) == (False, True)
    assert told(BASE.replace("- {id: c, kind: test}", "")) == (False, True)
    assert told(BASE.replace("- {id: c, kind: test}", "- {id: c, kind: test}\n- {id: d, kind: test}")) == (
        False,
        True,
    )
    assert told(BASE + "node: {name: Other}\n") == (False, True)
    assert told(BASE.replace("host: broker", "host: other")) == (True, False)


def test_limits_and_broker() -> None:
    after = BASE.replace("host: broker", "host: other, username: u, password: p")
    after += "recording: {retention: {max_age_days: 3}}\n"
    assert effects(BASE, after) == [
        ("retention", "", "changed", ("recording.retention.max_age_days",)),
        ("mqtt", "", "restarted", ("mqtt.host", "mqtt.username", "mqtt.password")),
    ]
    without = BASE.replace("mqtt: {host: broker}", "")
    assert effects(BASE, without) == [("mqtt", "", "restarted", ("mqtt.host",))]
    assert effects(without, without.replace("{id: c,", "{id: d,"))[-1] == ("camera", "d", "added", ())


def test_another_order() -> None:
    after = "cameras:\n- {id: c, kind: test}\n- {id: a, kind: test}\n"
    before = "cameras:\n- {id: a, kind: test}\n- {id: c, kind: test}\n"
    assert effects(before, after) == [("service", "", "changed", ("cameras",))]
