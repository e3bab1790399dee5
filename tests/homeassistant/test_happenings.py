"""What happened between two statuses."""

from datetime import UTC, datetime, timedelta
from typing import Any

from custom_components.livecam_nvr.client.models import Camera
from custom_components.livecam_nvr.client.reading import Reading
from custom_components.livecam_nvr.happenings import Happening, Happenings

from fake_service import recorded

START = datetime(2026, 11, 21, 9, tzinfo=UTC)
AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
NOW = AT + timedelta(seconds=9)


def camera(lasting: list[str], last: dict[str, Any] | None = None) -> Camera:
    one = {**recorded("status")["cameras"][0], "lasting": lasting, "last_event": last}
    return Camera.of(Reading(one, "camera"))


def event(label: str, end_s: float | None, event_id: str = "a") -> dict[str, Any]:
    end = None if end_s is None else (AT + timedelta(seconds=end_s)).isoformat()
    begin = AT.isoformat()
    return {"id": event_id, "camera_id": "cam0", "label": label, "source": "mqtt", "begin_utc": begin, "end_utc": end}


def follow(*cameras: Camera) -> list[Happening]:
    """What the last of them tells."""
    happenings = Happenings()
    found: list[Happening] = []
    for one in cameras:
        found = list(happenings.take(START, one, NOW))
    return found


def test_the_first_status_tells_nothing() -> None:
    assert follow(camera(["motion"], event("motion", None))) == []
    assert follow(camera([], event("motion", 0))) == []


def test_begin() -> None:
    told = Happening("begin", "motion", "mqtt", AT, None)
    assert follow(camera([]), camera(["motion"], event("motion", None))) == [told]
    last = event("motion", None)
    assert follow(camera([]), camera(["motion"], last), camera(["motion"], last)) == []


def test_end() -> None:
    begun = camera(["motion"], event("motion", None))
    told = Happening("end", "motion", "mqtt", AT + timedelta(seconds=3), 3.0)
    assert follow(camera([]), begun, camera([], event("motion", 3))) == [told]


def test_end_after_something_else() -> None:
    begun = camera(["motion"], event("motion", None))
    other = event("person", None, "b")
    told = follow(camera([]), begun, camera(["motion", "person"], other), camera(["person"], other))
    assert told == [Happening("end", "motion", "mqtt", NOW, 9.0)]


def test_moment() -> None:
    told = Happening("moment", "doorbell", "mqtt", AT, 2.0)
    assert follow(camera([]), camera([], event("doorbell", 2))) == [told]
    last = event("doorbell", 2)
    assert follow(camera([]), camera([], last), camera([], last)) == []


def test_two_begin_at_once() -> None:
    told = follow(camera([]), camera(["motion", "person"], event("person", None)))
    assert sorted(told, key=lambda one: one.label) == [
        Happening("begin", "motion", "", NOW, None),
        Happening("begin", "person", "mqtt", AT, None),
    ]


def test_a_restart_begins_anew() -> None:
    happenings = Happenings()
    happenings.take(START, camera(["motion"]), NOW)
    assert happenings.take(NOW, camera([], event("person", 0)), NOW) == []
