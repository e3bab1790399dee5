"""The live page's benchmark measures what it says: the clock in its pictures is right."""

import asyncio
import subprocess
import time

from benchmarks.live_clock import with_clock
from livecam_nvr.config import models
from livecam_nvr.media.ffmpeg import command
from livecam_nvr.media.sources import BARCODE_BITS, BARCODE_CELL, source

WIDTH, HEIGHT = 640, 360


def clock_of(picture: bytes) -> int:
    """The milliseconds in a grey picture's strip, a Gray code with its lowest bit on the left."""
    made = above = 0
    for bit in reversed(range(BARCODE_BITS)):
        lit = picture[(HEIGHT - BARCODE_CELL // 2) * WIDTH + bit * BARCODE_CELL + BARCODE_CELL // 2] > 127
        above ^= lit
        made += above << bit
    return made


async def test_the_clock_stands_in_the_picture_when_it_is_drawn() -> None:
    camera = models.TestCamera(id="cam0", kind="test", size=f"{WIDTH}x{HEIGHT}", fps=30)
    argv = [with_clock(argument) for argument in command(source(camera), None)]
    graph = argv[argv.index("-filter_complex") + 1]
    output = graph.rsplit("[", 1)[1]
    player = await asyncio.create_subprocess_exec(
        *(
            "ffmpeg",
            "-v",
            "error",
            "-nostdin",
            "-re",
            "-f",
            "lavfi",
            "-i",
            f"testsrc2=size={WIDTH}x{HEIGHT}:rate=30",
        ),
        *("-filter_complex", graph, "-map", f"[{output}", "-pix_fmt", "gray", "-f", "rawvideo", "-"),
        stdout=subprocess.PIPE,
    )
    assert player.stdout is not None
    ages = []
    try:
        for _ in range(30):
            picture = await player.stdout.readexactly(WIDTH * HEIGHT)
            ages.append((time.time() * 1000 - clock_of(picture)) % (1 << BARCODE_BITS))
    finally:
        player.kill()
        await player.wait()
    assert sorted(ages)[len(ages) // 2] < 60, ages
    assert max(ages) < 5000, ages
