"""Sizes keep the camera's shape."""

import pytest

from livecam_nvr.domain.quality import Quality, size_for


@pytest.mark.parametrize(
    ("height", "like", "size"),
    [
        (480, (1280, 720), (848, 480)),
        (1080, (1280, 720), (1920, 1080)),
        (720, (1280, 720), (1280, 720)),
        (360, (642, 360), (642, 360)),
        (480, (1296, 972), (640, 480)),
        (720, (640, 480), (960, 720)),
        (1080, (480, 640), (816, 1080)),
        (480, (2, 4000), (16, 480)),
    ],
)
def test_the_shape_stays(height: int, like: tuple[int, int], size: tuple[int, int]) -> None:
    assert size_for(height, like) == size


def test_it_is_called_as_people_call_it() -> None:
    assert Quality(720, 30).label == "720p"
