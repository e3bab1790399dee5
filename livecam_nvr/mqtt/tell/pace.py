"""How often figures are told: seldom, and only if they differ by something worth telling."""

from dataclasses import dataclass

from livecam_nvr.domain.status import CameraStatus, ProcessStatus
from livecam_nvr.mqtt.tell.payloads import Payloads
from livecam_nvr.runtime.clock import Clock

_STATS_S = 30.0
_STALE_S = 600.0
_LEAST_FPS = 0.5
_FPS_SHARE = 0.05
_BITRATE_SHARE = 0.1
_PROCESS_S = 60.0
_CPU_PERCENT = 3.0
_COST_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class _Stats:
    at_s: float
    fps: float
    bitrate_bps: float
    size: tuple[int, int]
    dropped: int

    def worth_telling_after(self, before: "_Stats") -> bool:
        """Whether somebody who reads it would call it another figure."""
        if self.size != before.size:
            return True  # another picture: nobody should have to wait for that
        if self.at_s - before.at_s < _STATS_S:
            return False
        return (
            self.dropped != before.dropped
            or abs(self.fps - before.fps) >= max(_LEAST_FPS, before.fps * _FPS_SHARE)
            or abs(self.bitrate_bps - before.bitrate_bps) > before.bitrate_bps * _BITRATE_SHARE
            # Small steps in one direction must not add up to a lie.
            or self.at_s - before.at_s >= _STALE_S
        )


@dataclass(frozen=True, slots=True)
class _Cost:
    at_s: float
    cpu_percent: float | None
    memory_bytes: int | None

    def worth_telling_after(self, before: "_Cost") -> bool:
        """As above. What was not known is news as soon as it is."""
        if self.cpu_percent is None or self.memory_bytes is None:
            return False
        if before.cpu_percent is None or before.memory_bytes is None:
            return True
        return self.at_s - before.at_s >= _PROCESS_S and (
            abs(self.cpu_percent - before.cpu_percent) >= max(_CPU_PERCENT, before.cpu_percent * _COST_SHARE)
            or abs(self.memory_bytes - before.memory_bytes) >= before.memory_bytes * _COST_SHARE
            or self.at_s - before.at_s >= _STALE_S
        )


class Pace:
    """Remembers what was told when. What is told for the first time is told at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._stats: dict[str, _Stats] = {}
        self._cost: _Cost | None = None
        self._told: dict[str, tuple[float, bytes]] = {}

    def stats_due(self, camera: CameraStatus) -> bool:
        """Whether a camera's figures are to be told now: at most every 30 s, unless its size has changed."""
        size = (camera.width, camera.height)
        now = _Stats(self._clock.monotonic(), camera.fps, camera.bitrate_bps, size, camera.dropped_frames)
        before = self._stats.get(camera.id)
        if before is not None and not now.worth_telling_after(before):
            return False
        self._stats[camera.id] = now
        return True

    def cost_due(self, process: ProcessStatus) -> bool:
        """Whether what the service costs is to be told now: at most every minute, once it is known."""
        now = _Cost(self._clock.monotonic(), process.cpu_percent, process.memory_bytes)
        if self._cost is not None and not now.worth_telling_after(self._cost):
            return False
        self._cost = now
        return True

    def due(self, payloads: Payloads, every_s: float) -> Payloads:
        """Those that are new, or have changed and were last told at least `every_s` ago."""
        now_s = self._clock.monotonic()
        found: Payloads = {}
        for topic, payload in payloads.items():
            told_s, told = self._told.get(topic, (-float("inf"), None))
            if payload != told and now_s - told_s >= every_s:
                self._told[topic] = (now_s, payload)
                found[topic] = payload
        return found

    def all_due(self) -> None:
        """Everything is told anew anyway, so it may as well be the newest."""
        self._stats.clear()
        self._cost = None
        self._told.clear()

    def forget(self, camera_id: str) -> None:
        """The camera is gone."""
        self._stats.pop(camera_id, None)
