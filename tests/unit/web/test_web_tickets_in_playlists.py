"""A ticket goes on to all that a playlist names."""

from livecam_nvr.core.past import Part, Piece
from livecam_nvr.domain.segment import NS
from livecam_nvr.web.playback_playlist import chunks, playlist

QUERY = "?ticket=abc"


def test_playlists_of_the_past() -> None:
    part = Part("cam0/x.mp4", 0, 100, 5 * NS, 20_000, 20, ((0, 0), (50, 10_000)))
    piece = Piece("cam0", b"init", "video/mp4", 1000, 5 * NS, 25 * NS, 20, (part,))
    listed = [list(chunks(piece))]
    plain = playlist([piece], listed, over=True)
    lines = playlist([piece], listed, over=True, query=QUERY).splitlines()
    assert [line.replace(QUERY, "") for line in lines] == plain.splitlines()
    assert [line for line in lines if QUERY in line] == [
        f'#EXT-X-MAP:URI="playback/{5 * NS}/init.mp4{QUERY}"',
        f"playback/{5 * NS}-{15 * NS}/0.m4s{QUERY}",
        f"playback/{15 * NS}-{25 * NS}/10000.m4s{QUERY}",
    ]
