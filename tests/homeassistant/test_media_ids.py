"""What identifiers in the media source mean, and which mean nothing."""

import pytest
from custom_components.livecam_nvr.media_ids import MediaId, Shelf


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("E1", MediaId("E1")),
        ("E1/cam0", MediaId("E1", "cam0")),
        ("E1/cam0/recordings", MediaId("E1", "cam0", Shelf.RECORDINGS)),
        ("E1/cam0/recordings/2026-11-21", MediaId("E1", "cam0", Shelf.RECORDINGS, "2026-11-21")),
        ("E1/cam0/hour/1795298400-1795302000", MediaId("E1", "cam0", Shelf.HOUR, "1795298400-1795302000")),
        (
            "E1/cam0/file/261121/cam0_20261121_223107.mp4",
            MediaId("E1", "cam0", Shelf.FILE, "261121/cam0_20261121_223107.mp4"),
        ),
        ("E1/cam0/events/2026-10", MediaId("E1", "cam0", Shelf.EVENTS, "2026-10")),
        ("E1/cam0/clip/1000-900000", MediaId("E1", "cam0", Shelf.CLIP, "1000-900000")),
    ],
)
def test_an_identifier_means_the_same_both_ways(text: str, meant: MediaId) -> None:
    assert MediaId.of(text) == meant
    assert str(meant) == text


@pytest.mark.parametrize(
    "text",
    [
        "E1/cam0/attic",
        "E1/cam0/film",
        "E1/cam0/film/1000",
        "E1/cam0/film/2000-1000",
        "E1/cam0/film/1000-1000",
        "E1/cam0/film/1000-87401",
        "E1/cam0/film/-1-1000",
        "E1/cam0/film/1000-2000/../../secret",
        "E1/cam0/hour/٣-٤",
        "E1/cam0/file/",
        "E1/cam0/file/../config.yaml",
        "E1/cam0/file/../../recordings/x.mp4",
        "E1/cam0/file/261121/.hidden.mp4",
        "E1/cam0/file/261121//x.mp4",
        "E1/cam0/file//etc/x.mp4",
        "E1/cam0/file/261121/x.ledger",
        "E1/cam0/file/261121/x.mp4?at=1",
        "E1/cam0/file/261121/%2e%2e/x.mp4",
    ],
)
def test_what_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        MediaId.of(text)


def test_a_range_is_widened_to_whole_seconds() -> None:
    assert MediaId("E1", "cam0").between(Shelf.FILM, 1000.7, 1009.2).range == (1000, 1010)
    assert MediaId("E1", "cam0").between(Shelf.FILM, 1000.0, 1010.0).range == (1000, 1010)
