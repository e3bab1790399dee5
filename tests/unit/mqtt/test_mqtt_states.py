import json

from livecam_nvr.domain.coverage import Coverage, Gap, GapCause, Span
from livecam_nvr.domain.quality import QualityStatus
from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import (
    CameraState,
    CameraStatus,
    Complaint,
    Fault,
    RecordingMode,
    RecordingStatus,
    SegmentInfo,
)
from livecam_nvr.mqtt.tell import states
from livecam_nvr.mqtt.topics import Topics

TOPICS = Topics("b", "homeassistant", "n")
FAULT = Fault("rtsp://me:secret@cam/ does not answer", "is it on?")


def test_a_camera_is_online_while_it_delivers():
    for state in CameraState:
        found = states.camera_state(TOPICS, "c", state, FAULT)
        delivers = state in (CameraState.LIVE, CameraState.DELAY)
        assert found["b/n/c/availability"] == (b"online" if delivers else b"offline")
        told = json.loads(found["b/n/c/status"])
        assert told["state"] == state.value
        # The last fault outlives its cure in a status; it is not what is wrong with a camera that delivers.
        assert told["error"] == ("" if delivers else "rtsp://me:***@cam/ does not answer")


def test_the_switch_is_what_was_wanted_and_the_sensor_what_is_done():
    def told(**status: object) -> tuple[bytes, str, str]:
        found = states.recording(TOPICS, "c", RecordingStatus(**status))
        active = json.loads(found["b/n/c/recording/active"])
        return found["b/n/c/recording"], active["active"], active["reason"]

    assert told(wanted=True, active=True) == (b"ON", "ON", "")
    assert told(wanted=True, active=False) == (b"ON", "OFF", "waiting for the camera")
    assert told(wanted=True, active=False, fault=Fault("the disk is full")) == (b"ON", "OFF", "the disk is full")
    assert told(wanted=False, active=False) == (b"OFF", "OFF", "")


def test_why_nothing_is_recorded_although_nothing_is_wrong():
    def told(**status: object) -> tuple[bytes, str]:
        found = states.recording(TOPICS, "c", RecordingStatus(active=False, **status))
        return found["b/n/c/recording"], json.loads(found["b/n/c/recording/active"])["reason"]

    off = {"wanted": False, "idle": GapCause.SWITCHED_OFF}
    assert told(**off, idle_by="MQTT") == (b"OFF", "switched off by MQTT")
    assert told(**off) == (b"OFF", "switched off")
    assert told(wanted=True, idle=GapCause.NO_EVENT) == (b"ON", "nothing happens")
    assert told(wanted=True, idle=GapCause.SCHEDULE) == (b"ON", "the schedule has this time off")
    assert told(wanted=False, mode=RecordingMode.ALWAYS)[0] == b"ON"


def test_the_mode():
    found = states.recording(TOPICS, "c", RecordingStatus(wanted=True, active=True, mode=RecordingMode.EVENTS))
    assert found["b/n/c/recording_mode"] == b"events"


def test_coverage_never_claims_more_than_there_is():
    begin = 1_795_253_400 * NS
    hour = Span(begin, begin + 3600 * NS)
    off = Gap(begin + 10 * NS, begin + 20 * NS, GapCause.SWITCHED_OFF)
    away = Gap(begin + 30 * NS, begin + 31 * NS, GapCause.CAMERA, "it does not answer")
    spans = (
        Span(begin, off.begin_utc_ns),
        Span(off.end_utc_ns, away.begin_utc_ns),
        Span(away.end_utc_ns, hour.end_utc_ns),
    )
    found = Coverage("c", hour, spans, (off, away), 1)
    assert json.loads(states.coverage(TOPICS, "c", found, found)["b/n/c/coverage"]) == {
        "hour": 99.6,
        "day": 99.6,
        "of_wanted": 99.9,
        "gaps": 1,
        "last_gap": {
            "begin": "2026-11-21T09:30:30+00:00",
            "end": "2026-11-21T09:30:31+00:00",
            "cause": "camera",
            "words": "the camera was away: it does not answer",
        },
    }
    assert set(json.loads(states.coverage(TOPICS, "c", None, None)["b/n/c/coverage"]).values()) == {None}


def test_the_last_segment_is_told_only_if_there_is_one():
    nothing = RecordingStatus(wanted=True, active=True)
    assert "b/n/c/last_segment" not in states.recording(TOPICS, "c", nothing)
    last = SegmentInfo("c/261121/x.mp4", 1_795_253_400_999_999_999, 29_500_000_000, 900, 1)
    found = states.recording(TOPICS, "c", RecordingStatus(wanted=True, active=True, last_segment=last))
    assert json.loads(found["b/n/c/last_segment"]) == {
        "finished": "2026-11-21T09:30:30+00:00",
        "file": "c/261121/x.mp4",
    }


def test_figures_are_rounded_so_that_noise_is_silent():
    def told(fps: float, bps: float) -> bytes:
        camera = CameraStatus(
            "c",
            "C",
            "test",
            CameraState.LIVE,
            width=640,
            height=360,
            fps=fps,
            bitrate_bps=bps,
            dropped_frames=7,
        )
        return states.stats(TOPICS, camera)["b/n/c/stats"]

    figures = b'{"fps":30.0,"bitrate_mbps":2.01,"size":"640x360","dropped":7}'
    assert told(29.97, 2_014_000) == told(30.04, 2_005_001) == figures


def quality(real: int = 0, **values: object) -> tuple[bytes, bytes] | None:
    asked = {"changeable": True, "height": 720, "fps": 30.0, "heights": (480, 720, 1080), "most_fps": 60.0}
    found = states.quality(TOPICS, "c", QualityStatus(**{**asked, **values}), real)
    return (found["b/n/c/resolution"], found["b/n/c/frame_rate"]) if found else None


def test_quality_is_what_runs_and_nothing_new_before_it_is_proven():
    assert quality() == (b"720p", b"30")
    assert quality(fps=12.5) == (b"720p", b"12.5")
    assert quality(height=1080, changing=True) is None
    assert quality(480) == (b"480p", b"30")
    # The camera snapped to a size that is no choice: Home Assistant shows that as unknown.
    assert quality(972) == (b"None", b"30")
    assert quality(changeable=False) == (b"", b"")


def test_a_problem_tells_what_to_do_and_no_password():
    assert states.problem(TOPICS, "c", ()) == {"b/n/c/problem": b'{"problem":"OFF","complaints":[]}'}
    late = Complaint("late", "rtsp://me:secret@cam/ is late", "is the network full?", 1)
    told = json.loads(states.problem(TOPICS, "c", (late,))["b/n/c/problem"])
    assert told == {
        "problem": "ON",
        "complaints": [{"kind": "late", "message": "rtsp://me:***@cam/ is late", "hint": "is the network full?"}],
    }


def test_the_camera_s_own_switch_and_motion_that_nobody_has_told_of():
    assert states.enabled(TOPICS, "c", on=True) == {"b/n/c/enabled": b"ON"}
    assert states.enabled(TOPICS, "c", on=False) == {"b/n/c/enabled": b"OFF"}
    assert [states.motion(TOPICS, "c", moves)["b/n/c/motion"] for moves in (None, True, False)] == [
        b"None",
        b"ON",
        b"OFF",
    ]


def test_words_that_are_no_text_are_told_all_the_same():
    found = states.camera_state(TOPICS, "c", CameraState.ERROR, Fault("a file called \udcff"))
    assert json.loads(found["b/n/c/status"])["error"] == "a file called ?"
