"""Whether the pages work wherever a reverse proxy puts them: their addresses are relative."""

from pathlib import Path


def test_all_addresses_are_relative() -> None:
    folder = Path(__file__).parents[3] / "livecam_nvr" / "web" / "static"
    files = [path for path in folder.rglob("*") if path.suffix in (".html", ".css", ".js")]
    assert len(files) > 20
    begins = ('"/', "'/", "`/", "=/", "(/")
    found = [
        f"{path.name}: {line.strip()}"
        for path in files
        for line in path.read_text().splitlines()
        for begin in begins
        if begin in line and line[line.index(begin) + len(begin)].isalpha()
    ]
    assert found == []
