"""Spawns a child that sleeps, says its pid, and waits to be killed."""

import asyncio

from livecam_nvr.runtime.process import spawn


async def main() -> None:
    child = await spawn(["sleep", "600"], name="sleeper")
    print(child.pid, flush=True)
    await child.wait()


asyncio.run(main())
