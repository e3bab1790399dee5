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


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


async def test_the_clock_stands_in_the_picture_when_it_is_drawn() -> None:
    """No picture is drawn before ffmpeg is given what to draw on, nor after it has come out."""
    camera = models.TestCamera(id="cam0", kind="test", size=f"{WIDTH}x{HEIGHT}", fps=30)
    argv = [with_clock(argument) for argument in command(source(camera), None)]
    graph = argv[argv.index("-filter_complex") + 1]
    output = graph.rsplit("[", 1)[1]
    raw = ("-f", "rawvideo", "-pix_fmt", "gray")
    player = await asyncio.create_subprocess_exec(
        *("ffmpeg", "-v", "error", "-nostdin", "-probesize", "32", "-analyzeduration", "0"),
        *(*raw, "-video_size", f"{WIDTH}x{HEIGHT}", "-i", "-", "-filter_complex", graph, "-map", f"[{output}"),
        *(*raw, "-fps_mode", "passthrough", "-flush_packets", "1", "-"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert player.stdin is not None
    assert player.stdout is not None
    given_ms: list[int] = []

    async def give(stdin: asyncio.StreamWriter) -> None:
        while True:
            given_ms.append(wall_ms())
            stdin.write(bytes(WIDTH * HEIGHT))
            await stdin.drain()

    giving = asyncio.create_task(give(player.stdin))
    seen = []
    try:
        for number in range(20):
            picture = await player.stdout.readexactly(WIDTH * HEIGHT)
            seen.append((given_ms[number], clock_of(picture), wall_ms()))
    finally:
        giving.cancel()
        await asyncio.gather(giving, return_exceptions=True)
        player.kill()
        await player.communicate()
    for given, shown, taken in seen:
        assert (shown - given) % (1 << BARCODE_BITS) <= taken - given, seen
