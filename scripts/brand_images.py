"""Draws the images of the integration and the app from the page's icon and homeassistant/brand/: run it by hand.

`.venv/bin/python scripts/brand_images.py`. Names and sizes are those of Home Assistant's brand images
(https://github.com/home-assistant/brands: icons of 256 pixels, logos of at most 256 pixels height, `@2x` twice).
"""

import asyncio
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.browser import chromium  # noqa: E402

HOME_ASSISTANT = ROOT / "homeassistant"
INTEGRATION = HOME_ASSISTANT / "custom_components" / "livecam_nvr" / "brand"
APP = HOME_ASSISTANT / "addon" / "livecam_nvr"
_ICON = ROOT / "livecam_nvr" / "web" / "static" / "icon.svg"
_LOGO = HOME_ASSISTANT / "brand" / "logo.svg"
# On a dark ground the letters are light. The icon has a ground of its own and needs no such twin.
_DARK = {
    "#1f2937": "#f3f4f6",
    'stroke="#0f766e"': 'stroke="#2dd4bf"',
    'r="3.4" fill="#0f766e"': 'r="3.4" fill="#2dd4bf"',
}
_ICON_SHAPE = (32, 32)
_LOGO_SHAPE = (332, 64)


def images() -> Iterator[tuple[Path, str, tuple[int, int]]]:
    """Each image: where it goes, its SVG, its width and height."""
    icon, logo = _ICON.read_text(), _LOGO.read_text()
    dark_logo = logo
    for light, dark in _DARK.items():
        dark_logo = dark_logo.replace(light, dark)
    for suffix, height in (("", 256), ("@2x", 512)):
        yield INTEGRATION / f"icon{suffix}.png", icon, sized(_ICON_SHAPE, height)
        yield INTEGRATION / f"logo{suffix}.png", logo, sized(_LOGO_SHAPE, height)
        yield INTEGRATION / f"dark_logo{suffix}.png", dark_logo, sized(_LOGO_SHAPE, height)
    yield APP / "icon.png", icon, sized(_ICON_SHAPE, 128)
    # One image for both grounds: the app's page shows the icon's ground, too.
    yield APP / "logo.png", icon, sized(_ICON_SHAPE, 256)


def sized(shape: tuple[int, int], height: int) -> tuple[int, int]:
    """The shape at this height."""
    return round(shape[0] * height / shape[1]), height


def smaller(png: bytes) -> bytes:
    """The same picture in fewer bytes: one filter for all lines, whichever is best, and zlib's best."""
    width, height, depth, colour = struct.unpack_from(">IIBB", png, 16)
    assert (depth, colour) == (8, 6), "Chromium's screenshots are RGBA"  # noqa: S101 - a script's own assumption
    stride = width * 4
    lines = unfiltered(zlib.decompress(b"".join(chunks(png, b"IDAT"))), stride, height)
    packed = min((zlib.compress(filtered(lines, kind), 9) for kind in (0, 1, 2)), key=len)
    # No chunk but the three that there must be: no time, no text.
    return png[:8] + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in ((b"IHDR", png[16:29]), (b"IDAT", packed), (b"IEND", b""))
    )


def chunks(png: bytes, wanted: bytes) -> Iterator[bytes]:
    """The bodies of a PNG's chunks of one name."""
    at = 8
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        if png[at + 4 : at + 8] == wanted:
            yield png[at + 8 : at + 8 + size]
        at += size + 12


def unfiltered(data: bytes, stride: int, height: int) -> list[bytes]:
    """The lines of pixels (PNG specification, 9.2)."""
    lines: list[bytes] = []
    above = bytes(stride)
    for row in range(height):
        kind, *line = data[row * (stride + 1) : (row + 1) * (stride + 1)]
        for at in range(stride):
            left = line[at - 4] if at >= 4 else 0  # noqa: PLR2004 - four bytes a pixel
            up = above[at]
            corner = above[at - 4] if at >= 4 else 0  # noqa: PLR2004
            line[at] = (line[at] + (0, left, up, (left + up) // 2, paeth(left, up, corner))[kind]) & 255
        above = bytes(line)
        lines.append(above)
    return lines


def paeth(left: int, up: int, corner: int) -> int:
    """The neighbour that is nearest to left + up - corner (PNG specification, 9.4)."""
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))


def filtered(lines: list[bytes], kind: int) -> bytes:
    """All lines with filter 0 (none), 1 (left) or 2 (up)."""
    out = bytearray()
    above = bytes(len(lines[0]))
    for line in lines:
        beside = {0: bytes(len(line)), 1: bytes(4) + line[:-4], 2: above}[kind]
        out.append(kind)
        out += bytes((a - b) & 255 for a, b in zip(line, beside, strict=True))
        above = line
    return bytes(out)


async def main() -> None:
    """Each image is a page's picture."""
    async with chromium() as browser:
        for target, svg, (width, height) in images():
            page = await browser.new_page(viewport={"width": width, "height": height})
            await page.set_content(f"<style>body{{margin:0}}svg{{display:block;width:100vw}}</style>{svg}")
            drawn = await page.screenshot(omit_background=True)
            await page.close()
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(smaller(drawn))
            print(target.relative_to(ROOT), f"{width}x{height}", f"{len(drawn)} -> {target.stat().st_size}")


asyncio.run(main())
