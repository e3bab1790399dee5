"""What is drawn into a camera's pictures before they are encoded: blacked-out areas, name and clock. Pure."""

from livecam_nvr.config.models import CameraBase
from livecam_nvr.media.masks import boxes_of

Filter = tuple[str, tuple[tuple[str, str], ...]]
"""One of ffmpeg's filters by name, with its arguments."""

FONT = "DejaVu Sans Mono"
"""Where this one is not installed, fontconfig gives another."""
_CLOCK = "%{localtime:%Y-%m-%d %H\\:%M\\:%S}"
_TEXT = "drawtext"
# H.264 in 4:2:0 has even sizes only; a camera's last odd row or column is left out.
_EVEN: Filter = (
    "crop",
    (("w", "trunc(iw/2)*2"), ("h", "trunc(ih/2)*2"), ("x", "0"), ("y", "0")),
)
# Before the masks and not after: pictures with more colour samples, or of the full range, would be converted when
# they are encoded, and colours from outside would be mixed into a mask's edge, and its black turn grey.
_AS_ENCODED: tuple[Filter, ...] = (("scale", (("out_range", "tv"),)), ("format", (("pix_fmts", "yuv420p"),)))
# A thirtieth of the height, in letters that can still be read in a small picture.
_SIZE = "max(12,h/30)"
_BORDER = 4


def drawn_filters(camera: CameraBase) -> tuple[Filter, ...]:
    """The filters that draw what the config asks for, masks first; none if it asks for nothing.

    They take pictures of every size and format, also of sizes that are not known yet, and give pictures of even
    size; with masks in 4:2:0 of limited range.
    """
    if not camera.drawn:
        return ()
    masks = tuple(_black(box) for polygon in camera.masks for box in boxes_of(polygon))
    return (_EVEN, *(_AS_ENCODED if masks else ()), *masks, *(_overlay(camera.title) if camera.overlay else ()))


def text(line: str, *, size: str, x: str, y: str, border: int = _BORDER, expand: bool = False) -> Filter:
    """Draws a line of text, in white on a dark box.

    Args:
        line: What to write; as it is, whatever signs are in it.
        size: Of the letters, pixels; an expression of the picture's `h`.
        x: Of the line's left end, an expression of `w` and the text's width `tw`.
        y: Of the line's upper edge, an expression of `h`.
        border: How far the box reaches beyond the letters, pixels.
        expand: `line` holds `%{…}` that is to be replaced: see drawtext in ffmpeg-filters(1).
    """
    return _TEXT, (
        ("text", line),
        *((("expansion", "none"),) if not expand else ()),
        ("font", FONT),
        ("fontsize", size),
        ("fontcolor", "white"),
        ("box", "1"),
        ("boxcolor", "black@0.6"),
        ("boxborderw", str(border)),
        ("x", x),
        ("y", y),
    )


def without_text(filters: tuple[Filter, ...]) -> tuple[Filter, ...]:
    """The filters that need no font."""
    return tuple(one for one in filters if one[0] != _TEXT)


def _black(box: tuple[float, float, float, float]) -> Filter:
    """A black box over whole samples of colour (2x2 pixels), rounded outwards."""
    left, top, right, bottom = (f"{share:.6f}".rstrip("0").rstrip(".") for share in box)
    return "drawbox", (
        ("x", f"floor({left}*iw/2)*2"),
        ("y", f"floor({top}*ih/2)*2"),
        ("w", f"(ceil({right}*iw/2)-floor({left}*iw/2))*2"),
        ("h", f"(ceil({bottom}*ih/2)-floor({top}*ih/2))*2"),
        ("color", "black"),
        ("t", "fill"),
    )


def _overlay(title: str) -> tuple[Filter, ...]:
    """Name and, below it, date and local time, at the lower right."""
    x = "w-tw-10"
    return (
        text(title, size=_SIZE, x=x, y=f"h-10-2.5*{_SIZE}"),
        text(_CLOCK, size=_SIZE, x=x, y=f"h-10-{_SIZE}", expand=True),
    )
