"""A page names its modules beforehand: else the browser finds one only after it has read the one before."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[3] / "livecam_nvr" / "web" / "static"
IMPORT = re.compile(r'^(?:import|export)\b[^;]*?\bfrom "(\.[^"]+)";', re.MULTILINE)


def imported(module: Path) -> set[Path]:
    """All that a module needs before it runs."""
    found: set[Path] = set()
    waiting = [module.resolve()]
    while waiting:
        one = waiting.pop()
        for path in IMPORT.findall(one.read_text()):
            other = (one.parent / path).resolve()
            if other not in found:
                found.add(other)
                waiting.append(other)
    return found


@pytest.mark.parametrize("page", sorted(path.name for path in STATIC.glob("*.html")))
def test_all_modules_that_a_page_needs_are_named_and_no_others(page: str) -> None:
    text = (STATIC / page).read_text()
    (entry,) = re.findall(r'<script type="module" src="static/([^"]+)">', text)
    named = re.findall(r'<link rel="modulepreload" href="static/([^"]+)">', text)
    assert len(named) == len(set(named))
    assert set(named) == {str(one.relative_to(STATIC)) for one in imported(STATIC / entry)}
