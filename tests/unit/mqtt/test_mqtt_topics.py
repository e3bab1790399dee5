from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.mqtt.topics import Topics

slugs = st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,31}\Z", fullmatch=True)
cameras = st.tuples(slugs, slugs)


def topics(node: str = "home") -> Topics:
    return Topics("livecam-nvr", "homeassistant", node)


@given(slugs, slugs)
def test_a_camera_is_found_again_in_its_discovery_topic(node, camera):
    assert topics(node).announced_camera(topics(node).discovery(camera)) == camera
    assert topics(node).announced_camera(topics(node).discovery()) is None


@given(st.tuples(slugs, slugs | st.none()), st.tuples(slugs, slugs | st.none()))
def test_different_cameras_and_nodes_never_share_an_id(one, other):
    ids = [topics(node).device_id(camera) for node, camera in (one, other)]
    assert (ids[0] == ids[1]) == (one == other)


def test_ids_that_look_alike_are_kept_apart():
    assert topics("a").device_id("b_c") != topics("a_b").device_id("c")
    assert topics("a").device_id("b") != topics("a_b").device_id()
    assert topics("a").announced_camera(topics("a_b").discovery("c")) is None
    assert topics("livecam").unique_id("recording", "cam0") == "livecam_cam0_recording"


@given(st.text())
def test_any_topic_can_be_taken_apart(topic):
    topics().command(topic)
    topics().announced_camera(topic)


def test_commands_and_what_only_looks_like_one():
    found = topics().command("livecam-nvr/home/cam0/recording/set")
    assert found is not None
    assert (found.camera_id, found.what) == ("cam0", "recording")
    for other in ("livecam-nvr/other/cam0/recording/set", "livecam-nvr/home/cam0", "x/livecam-nvr/home/a/b/set"):
        assert topics().command(other) is None


def test_everything_a_camera_leaves_at_the_broker_is_known():
    names = topics()
    methods = (
        "available",
        "state",
        "stats",
        "last_segment",
        "recording",
        "recording_active",
        "recording_mode",
        "coverage",
        "resolution",
        "frame_rate",
        "problem",
        "enabled",
        "motion",
        "picture",
        "discovery",
    )
    assert set(names.retained_of("cam0")) == {getattr(names, method)("cam0") for method in methods}
