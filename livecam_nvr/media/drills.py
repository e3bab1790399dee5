"""What a test camera acts out on a schedule: frames left out, a stall, a clock that jumps, a cable pulled. Pure.

A schedule begins with the service, not with each start of the camera's ffmpeg: a camera that stalls is not mended
by being restarted, and comes back when its drill is over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from livecam_nvr.config.models import Drill
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media.drawing import Filter
from livecam_nvr.media.sources import Source

_DROPPED_OF = 3  # one of so many frames


def drilled(source: Source, drills: Sequence[Drill], elapsed_s: float) -> Source:
    """A test camera's source that acts out its drills, when opened so long after the schedule began."""
    ends = [_until_next(drill, elapsed_s) for drill in _of("disconnect", drills)]
    if ends:
        end = {"t": f"{min(ends):.3f}"}
        audio = source.audio and replace(source.audio, options={**source.audio.options, **end})
        source = replace(source, options={**source.options, **end}, audio=audio)
    if any(drill.by_seconds < 0 for drill in _of("clock_jump", drills)):
        # A camera whose stream is copied shows its clock's jump; an encoder would leave out frames until it has
        # caught up.
        source = replace(source, output={**source.output, "fps_mode": "passthrough"})
    return replace(source, filters=(*source.filters, *_filters(drills, elapsed_s)))


def refuse_if_disconnected(drills: Sequence[Drill], elapsed_s: float) -> None:
    """Does nothing while the camera can be opened.

    Raises:
        LivecamError: UNAVAILABLE while a drill has it disconnected.
    """
    for drill in _of("disconnect", drills):
        since_s = elapsed_s % drill.every_seconds
        if elapsed_s >= drill.every_seconds and since_s < drill.for_seconds:
            raise LivecamError(
                ErrorKind.UNAVAILABLE,
                f"a drill has the camera disconnected for {drill.for_seconds:g} s",
                "it comes back by itself; see `drills` in its config",
            )


def _filters(drills: Sequence[Drill], elapsed_s: float) -> tuple[Filter, ...]:
    """Frames are left out by their true times, so the clock jumps last."""
    lost = [_lose(drill, elapsed_s) for drill in drills if drill.what in {"drop", "stall"}]
    return (*lost, *(_jump(drill, elapsed_s) for drill in _of("clock_jump", drills)))


def _lose(drill: Drill, elapsed_s: float) -> Filter:
    now = f"(t+{elapsed_s:.3f})"
    every, lasts = drill.every_seconds, drill.for_seconds
    during = f"gte({now},{every:g})*lt(mod({now},{every:g}),{lasts:g})"
    which = f"*eq(mod(n,{_DROPPED_OF}),0)" if drill.what == "drop" else ""
    return "select", (("expr", f"not({during}{which})"),)


def _jump(drill: Drill, elapsed_s: float) -> Filter:
    every = f"{drill.every_seconds:g}"
    jumps = f"(floor((T+{elapsed_s:.3f})/{every})-floor({elapsed_s:.3f}/{every}))"
    return "setpts", (("expr", f"PTS+{drill.by_seconds:g}*{jumps}/TB"),)


def _of(what: str, drills: Iterable[Drill]) -> list[Drill]:
    return [drill for drill in drills if drill.what == what]


def _until_next(drill: Drill, elapsed_s: float) -> float:
    return drill.every_seconds - elapsed_s % drill.every_seconds
