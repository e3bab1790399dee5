"""Records a clip into an archive, at its own pace, and tells of each fragment; meant to be stopped.

Arguments: the archive, the clip, the durability in seconds. The repository and its tests must be on PYTHONPATH.
Prints for each fragment the monotonic time and the number of pictures handed over so far, and `finished` and its
pictures for the first file, which is durable then.
"""

import asyncio
import sys
import time
from pathlib import Path

from fakes.storage_fragments import read_clip, start_of

from livecam_nvr.domain.media import EndCause
from livecam_nvr.domain.segment import Segment
from livecam_nvr.runtime.clock import SystemClock
from livecam_nvr.storage.files.archive import FileArchive


def tell(segment: Segment) -> None:
    """The first file is on disk."""
    print("finished", segment.frames, flush=True)


async def main() -> None:
    fragments = read_clip(Path(sys.argv[2]))
    archive = FileArchive(Path(sys.argv[1]), float(sys.argv[3]), SystemClock())
    await archive.start()
    finished = archive.begin(start_of(fragments[0]), tell, print)
    for fragment in fragments[:30]:
        finished.append(fragment)
    finished.finish(EndCause.CLOCK)
    await archive.flush()
    writer = archive.begin(start_of(fragments[0], sequence=1), print, print)
    for number, fragment in enumerate(fragments, 1):
        writer.append(fragment)
        print(time.monotonic(), number, flush=True)
        await asyncio.sleep(1 / 30)


asyncio.run(main())
