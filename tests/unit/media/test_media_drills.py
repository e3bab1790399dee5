"""When a test camera acts out what."""

from collections.abc import Mapping

import pytest

from livecam_nvr.config.models import Drill
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.media.drills import drilled, refuse_if_disconnected
from livecam_nvr.media.sound import Audio
from livecam_nvr.media.sources import Source

PLAIN = Source("testsrc2", {"f": "lavfi"}, (("hue", ()),))


def drill(what: str, **more: float) -> Drill:
    return Drill.model_validate({"what": what, "every_seconds": 60, "for_seconds": 5, **more})


def test_without_drills_a_source_stays_as_it_is() -> None:
    assert drilled(PLAIN, (), 1000.0) == PLAIN
    refuse_if_disconnected((), 60.0)


@pytest.mark.parametrize(
    ("elapsed_s", "away"),
    [(0, False), (3, False), (59.9, False), (60, True), (64.9, True), (65, False), (121, True), (126, False)],
)
def test_a_cable_is_pulled_on_time(elapsed_s: float, away: bool) -> None:
    drills = (drill("stall"), drill("disconnect"))
    if not away:
        refuse_if_disconnected(drills, elapsed_s)
        return
    with pytest.raises(LivecamError, match="a drill has the camera disconnected for 5 s") as caught:
        refuse_if_disconnected(drills, elapsed_s)
    assert caught.value.kind is ErrorKind.UNAVAILABLE


@pytest.mark.parametrize(("elapsed_s", "lasts_s"), [(0.0, "60.000"), (66.25, "53.750"), (119.5, "0.500")])
def test_its_stream_ends_when_the_cable_is_pulled(elapsed_s: float, lasts_s: str) -> None:
    assert drilled(PLAIN, (drill("disconnect"),), elapsed_s).options == {"f": "lavfi", "t": lasts_s}


def test_its_sound_ends_with_it_and_the_first_of_several_counts() -> None:
    source = Source("testsrc2", audio=Audio(url="sine", options={"re": None}))
    made = drilled(source, (drill("disconnect"), drill("disconnect", every_seconds=7)), 0.0)
    assert made.options == {"t": "7.000"}
    assert made.audio == Audio(url="sine", options={"re": None, "t": "7.000"})


def filters(elapsed_s: float, *drills: Drill) -> list[tuple[str, Mapping[str, str]]]:
    added = drilled(PLAIN, drills, elapsed_s).filters[1:]
    return [(name, dict(arguments)) for name, arguments in added]


def test_frames_are_left_out_by_expressions_of_their_time() -> None:
    during = "gte((t+0.000),60)*lt(mod((t+0.000),60),5)"
    assert filters(0.0, drill("stall"), drill("drop")) == [
        ("select", {"expr": f"not({during})"}),
        ("select", {"expr": f"not({during}*eq(mod(n,3),0))"}),
    ]


def test_the_clock_jumps_by_and_by_and_after_what_is_lost() -> None:
    jump = "PTS+-10*(floor((T+130.000)/60)-floor(130.000/60))/TB"
    assert [name for name, _ in filters(0.0, drill("clock_jump"), drill("stall"))] == ["select", "setpts"]
    assert filters(130.0, drill("clock_jump", by_seconds=-10)) == [("setpts", {"expr": jump})]


def test_only_a_clock_that_runs_back_needs_frames_in_the_wrong_order() -> None:
    assert drilled(PLAIN, (drill("clock_jump", by_seconds=-1),), 0).output == {"fps_mode": "passthrough"}
    assert drilled(PLAIN, (drill("clock_jump", by_seconds=1), drill("drop")), 0).output == {}
