"""The service's start and end when the disk does not answer."""

from pathlib import Path

import pytest
from support.faults import Faults
from support.service import Service, alive, descendants, small_camera
from support.waiting import until

HUNG = "STALL open stat write sync"


@pytest.fixture
def service(tmp_path: Path) -> Service:
    (tmp_path / "recordings").mkdir()
    return Service(tmp_path, cameras=[small_camera("cam0")])


@pytest.fixture
def faults(service: Service, tmp_path: Path) -> Faults:
    faults = Faults(tmp_path, service.recordings)
    service.env = faults.env
    faults.order(HUNG)
    return faults


async def test_a_disk_that_hangs_at_the_start_does_not_keep_the_cameras_from_it(
    service: Service, faults: Faults
) -> None:
    try:
        await service.start()
        assert "does not answer" in str((await service.status())["disk"])
        faults.mend()

        async def recorded() -> bool:
            return bool((await service.camera("cam0"))["recording"]["frames"] > 15)

        await until(recorded, "recording begins by itself")
        await until(lambda: service.segments("cam0"), "its file")
        assert await service.stop() == 0
        assert "Traceback" not in service.read_log()
    finally:
        faults.mend()
        await service.kill()


async def test_a_service_that_is_told_to_stop_while_it_starts_stops(service: Service, faults: Faults) -> None:
    try:
        # The archive's lock comes first, and is waited for in vain for three seconds: if it stopped only after
        # that, it would listen. A machine that stands still for so long is given another chance.
        for _ in range(5):
            said = len(service.read_log())
            await service.start(wait=False)
            await until((service.folder / "data" / "index.sqlite3").exists)
            assert service.process is not None
            family = descendants(service.process.pid)
            assert await service.stop() == 0
            await until(lambda family=family: not any(map(alive, family)))
            if "listening" not in service.read_log()[said:]:
                return
            (service.folder / "data" / "index.sqlite3").unlink()
        raise AssertionError(service.read_log())
    finally:
        faults.mend()
        await service.kill()
