"""Notes a line in the audit log named, says so, and goes on noting the same until it is killed."""

import asyncio
import sys
from pathlib import Path

from livecam_nvr.access.audit import FileAuditLog
from livecam_nvr.core.access import Client, Deed, Door
from livecam_nvr.runtime.clock import SystemClock


async def main() -> None:
    log = FileAuditLog(Path(sys.argv[1]), SystemClock())
    await log.start()
    log.note(Deed.SIGN_IN, "anna", Client("192.168.1.2", Door.PAGE))
    number = 0
    while True:
        number += 1
        log.note(Deed.RECORDING, "anna", Client("192.168.1.2", Door.PAGE), target="cam0", detail=f"{number}")
        print(number, flush=True)
        await asyncio.sleep(0.01)


asyncio.run(main())
