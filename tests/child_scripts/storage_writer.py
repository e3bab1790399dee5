"""Writes a clip's fragments into an archive, and tells each one when it is written; meant to be killed.

Arguments: the archive, the clip. The repository and its tests must be on PYTHONPATH.
"""

import asyncio
import sys
from pathlib import Path

from fakes.storage_fragments import read_clip, start_of

from livecam_nvr.domain.media import EndCause
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.files.archive import FileArchive


async def main() -> None:
    fragments = read_clip(Path(sys.argv[2]))
    archive = FileArchive(Path(sys.argv[1]), 0.05, SystemClock())
    await archive.start()
    finished = archive.begin(start_of(fragments[0]), print, print)
    for fragment in fragments:
        finished.append(fragment)
    finished.finish(EndCause.CLOCK)
    await archive.flush()
    writer = archive.begin(start_of(fragments[0], sequence=1), print, print)
    for number, fragment in enumerate(fragments, 1):
        writer.append(fragment)
        while archive.load().waiting_bytes:
            await asyncio.sleep(0.001)
        print(number, flush=True)
    await asyncio.sleep(60)


asyncio.run(main())
