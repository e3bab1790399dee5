"""A change is tried, proven or taken back; at most one is under way."""

import pytest

from livecam_nvr.config import models
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.quality import Quality, QualityStatus
from livecam_nvr.media.quality import QualityDesk

FAILED = LivecamError(ErrorKind.MEDIA, "no such size", "ask for less")


class Memory:
    """core.ports.QualityMemory."""

    def __init__(self) -> None:
        self.saved: list[tuple[str, Quality | None]] = []

    def save(self, camera_id: str, quality: Quality | None) -> None:
        self.saved.append((camera_id, quality))


class Desk:
    """A desk with what it told and remembered."""

    def __init__(self, asked: Quality | None = None, **camera: object) -> None:
        self.memory = Memory()
        self.told: list[QualityStatus] = []
        values = {"id": "c", "kind": "test", "size": "1280x720", "fps": 30, **camera}
        configured = models.TestCamera.model_validate(values)
        self.desk = QualityDesk(configured, asked, self.memory, self.told.append)

    def changing(self) -> list[tuple[int, float, bool]]:
        return [(status.height, status.fps, status.changing) for status in self.told]


async def test_a_proven_change_is_told_and_remembered() -> None:
    made = Desk()
    trial = made.desk.propose(480, None)
    assert trial is not None
    assert made.desk.asked == Quality(480, 30)
    assert made.desk.on_trial
    made.desk.proved(0.4)
    await trial
    assert made.changing() == [(480, 30, True), (480, 30, False)]
    assert made.desk.status.interruption_s == 0.4
    assert made.memory.saved == [("c", Quality(480, 30))]
    # Back to what the config says is nothing to remember.
    made.desk.propose(720, None)
    made.desk.proved(0.3)
    assert made.memory.saved[1:] == [("c", None)]


async def test_a_failed_change_goes_back_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    made = Desk()
    trial = made.desk.propose(1080, 15)
    assert trial is not None
    assert made.desk.failed(FAILED)
    assert made.desk.asked == Quality(720, 30)
    assert not made.desk.on_trial
    with pytest.raises(LivecamError) as raised:
        await trial
    assert raised.value.kind is ErrorKind.UNAVAILABLE
    assert raised.value.message == "1080p at 15 frames a second failed: no such size"
    assert raised.value.hint == "it is set back to 720p at 30"
    assert len(caplog.records) == 1
    # Until the old one runs again, that is a change under way, too.
    with pytest.raises(LivecamError, match="under way"):
        made.desk.propose(480, None)
    made.desk.proved(1.0)
    assert made.changing() == [(1080, 15, True), (720, 30, True), (720, 30, False)]
    assert made.memory.saved == []


async def test_an_old_quality_that_fails_as_well_is_the_cameras_own_failure() -> None:
    made = Desk()
    made.desk.propose(1080, None)
    assert made.desk.failed(FAILED)
    assert not made.desk.failed(FAILED)
    assert made.desk.status.changing is False
    assert not made.desk.failed(FAILED), "and so is each one after it"
    assert made.desk.propose(480, None) is not None


def test_runs_without_a_change_change_nothing() -> None:
    made = Desk()
    made.desk.proved(0.2)
    assert not made.desk.failed(FAILED)
    assert made.told == []
    assert made.desk.status.interruption_s is None


async def test_what_it_has_anyway_is_no_change() -> None:
    made = Desk(Quality(480, 15))
    assert made.desk.asked == Quality(480, 15)
    assert made.desk.propose(480, 15) is None
    assert made.desk.propose(None, None) is None
    assert made.told == []


@pytest.mark.parametrize(
    ("height", "fps"), [(700, None), (-720, None), (None, 0.5), (None, 61), (None, float("nan"))]
)
async def test_what_cannot_be_had_is_refused(height: int | None, fps: float | None) -> None:
    made = Desk()
    with pytest.raises(LivecamError) as raised:
        made.desk.propose(height, fps)
    assert raised.value.kind is ErrorKind.INVALID
    assert raised.value.hint
    assert made.told == []


def test_the_configs_own_size_and_rate_can_always_be_had() -> None:
    made = Desk(size="640x360", fps=90)
    assert made.desk.status.heights == (360, 480, 720, 1080)
    assert made.desk.status.most_fps == 90


def test_a_copied_stream_is_the_cameras_affair() -> None:
    camera = models.RtspCamera.model_validate({"id": "c", "kind": "rtsp", "url": "rtsp://192.0.2.1/"})
    desk = QualityDesk(camera, None, None)
    assert desk.asked is None
    assert not desk.status.changeable
    with pytest.raises(LivecamError) as raised:
        desk.propose(480, None)
    assert raised.value.kind is ErrorKind.CONFLICT
    assert "in the camera itself" in raised.value.hint


async def test_what_was_remembered_is_given_up_if_the_camera_cannot_do_it() -> None:
    made = Desk(asked=Quality(1080, 30))
    away = LivecamError(ErrorKind.UNAVAILABLE, "it is not there", "plug it in")
    assert not made.desk.failed(away), "that says nothing of the quality"
    assert made.desk.asked == Quality(1080, 30)
    assert made.desk.failed(FAILED), "to be tried at once as configured"
    assert made.desk.asked == Quality(720, 30)
    assert made.memory.saved == [("c", None)]
    assert not made.desk.failed(FAILED)


async def test_what_was_remembered_and_worked_once_is_kept() -> None:
    made = Desk(asked=Quality(1080, 30))
    made.desk.proved(None)
    assert not made.desk.failed(FAILED)
    assert made.desk.asked == Quality(1080, 30)
    assert made.memory.saved == []
