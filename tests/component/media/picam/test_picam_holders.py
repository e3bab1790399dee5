"""Who has a device open, read from the real /proc."""

import asyncio
import os
import signal

from support.waiting import until

from livecam_nvr.media.picam.holders import holders


async def test_names_the_process_that_has_it_open(tmp_path):
    device = tmp_path / "media0"
    device.touch()
    assert holders((str(device),)) == []
    # The shell is our own child, which counts as this service; what it starts is somebody else.
    child = await asyncio.create_subprocess_exec(
        *("sh", "-c", 'exec 3<"$0"; sleep 60 & wait', str(device)), start_new_session=True
    )
    try:
        found = await until(lambda: [h for h in holders((str(device),)) if "sleep" in h], what="the holder")
        assert isinstance(found, list)
        assert len(found) == 1
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        await child.wait()


async def test_our_own_processes_count_only_if_there_is_nobody_else(tmp_path):
    device = tmp_path / "media0"
    device.touch()
    with device.open():
        assert holders((str(device),)) == [f"this service (pid {os.getpid()})"]
