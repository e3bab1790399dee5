import asyncio
from collections.abc import Sequence

from livecam_nvr.core.ports import Check
from livecam_nvr.core.self_checks import results, while_running
from livecam_nvr.domain.errors import ErrorKind, LivecamError


class Look:
    def __init__(self, name: str, found: object) -> None:
        self.name = name
        self._found = found

    async def check(self) -> Sequence[Check]:
        if isinstance(self._found, Exception):
            raise self._found
        if self._found is None:
            await asyncio.Event().wait()
        return [Check(self.name, ok=True, found=str(self._found))]


async def test_what_one_check_does_wrong_hides_nothing_of_the_others() -> None:
    checks = [
        Look("a", "fine"),
        Look("b", LivecamError(ErrorKind.UNAVAILABLE, "it is gone", "get it")),
        Look("c", ValueError("odd")),
        Look("d", None),
    ]
    found = {check.name: check async for some in results(checks, 0.2) for check in some}
    assert found["a"].ok
    assert (found["b"].found, found["b"].mend) == ("it is gone", "get it")
    assert "ValueError: odd" in found["c"].found
    assert "no answer within 0.2 s" in found["d"].found
    assert [found[name].ok for name in "bcd"] == [False] * 3


def test_its_own_ports_are_no_trouble_of_a_service_that_runs() -> None:
    taken = Check("port 8554 (RTSP)", ok=False, found="in use", mend="change it")
    assert while_running(taken).ok
    gone = Check("MediaMTX", ok=False, found="not found", mend="install it")
    assert while_running(gone) == gone
