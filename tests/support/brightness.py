"""How dark and bright a part of a picture or film is."""

from pathlib import Path

from support import clips


def darkest_and_brightest(path: Path, left: float, right: float) -> tuple[int, int]:
    """Of the luma as a player shows it, 0 to 255, between two shares of the width, over all frames."""
    crop = f"crop=trunc(iw*{right - left}/2)*2:ih:trunc(iw*{left}/2)*2:0"
    look = f"scale=out_range=pc,format=yuvj420p,extractplanes=y,{crop}"
    raw = clips.run("ffmpeg", "-v", "error", "-i", str(path), "-vf", look, "-f", "rawvideo", "-")
    return min(raw), max(raw)
