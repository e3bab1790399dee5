"""The card about Home Assistant on the page of the system: what it tells, and giving entities back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from fakes.core_carriage import FakeBroker, FakeCarriageMemory
from fakes.runtime_clock import FakeClock
from fakes.web_service import Site
from playwright.async_api import Browser, Locator, Page, expect
from support.browser import CHROMIUM, chromium
from support.household import Household, household, password_of, signed_in, visitor

from livecam_nvr.core.entity_carrier import EntityCarrier
from livecam_nvr.core.home_assistant import Carriage, Carrier
from livecam_nvr.domain.access import Role
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import BrokerStatus, Fault, ServiceStatus
from livecam_nvr.web.keys import WebPorts

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium"),
    # Who leaves a page while its files are being opened makes aiohttp forget one; it is closed when collected.
    pytest.mark.filterwarnings("ignore:.*/web/static/.*:pytest.PytestUnraisableExceptionWarning"),
]

INTEGRATION = Carriage(Carrier.INTEGRATION, 1_763_726_400 * 10**9, "token homeassistant (192.0.2.5)")
CONNECTED = BrokerStatus(configured=True, connected=True, address="192.0.2.9:1883")
AGAIN = "Announce over MQTT again"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as found:
        yield found


class Home:
    """A service whose broker and carrier are for the test to say; its status, too (core.ports.StatusSource)."""

    house: Household
    site: Site

    def __init__(self) -> None:
        self.broker = FakeBroker()
        self.memory = FakeCarriageMemory(INTEGRATION)
        self.carrier = EntityCarrier(self.memory, lambda: self.broker, FakeClock())
        self.connection = CONNECTED

    def refit(self, site: Site) -> WebPorts:
        self.site = site
        return replace(site.ports, home_assistant=self.carrier, status=self)

    def status(self) -> ServiceStatus:
        return replace(self.site.home.status(), broker=self.connection)


@pytest_asyncio.fixture(loop_scope="module")
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    people = ("anna", Role.ADMIN), ("otto", Role.OPERATOR), ("willi", Role.WATCHER)
    found = Home()
    await found.carrier.load()
    async with household(tmp_path, *people, refit=found.refit) as found.house:
        await found.house.add("ben", Role.OPERATOR, ["cam0"])
        yield found
    await found.carrier.stop()


async def opened(page: Page, home: Home, name: str) -> Locator:
    """The card."""
    await signed_in(page, f"{home.house.url}system", name)
    card = page.locator(".card", has=page.get_by_role("heading", name="Home Assistant"))
    await expect(card).to_contain_text("MQTT broker")
    return card


async def test_it_tells_who_brings_the_entities_and_gives_them_back(browser: Browser, home: Home) -> None:
    async with visitor(browser) as page:
        card = await opened(page, home, "otto")
        for words in ("192.0.2.9:1883", "from its integration", "Nov 21, 2025", "token homeassistant (192.0.2.5)"):
            await expect(card).to_contain_text(words)
        await card.get_by_role("button", name=AGAIN).click()
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("delete its entry instead")
        await dialog.get_by_role("button", name="Cancel").click()
        assert home.broker.told == []
        await card.get_by_role("button", name=AGAIN).click()
        home.broker.error = LivecamError(ErrorKind.UNAVAILABLE, "the broker could not be told", "it is told later")
        await dialog.get_by_role("button", name=AGAIN).click()
        await expect(dialog.get_by_role("alert")).to_have_text("the broker could not be told; it is told later")
        home.broker.error = None
        await dialog.get_by_role("button", name=AGAIN).click()
        await expect(dialog).to_have_count(0)
        await expect(card).to_contain_text("over MQTT")
        await expect(card).to_contain_text("otto")
        await expect(card.get_by_role("button")).to_have_count(0)
    assert home.memory.known.carrier is Carrier.MQTT
    assert home.broker.told == [Carrier.MQTT, Carrier.MQTT]


@pytest.mark.parametrize("name", ["willi", "ben"])
async def test_whoever_may_not_switch_all_cameras_has_no_button(browser: Browser, home: Home, name: str) -> None:
    async with visitor(browser) as page:
        card = await opened(page, home, name)
        await expect(card).to_contain_text("from its integration")
        await expect(card.get_by_role("button")).to_have_count(0)


async def test_a_broker_that_is_away_says_why(browser: Browser, home: Home) -> None:
    why = Fault("the broker refuses the password", "correct it")
    home.connection = BrokerStatus(configured=True, address="192.0.2.9:1883", fault=why)
    async with visitor(browser) as page:
        card = await opened(page, home, "anna")
        await expect(card).to_contain_text("the broker refuses the password")
        await expect(card.get_by_role("button", name=AGAIN)).to_be_visible()
        home.connection = BrokerStatus(configured=False)
        await expect(card).to_contain_text("not used")
        await expect(card).to_contain_text("from its integration")
        await expect(card.get_by_role("button")).to_have_count(0)


async def test_it_speaks_korean(browser: Browser, home: Home) -> None:
    home.connection = BrokerStatus(configured=True, fault=Fault("the broker refuses the password"))
    async with visitor(browser, locale="ko-KR") as page:
        said = {"name": "anna", "password": password_of("anna")}
        address, headers = f"{home.house.url}api/session", {"Origin": home.site.url}
        assert (await page.request.post(address, data=said, headers=headers)).ok
        await page.goto(f"{home.house.url}system")
        card = page.locator(".card", has=page.get_by_role("heading", name="Home Assistant"))
        await expect(card).to_contain_text("연결 안 됨")
        await card.get_by_role("button", name="MQTT로 다시 알리기").click()
        await expect(page.get_by_role("dialog")).to_contain_text("모든 것을 MQTT로 다시 알릴까요?")
