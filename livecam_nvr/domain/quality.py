"""A camera's quality as people choose it: the picture's height and the frame rate. Pure."""

from dataclasses import dataclass

HEIGHTS = (480, 720, 1080)
"""What can be chosen, beside the height in the config."""
_GRID = 16  # H.264's macroblocks: 848x480, not 854x480, which would be padded


@dataclass(frozen=True, slots=True)
class Quality:
    """What is asked of a camera; which size it then really has is the camera's affair."""

    height: int
    """Lines of the picture."""
    fps: float

    @property
    def label(self) -> str:
        """As people call it: `720p`."""
        return f"{self.height}p"


def size_for(height: int, like: tuple[int, int]) -> tuple[int, int]:
    """Width and height of a picture of `height` lines in the shape of `like`; `like` itself where it fits."""
    if height == like[1]:
        return like
    return max(_GRID, round(height * like[0] / like[1] / _GRID) * _GRID), height


@dataclass(frozen=True, slots=True)
class QualityStatus:
    """A camera's quality: what was asked for, and what can be."""

    changeable: bool
    """False where the stream is copied as the camera sends it."""
    height: int = 0
    """Asked for; 0 where it is not changeable. What really runs is the camera's width, height and fps."""
    fps: float = 0.0
    heights: tuple[int, ...] = ()
    """What can be asked for."""
    most_fps: float = 0.0
    changing: bool = False
    """True from the request until the first frame of the new quality, or of the old one if the new one failed."""
    interruption_s: float | None = None
    """How long the picture was away for the last change."""
