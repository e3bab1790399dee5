"""The part about recordings: what follows from what, and mistakes in sections within sections."""

from pathlib import Path

import pytest

from livecam_nvr.config.load import ConfigErrors, parse_config
from livecam_nvr.config.models import Config
from livecam_nvr.config.recording import WEEKDAYS

GIB = 1 << 30


def parse(text: str) -> Config:
    return parse_config(text, "config.yaml", Path("/srv/cams"))


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        parse(text)
    return str(caught.value).splitlines()


def test_the_levels_follow_from_min_free() -> None:
    recording = parse("recording: {min_free: 2GiB}").recording
    assert recording.free_levels == (3 * GIB, 5 * GIB // 2, 2 * GIB)
    assert recording.keep_free == 4 * GIB


def test_nothing_is_deleted_for_space_if_keep_free_is_zero() -> None:
    assert parse("recording: {retention: {keep_free: 0}}").recording.keep_free == 0


@pytest.mark.parametrize(
    ("recording", "words"),
    [
        ("{min_free: 5GiB, warning_free: 1GiB, retention: {keep_free: 0}}", "have to be in this order"),
        ("{critical_free: 2GiB}", "have to be in this order"),
        ("{retention: {keep_free: 1GiB}}", "a tenth above warning_free"),
        ("{retention: {keep_free: 1.6GiB}}", "a tenth above warning_free"),
        ("{archive_minutes: 7}", "an hour can be divided by"),
    ],
)
def test_values_that_do_not_go_together(recording: str, words: str) -> None:
    (mistake,) = mistakes(f"recording: {recording}")
    assert mistake.startswith("config.yaml:1: recording")
    assert words in mistake


def test_a_schedule() -> None:
    text = "cameras: [{id: a, kind: test, schedule: [{}, {days: [sat], begin: '22:00', end: '06:30'}]}]"
    every, night = parse(text).cameras[0].schedule
    assert (every.days, every.begin, every.end) == (WEEKDAYS, "00:00", "24:00")
    assert (night.days, night.begin, night.end) == (("sat",), "22:00", "06:30")


def test_a_schedule_without_times_would_never_record() -> None:
    (mistake,) = mistakes("cameras:\n- id: a\n  kind: test\n  record_mode: schedule")
    assert mistake.startswith("config.yaml:2: cameras[0]")
    assert "needs times in `schedule`" in mistake


def test_mistakes_within_a_camera_s_sections_name_their_line_and_key() -> None:
    text = """
cameras:
  - id: a
    kind: test
    schedule:
      - days: [mon, xyz]
        begin: '25:00'
      - 17
      - {start: '07:00'}
    retention:
      max_age: 3
      keep_free: lots
  - id: b
    kind: test
    schedule: always
recording:
  retention:
    max_age_days: -1
    keepfree: 3
"""
    found = mistakes(text)
    expected = [
        (6, "cameras[0].schedule[0].days", "e.g. `days: [mon, tue, wed]`"),
        (7, "cameras[0].schedule[0].begin", "a time of the day from 00:00 to 24:00"),
        (8, "cameras[0].schedule[1]", "an entry must consist of `key: value` lines"),
        (9, "cameras[0].schedule[2].start", "known here: days, begin, end"),
        (11, "cameras[0].retention.max_age", 'did you mean "max_age_days"?'),
        (12, "cameras[0].retention.keep_free", "is not a size such as 500MB or 2GiB"),
        (15, "cameras[1].schedule", "is not a list of times, each with `days`, `begin` and `end`"),
        (18, "recording.retention.max_age_days", "is not a number above 0 and up to 36500"),
        (19, "recording.retention.keepfree", 'did you mean "keep_free"?'),
    ]
    assert len(found) == len(expected)
    for line, key, words in expected:
        (mistake,) = [one for one in found if one.startswith(f"config.yaml:{line}: {key}:")]
        assert words in mistake
