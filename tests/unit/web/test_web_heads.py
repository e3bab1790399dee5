"""The heads of the pages: each page is a file of its own, and what is the same in all of them stays the same."""

import re
from pathlib import Path

STATIC = Path(__file__).parents[3] / "livecam_nvr" / "web" / "static"
OWN = re.compile(r'<title|<script|rel="(stylesheet|modulepreload)"|name="viewport"')


def shared(page: str) -> list[str]:
    """The lines of a page's head that are not its own."""
    head = (STATIC / page).read_text().partition("</head>")[0]
    return [line for line in head.splitlines() if not OWN.search(line)]


def test_all_pages_have_the_same_head_and_the_wall_is_always_dark() -> None:
    usual = shared("index.html")
    for page in ("past.html", "system.html", "signin.html", "setup.html"):
        assert shared(page) == usual, page
    of_colours = re.compile('name="(color-scheme|theme-color)"')
    plain = [line for line in usual if not of_colours.search(line)]
    assert [line for line in shared("wall.html") if not of_colours.search(line)] == plain
