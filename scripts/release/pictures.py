"""Brand images of an integration, by the rules of home-assistant/brands."""

import struct
from collections.abc import Iterator
from pathlib import Path

_ICON = {"": 256, "@2x": 512}
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGBA = 6


def of_brand(folder: Path) -> Iterator[str]:
    """What is wrong with the images. HACS demands `icon.png`; what else is missing is made up for."""
    names = {f"{dark}{kind}{dense}.png" for dark in ("", "dark_") for kind in ("icon", "logo") for dense in _ICON}
    found = sorted(path.name for path in folder.glob("*"))
    for name in sorted({"icon.png", "icon@2x.png"} - set(found)):
        yield f"brand/{name} is missing"
    seen: dict[bytes, str] = {}
    for name in found:
        picture = (folder / name).read_bytes()
        if name not in names:
            yield f"brand/{name} is no name of a brand image"
        elif picture[:8] != _SIGNATURE:
            yield f"brand/{name} is no PNG"
        else:
            yield from of_picture(name, picture)
        if picture in seen:
            yield f"brand/{name} is the same as {seen[picture]}; leave it out"
        seen[picture] = name


def of_picture(name: str, picture: bytes) -> Iterator[str]:
    """What is wrong with one image's size and colours."""
    width, height, _, colours = struct.unpack_from(">IIBB", picture, 16)
    wanted = _ICON["@2x" if name.endswith("@2x.png") else ""]
    if "icon" in name and (width, height) != (wanted, wanted):
        yield f"brand/{name} has {width}x{height} pixels; it has to have {wanted}x{wanted}"
    if "logo" in name and not wanted // 2 <= min(width, height) <= wanted:
        yield f"brand/{name} has {width}x{height} pixels; its shorter side has to have {wanted // 2} to {wanted}"
    if colours != _RGBA:
        yield f"brand/{name} has no transparency"
