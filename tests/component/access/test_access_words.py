"""What people are told about names, passwords and codes that do not fit, and what is written down of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakes.access_audit import FakeAuditLog
from fakes.runtime_clock import FakeClock

from livecam_nvr.access.passwords import Cost, Hasher
from livecam_nvr.access.service import AccessService
from livecam_nvr.core.access import Client, Deed, Door
from livecam_nvr.core.bus import EventBus
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.errors import LivecamError

GOOD = "four words in a row"
HOME = Client("192.168.1.20", Door.PAGE)


@pytest.fixture
def audit() -> FakeAuditLog:
    return FakeAuditLog()


@pytest.fixture
async def service(tmp_path: Path, audit: FakeAuditLog) -> AsyncIterator[AccessService]:
    """Without a user."""
    cheap = Hasher(Cost(rounds=1, memory_kib=8, lanes=1))
    made = AccessService(tmp_path, FakeClock(), EventBus(), audit, camera_ids=["door"], hasher=cheap)
    await made.start()
    yield made
    await made.stop()


async def test_what_was_wrong_stands_in_the_message_and_not_only_in_the_hint(service: AccessService) -> None:
    """The message is what the log and scripts show."""
    with pytest.raises(LivecamError) as code:
        await service.set_up("AAAA-AAAA", "anna", GOOD, HOME)
    with pytest.raises(LivecamError) as password:
        await service.sign_in("anna", "wrong one", HOME)
    assert [caught.value.message for caught in (code, password)] == [
        "the code is wrong",
        "the name or the password is wrong",
    ]


async def test_a_user_is_called_as_they_were_named_however_others_write_it(
    service: AccessService, audit: FakeAuditLog
) -> None:
    await service.add_user("anna", GOOD, Role.ADMIN, None, by="anna", client=HOME)
    await service.add_user("Ben", GOOD, Role.VIEWER, None, by="anna", client=HOME)
    with pytest.raises(LivecamError, match="there is a user 'Ben' already"):
        await service.add_user("BEN", GOOD, Role.VIEWER, None, by="anna", client=HOME)
    await service.remove_user("BEN", by="anna", client=HOME)
    (removed,) = [entry for entry in audit.entries if entry.deed is Deed.USER and entry.detail == "removed"]
    assert removed.target == "Ben"


async def test_every_password_that_is_turned_away_is_written_down(
    service: AccessService, audit: FakeAuditLog
) -> None:
    """Also those for which there is no room in the line for the slow hash."""
    await service.add_user("anna", GOOD, Role.ADMIN, None, by="anna", client=HOME)
    audit.entries.clear()
    tries = (service.password("anna", f"guess {number}", HOME) for number in range(40))
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert all(isinstance(answer, LivecamError) for answer in answers)
    details = Counter(entry.detail for entry in audit.entries)
    assert details.total() == 40
    assert details["too many passwords at once"] == 32
    assert details["wrong name or password"] == 5
