"""The composition root, the only place where parts meet: makes all of them, starts and stops them in order."""

from livecam_nvr.app.running import run
from livecam_nvr.app.service import Service

__all__ = ["Service", "run"]
