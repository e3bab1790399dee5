"""Whatever comes as a token, a cookie or an Authorization header: only the real one opens, nothing breaks."""

import asyncio
import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from fakes.access_audit import FakeAuditLog
from fakes.runtime_clock import FakeClock
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from livecam_nvr.access.passwords import Cost, Hasher
from livecam_nvr.access.secrets import hash_of, looks_like_token
from livecam_nvr.access.service import AccessService
from livecam_nvr.access.store import AccessStore
from livecam_nvr.core.access import Client, Door
from livecam_nvr.core.bus import EventBus
from livecam_nvr.domain.access import Principal, Role, not_signed_in
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.web.access_credentials import COOKIE, identify, session_secrets
from livecam_nvr.web.proxies import PROXIES, Proxies

CLIENT = Client("192.168.1.2", Door.HTTP)
LETTERS = string.ascii_letters + string.digits + "-_"
# What a parser of HTTP lets through in a header.
HEADER = st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=("Cs",)), max_size=200)


@dataclass
class Home:
    gate: AccessService
    token: str
    session: str


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A gate with a user who has signed in, and with a token."""
    folder = tmp_path_factory.mktemp("access")
    hasher, clock = Hasher(Cost(1, 64, 1)), FakeClock()
    with AccessStore(folder, hasher=hasher, now_utc_ns=clock.utc_ns) as store:
        store.add_user("anna", "a few words in a row", Role.ADMIN, None)
        token = store.add_token("homeassistant", Role.VIEWER, None).secret
    loop = asyncio.new_event_loop()
    gate = AccessService(folder, clock, EventBus(), FakeAuditLog(), camera_ids=["cam0"], hasher=hasher)
    loop.run_until_complete(gate.start())
    signed_in = loop.run_until_complete(gate.sign_in("anna", "a few words in a row", CLIENT))
    yield Home(gate, token, signed_in.secret)
    loop.run_until_complete(gate.stop())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


class Bouncer:
    """A gate that lets nobody in."""

    demo = None
    needs_setup = False

    def session(self, _secret: str) -> Principal | None:
        return None

    def token(self, _secret: str, _client: Client) -> Principal | None:
        return None

    def ticket(self, _text: str, _path: str) -> Principal | None:
        return None

    async def password(self, _name: str, _password: str, _client: Client) -> Principal:
        raise not_signed_in


def request(headers: dict[str, str], path: str = "/api/status") -> web.Request:
    app = web.Application()
    app[COOKIE] = "livecam_nvr_8080"
    app[PROXIES] = Proxies(())
    return make_mocked_request("GET", path, headers=headers, app=app)


shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


def test_the_real_ones_open(home: Home) -> None:
    token, session = home.gate.token(home.token, CLIENT), home.gate.session(home.session)
    assert token is not None
    assert session is not None
    assert (token.words, session.words) == ("token homeassistant", "anna")
    assert home.gate.session(home.token) is None
    assert home.gate.token(home.session, CLIENT) is None


@shared
@given(st.one_of(st.text(), st.text(LETTERS, min_size=43, max_size=43).map(lambda text: f"lnv_{text}")))
def test_random_text_opens_nothing(home: Home, text: str) -> None:
    assert home.gate.token(text, CLIENT) is None
    assert home.gate.session(text) is None
    assert home.gate.ticket(text, "/api/status") is None


@shared
@given(st.data())
def test_a_changed_secret_opens_nothing(home: Home, data: st.DataObject) -> None:
    for secret, ask in (
        (home.token, lambda text: home.gate.token(text, CLIENT)),
        (home.session, home.gate.session),
    ):
        at = data.draw(st.integers(0, len(secret) - 1))
        other = data.draw(st.sampled_from(LETTERS + "=+/ \0\n\u0130"))
        assume(other != secret[at])
        changed = secret[:at] + other + secret[at + 1 :]
        for text in (changed, secret + other, other + secret, secret[:at], secret.swapcase(), f" {secret}"):
            assert ask(text) is None, text


@given(st.text())
def test_no_text_is_too_odd_to_be_looked_up(text: str) -> None:
    hashed = hash_of(text)
    assert hashed is None or len(hashed) == 32
    assert looks_like_token(text) is False


@given(HEADER)
def test_any_cookie_is_read_or_ignored(text: str) -> None:
    found = list(session_secrets(request({"Cookie": text})))
    assert found == [] or "livecam_nvr_8080=" in text


@given(HEADER, HEADER)
def test_the_cookie_is_found_among_any_others(before: str, after: str) -> None:
    assume("livecam_nvr_8080" not in before + after)
    assert list(session_secrets(request({"Cookie": f"{before}; livecam_nvr_8080=abc; {after}"}))) == ["abc"]


@given(
    st.one_of(HEADER, HEADER.map(lambda text: f"Basic {text}"), HEADER.map(lambda text: f"Bearer {text}")), HEADER
)
def test_any_header_is_refused_in_words(authorization: str, cookie: str) -> None:
    made = request({"Authorization": authorization, "Cookie": cookie})
    with pytest.raises(LivecamError):
        asyncio.run(identify(made, cast("Any", Bouncer()), None))


@given(st.text(max_size=200))
def test_any_ticket_is_refused_in_words(ticket: str) -> None:
    made = request({}, f"/api/status?ticket={quote(ticket, errors='replace')}")
    with pytest.raises(LivecamError):
        asyncio.run(identify(made, cast("Any", Bouncer()), "/api/status"))
