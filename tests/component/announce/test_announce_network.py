"""Real multicast DNS, on loopback only, with a real browser."""

import asyncio
import gc
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.waiting import PATIENCE_S, until
from zeroconf import ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from livecam_nvr.announce.card import SERVICE_TYPE, ServiceCard
from livecam_nvr.announce.service import NetworkAnnouncement

LOOPBACK = ["127.0.0.1"]
# When the library cannot have the port or an address, it forgets to close a socket.
leaky = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def _swept() -> Iterator[None]:
    """What was forgotten is collected here, and not in a test that comes later and has nothing to do with it."""
    yield
    gc.collect()


class Browser:
    """What is announced now, by instance, and what has ended so far, in order."""

    def __init__(self, zeroconf: AsyncZeroconf) -> None:
        self.zeroconf = zeroconf
        self.seen: set[str] = set()
        self.gone: list[str] = []

    def changed(self, name: str, state_change: ServiceStateChange, **_: Any) -> None:
        if state_change is ServiceStateChange.Removed:
            self.seen.discard(name)
            self.gone.append(name)
        else:
            self.seen.add(name)

    async def info(self, name: str) -> AsyncServiceInfo:
        found = await self.zeroconf.async_get_service_info(SERVICE_TYPE, name, timeout=PATIENCE_S * 1000)
        assert found is not None
        return found


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    zeroconf = AsyncZeroconf(interfaces=LOOPBACK)
    browser = Browser(zeroconf)
    looking = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE_TYPE, handlers=[browser.changed])
    try:
        yield browser
    finally:
        await looking.async_cancel()
        await zeroconf.async_close()


def card(name: str = "Home", install_id: str = "") -> ServiceCard:
    # Tests may run side by side, and all of them are in one network.
    own = install_id or f"{time.monotonic_ns():x}"[::-1].ljust(32, "0")
    return ServiceCard(own, "livecam", name, "1.2.3", 8001, https=False)


async def test_it_is_found_renamed_and_gone() -> None:
    made = card("우리 집")
    announcement = NetworkAnnouncement(made, lambda: LOOPBACK, first_s=0)
    async with browsing() as browser:
        announcement.start()
        announcement.start()
        await until(lambda: made.instance in browser.seen, "it is found")
        info = await browser.info(made.instance)
        assert (info.port, info.parsed_addresses(), info.server) == (8001, LOOPBACK, made.server)
        assert info.decoded_properties == made.texts
        announcement.rename("Cottage")
        announcement.rename("Cottage")
        after = card("Cottage", made.install_id)
        await until(lambda: browser.seen >= {after.instance} and made.instance not in browser.seen, "its new name")
        assert (await browser.info(after.instance)).decoded_properties["name"] == "Cottage"
        await announcement.stop()
        await until(lambda: after.instance not in browser.seen, "it is gone")
        await announcement.stop()


async def test_a_goodbye_takes_no_second() -> None:
    """At one time of several at least: a machine that is busy with other things may hold it up."""
    async with browsing() as browser:

        async def quickly() -> bool:
            made = card()
            announcement = NetworkAnnouncement(made, lambda: LOOPBACK, first_s=0)
            announcement.start()
            await until(lambda: made.instance in browser.seen, "it is found")
            began_s = time.monotonic()
            await announcement.stop()
            return time.monotonic() - began_s < 1

        await until(quickly, "a stop within a second")


async def test_a_machine_that_gets_a_network_later(caplog: pytest.LogCaptureFixture) -> None:
    made, addresses, asked = card(), list[str](), 0

    def now() -> list[str]:
        nonlocal asked
        asked += 1
        return list(addresses)

    announcement = NetworkAnnouncement(made, now, look_every_s=0.02, first_s=0)
    async with browsing() as browser:
        announcement.start()
        await until(lambda: asked > 3)
        assert caplog.text.count("no address there yet") == 1
        assert made.instance not in browser.seen
        addresses += LOOPBACK
        await until(lambda: made.instance in browser.seen, "it is found")
        addresses.clear()
        await until(lambda: made.instance not in browser.seen, "it is gone")
        await until(lambda: caplog.text.count("no address there yet") == 2)
        await announcement.stop()


async def test_another_one_has_the_name(caplog: pytest.LogCaptureFixture) -> None:
    """As after the data folder was copied to another machine."""
    made = card()
    first = NetworkAnnouncement(made, lambda: LOOPBACK, first_s=0)
    second = NetworkAnnouncement(made, lambda: LOOPBACK, look_every_s=0.3, first_s=0)
    async with browsing() as browser:
        first.start()
        await until(lambda: made.instance in browser.seen, "the first is found")
        second.start()
        await until(lambda: "another service there is called" in caplog.text)
        await first.stop()
        await until(lambda: made.instance in browser.gone)
        await until(lambda: made.instance in browser.seen, "the second takes its place")
        await second.stop()
    assert caplog.text.count("another service there is called") == 1


@leaky
@pytest.mark.usefixtures("_swept")
@pytest.mark.parametrize("address", ["198.51.100.77", "not an address"])
async def test_what_does_not_work_is_one_line_and_tried_again(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    asked = 0

    def now() -> list[str]:
        nonlocal asked
        asked += 1
        return [address]

    announcement = NetworkAnnouncement(card(), now, look_every_s=0.05, first_s=0)
    announcement.start()
    await until(lambda: asked > 2)
    await announcement.stop()
    (told,) = [record.message for record in caplog.records if record.levelname != "DEBUG"]
    assert "not announced in the network" in told


async def test_a_stop_before_the_beginning() -> None:
    announcement = NetworkAnnouncement(card(), lambda: LOOPBACK)
    await announcement.stop()
    announcement.start()
    await announcement.stop()


async def test_a_stop_in_the_middle() -> None:
    announcement = NetworkAnnouncement(card(), lambda: LOOPBACK, first_s=0)
    announcement.start()
    await until(lambda: announcement._zeroconf is not None)
    await announcement.stop()
    assert [task.get_name() for task in asyncio.all_tasks() if "announcement" in task.get_name()] == []


@leaky
@pytest.mark.usefixtures("_swept")
async def test_a_port_that_is_not_to_be_had(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rude:
        # Without sharing it: as long as it is bound, nobody else gets it.
        try:
            rude.bind(("127.0.0.1", 5353))
        except OSError:
            pytest.skip("port 5353 is in use on this machine")
        announcement = NetworkAnnouncement(card(), lambda: LOOPBACK, first_s=0)
        announcement.start()
        await until(lambda: "not announced in the network" in caplog.text)
        await announcement.stop()
    (told,) = [record.message for record in caplog.records if record.levelname != "DEBUG"]
    assert "Address already in use" in told
