"""The pages that let people in, in a real Chromium, before real users."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from support.browser import CHROMIUM, chromium
from support.household import household, password_of, sign_in, signed_in, visitor
from support.reverse_proxy import reverse_proxy
from support.waiting import until

from livecam_nvr.domain.access import Role

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="there is no chromium"),
    # Who leaves a page while its files are being opened makes aiohttp forget one; it is closed when collected.
    pytest.mark.filterwarnings("ignore:.*/web/static/.*:pytest.PytestUnraisableExceptionWarning"),
]

ANNA = ("anna", Role.ADMIN)
NEW = "a few words in a row"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def test_whoever_is_nobody_signs_in_and_gets_where_they_wanted(tmp_path: Path, browser: Browser) -> None:
    async with household(tmp_path, ANNA) as home, visitor(browser) as page:
        await page.goto(f"{home.url}past#cam1")
        await expect(page).to_have_url(f"{home.url}signin?next=past#cam1")
        name = page.get_by_label("Name")
        password = page.get_by_label("Password", exact=True)
        await expect(name).to_be_focused()
        assert await name.get_attribute("autocomplete") == "username"
        assert await password.get_attribute("autocomplete") == "current-password"
        await page.keyboard.type("anna")
        await page.keyboard.press("Tab")
        await page.keyboard.type(password_of("anna"))
        await page.get_by_role("button", name="Show: Password").click()
        assert await password.get_attribute("type") == "text"
        assert await password.input_value() == password_of("anna")
        await page.get_by_role("button", name="Hide: Password").click()
        assert await password.get_attribute("type") == "password"
        await password.press("Enter")
        await expect(page).to_have_url(f"{home.url}past#cam1")
        await page.get_by_role("button", name="anna: account").wait_for()
        # Whoever is signed in already is sent on.
        await page.goto(f"{home.url}signin")
        await expect(page).to_have_url(home.url)


async def test_a_wrong_password_is_told_in_words_and_too_many_have_to_wait(
    tmp_path: Path, browser: Browser
) -> None:
    async with household(tmp_path, ANNA) as home, visitor(browser) as page:
        await page.goto(home.url)
        told = page.get_by_role("alert")
        password = page.get_by_label("Password", exact=True)
        await sign_in(page, "anna", "not this one")
        await expect(told).to_have_text("The name or the password is wrong.")
        await expect(password).to_have_attribute("aria-invalid", "true")
        await expect(password).to_be_focused()
        button = page.get_by_role("button", name="Sign in")

        async def has_to_wait() -> bool:
            if await button.is_enabled():
                await button.click()
            return bool(await page.evaluate("window.waits.some((one) => one.startsWith('Too many failed'))"))

        await page.evaluate(NOTE_WAITS)
        await until(has_to_wait, "to be slowed down")
        await expect(told).to_have_text("You can try again now.")
        # The button says how long, and does nothing meanwhile.
        assert "s)" in await page.evaluate("window.waits.join()")
        await sign_in(page, "anna")
        await expect(page).to_have_url(home.url)


# What the form says while its button does nothing, however short that is.
NOTE_WAITS = """() => {
  const form = document.querySelector("form");
  const button = form.querySelector("[type=submit]");
  window.waits = [];
  new MutationObserver(() => {
    if (button.disabled) waits.push(`${form.querySelector(".told").textContent} ${button.textContent}`);
  }).observe(form, { subtree: true, childList: true, characterData: true, attributes: true });
}"""
# What `next` may say, and where that leads.
NEXT = {
    "/past": "past",
    "./#cam1": "#cam1",
    "wall?cameras=cam1&labels=0&next=past": "wall?cameras=cam1&labels=0",
    "../../past": "past",
    "signin": "",
    "//example.com/past": "",
    "https://example.com/past": "",
    "/\\example.com": "",
    "\t//example.com": "",
    "javascript:alert(1)": "",
}


async def test_it_leads_to_pages_of_the_service_only(tmp_path: Path, browser: Browser) -> None:
    # In a demo everybody is let in, so that the sign-in sends on at once.
    async with household(tmp_path, demo=True) as home, visitor(browser) as page:
        for asked, reached in NEXT.items():
            tab = await page.context.new_page()
            await tab.goto(f"{home.url}signin?next={quote(asked, safe='')}")
            await expect(tab).to_have_url(home.url + reached)
            await tab.close()


async def test_the_first_password_is_set_with_the_code_of_the_console(tmp_path: Path, browser: Browser) -> None:
    async with household(tmp_path) as home, visitor(browser) as page:
        await page.goto(home.url)
        await expect(page).to_have_url(f"{home.url}setup")
        await page.goto(f"{home.url}signin")
        await page.get_by_role("link", name="Set the first password").click()
        await expect(page).to_have_url(f"{home.url}setup")
        await page.goto(f"{home.url}setup#code=AAAA-AAAA")
        code, name = page.get_by_label("Code"), page.get_by_label("Name")
        fresh, again = (page.get_by_label(label, exact=True) for label in ("Password", "Password again"))
        await expect(code).to_have_value("AAAA-AAAA")
        await expect(page).to_have_url(f"{home.url}setup")
        assert await page.evaluate("history.length") <= 5
        assert await name.input_value() == "admin"
        rules = page.locator("#rules .met")
        told = page.get_by_role("alert")
        submit = page.get_by_role("button", name="Set the password")

        await fresh.fill("short")
        await again.fill("short")
        await submit.click()
        await expect(told).to_have_text("The new password has to be at least 10 characters.")
        await fresh.fill(NEW)
        await submit.click()
        await expect(told).to_have_text("The new password has to be the same twice.")
        await expect(again).to_be_focused()
        await again.fill(NEW)
        await expect(rules).to_have_count(3)
        await submit.click()
        await expect(told).to_have_text("The code is wrong. The service's console shows it.")
        await expect(code).to_have_attribute("aria-invalid", "true")
        # The address of the console, in a page that is open already.
        await page.evaluate("code => { location.hash = `code=${code}`; }", home.access.setup_code)
        await expect(code).to_have_value(str(home.access.setup_code))
        await expect(page).to_have_url(f"{home.url}setup")
        await submit.click()
        await expect(page).to_have_url(home.url)
        await page.get_by_role("button", name="admin: account").click()
        await page.get_by_text("Admin · May do everything").wait_for()
        # That was it.
        await page.goto(f"{home.url}setup")
        await expect(page).to_have_url(home.url)
        async with visitor(browser) as other:
            await other.goto(f"{home.url}setup")
            await expect(other).to_have_url(f"{home.url}signin")
            await sign_in(other, "admin", NEW)
            await expect(other).to_have_url(home.url)


async def test_from_elsewhere_it_explains_who_can_set_the_first_password(tmp_path: Path, browser: Browser) -> None:
    elsewhere = {"X-Forwarded-For": "203.0.113.9"}
    async with (
        household(tmp_path, trusted=("127.0.0.1",)) as home,
        visitor(browser, extra_http_headers=elsewhere) as page,
    ):
        await page.goto(f"{home.url}setup#code={home.access.setup_code}")
        for label in ("Password", "Password again"):
            await page.get_by_label(label, exact=True).fill(NEW)
        await page.get_by_role("button", name="Set the password").click()
        await page.get_by_text("from the same local network").wait_for()
        assert home.access.needs_setup


async def test_without_javascript_it_says_so(tmp_path: Path, browser: Browser) -> None:
    async with household(tmp_path, ANNA) as home, visitor(browser, java_script_enabled=False) as page:
        await page.goto(home.url)
        words = await page.locator("noscript").text_content()
        assert "Signing in here needs JavaScript" in (words or "")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_small_screens_and_can_be_read(tmp_path: Path, browser: Browser, scheme: str) -> None:
    small = {"viewport": {"width": 360, "height": 640}, "color_scheme": scheme}
    async with household(tmp_path) as home, visitor(browser, **small) as page:
        for path in ("setup", "signin"):
            await page.goto(home.url + path)
            await page.locator("form [type=submit] > span").first.wait_for()
            assert await page.evaluate("document.documentElement.scrollWidth") <= 360
            assert await page.evaluate(UNLABELLED) == []
            assert await page.evaluate(SMALL_TARGETS) == []
            assert await page.evaluate(CONTRAST) >= 4.5


async def test_all_of_it_works_below_a_prefix(tmp_path: Path, browser: Browser) -> None:
    async with (
        household(tmp_path, ANNA, trusted=("127.0.0.1",)) as home,
        reverse_proxy(home.site.url) as proxy,
        visitor(browser) as page,
    ):
        await home.site.live("cam0")
        root = f"{proxy.url}/"
        outside: list[str] = []
        page.on("request", lambda request: None if request.url.startswith(root) else outside.append(request.url))
        page.on("websocket", lambda socket: outside.append(socket.url) if proxy.base not in socket.url else None)
        await signed_in(page, f"{root}past", "anna")
        await expect(page).to_have_url(f"{root}past")
        await page.get_by_role("link", name="Live").click()
        await expect(page).to_have_url(root)
        await page.locator('.state[data-state="LIVE"]').first.wait_for()
        await expect(page.locator(".way").first).to_have_text("MSE")
        await page.get_by_role("switch", name="Record Camera 0").click()
        await page.locator(".tile").first.locator(".rec").wait_for()
        playlist = page.get_by_text(f"{root}api/cameras/cam0/hls/index.m3u8", exact=True)
        await expect(playlist.first).to_be_attached()
        await page.get_by_role("link", name="Recordings").click()
        await page.locator(".lane").first.wait_for()
        await page.get_by_role("button", name="anna: account").click()
        await page.get_by_role("button", name="Sign out").click()
        await expect(page).to_have_url(f"{root}signin")
        assert [url for url in outside if not url.startswith("blob:")] == []


async def test_a_name_and_password_in_the_address_do_not_keep_it_from_working(
    tmp_path: Path, browser: Browser
) -> None:
    async with household(tmp_path, ANNA) as home, visitor(browser) as page:
        await page.goto(home.url.replace("//", "//anna:whatever@"))
        await sign_in(page, "anna")
        await page.get_by_role("button", name="anna: account").wait_for()
        await page.locator(".tile").first.wait_for()


# Fields and buttons that a screen reader has no name for.
UNLABELLED = """
[...document.querySelectorAll("input, button")]
  .filter((one) => one.checkVisibility() && !(one.labels?.length || one.ariaLabel || one.textContent.trim()))
  .map((one) => one.outerHTML)
"""
# WCAG 2.2, 2.5.8: at least 24 by 24 pixels.
SMALL_TARGETS = """
[...document.querySelectorAll("input, button")].filter((one) => one.checkVisibility()).map((one) => {
  const { width, height } = one.getBoundingClientRect();
  return Math.min(width, height) >= 24 ? "" : one.outerHTML;
}).filter(Boolean)
"""
# The worst contrast of a text with what is behind it; WCAG 2.2, 1.4.3.
CONTRAST = """
(() => {
  const light = (colour) => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
    const linear = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const texts = [...document.querySelectorAll("main *")].filter((one) => one.checkVisibility() &&
    [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return Math.min(...texts.map((one) => {
    const [a, b] = [light(getComputedStyle(one).color), light(behind(one))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  }));
})()
"""
