"""Who may come in, asked of a whole access service on real files."""

import asyncio
import contextlib
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx
from fakes.access_audit import FakeAuditLog
from fakes.runtime_clock import FakeClock
from support.waiting import until

from livecam_nvr.access.passwords import Cost, Hasher
from livecam_nvr.access.secrets import new_token
from livecam_nvr.access.service import AccessService
from livecam_nvr.access.session_rows import MOST_PER_USER
from livecam_nvr.access.store import FILE, AccessStore
from livecam_nvr.core.access import AccessDesk, Client, Deed, Door, Gate, SignedIn
from livecam_nvr.core.bus import EventBus
from livecam_nvr.core.events import AccessEnded, BreakInAttempt
from livecam_nvr.domain.access import Kind, Principal, Role, ThrottledError
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.segment import NS

CHEAP = Cost(rounds=1, memory_kib=8, lanes=1)
PASSWORD = "correct horse"
HOME = Client("192.168.1.20", Door.PAGE)
PLAYER = Client("192.168.1.30", Door.RTSP)
ABROAD = Client("203.0.113.9", Door.PAGE)
DAY_S = 86_400


class Site:
    """A service with all that it talks to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.bus = EventBus()
        self.ended: list[AccessEnded] = []
        self.attempts: list[BreakInAttempt] = []
        self.bus.subscribe(AccessEnded, self.ended.append)
        self.bus.subscribe(BreakInAttempt, self.attempts.append)
        self.audit = FakeAuditLog()
        self.service = self.another()

    def another(self, *, demo: bool = False, cost: Cost = CHEAP) -> AccessService:
        return AccessService(
            self.folder,
            self.clock,
            self.bus,
            self.audit,
            camera_ids=["door", "yard"],
            demo=demo,
            hasher=Hasher(cost),
            look_every_s=0.1,
        )

    def store(self) -> AccessStore:
        """What another process has."""
        return AccessStore(self.folder, hasher=Hasher(CHEAP), now_utc_ns=self.clock.utc_ns)

    async def restart(self) -> None:
        await self.service.stop()
        self.service = self.another()
        await self.service.start()

    async def sign_in(self, name: str = "anna", client: Client = HOME) -> SignedIn:
        return await self.service.sign_in(name, PASSWORD, client)

    def ended_sessions(self) -> set[str]:
        return {session for event in self.ended for session in event.sessions}

    def ended_credentials(self) -> set[str]:
        return {credential for event in self.ended for credential in event.credentials}


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path / "data" / "access")
    await site.service.start()
    yield site
    await site.service.stop()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path / "data" / "access")
    with site.store() as store:
        store.add_user("anna", PASSWORD, Role.ADMIN, None)
        store.add_user("Ben", PASSWORD, Role.VIEWER, ["door"])
    await site.service.start()
    yield site
    await site.service.stop()


@contextlib.contextmanager
def refused(kind: ErrorKind) -> Iterator[None]:
    with pytest.raises(LivecamError) as caught:
        yield
    assert caught.value.kind is kind, repr(caught.value)


def test_it_is_what_the_doors_ask_for(tmp_path: Path) -> None:
    gate: Gate = Site(tmp_path).service
    desk: AccessDesk = Site(tmp_path).service
    assert not gate.needs_setup  # nothing is known before the start
    assert desk.setup_allowed_from("127.0.0.1")


async def test_a_session_begins_lasts_and_ends(site: Site) -> None:
    one = await site.sign_in("ANNA")
    other = await site.sign_in()
    assert one.principal == Principal(
        Kind.USER, "anna", Role.ADMIN, None, one.principal.credential, one.principal.session
    )
    assert (one.secret, one.principal.session) != (other.secret, other.principal.session)
    assert one.lifetime_s == 365 * DAY_S
    assert site.service.session(one.secret) == one.principal
    assert site.service.session(one.secret[:-1]) is None
    assert site.service.session("") is None
    await site.service.sign_out(one.secret, HOME)
    assert site.service.session(one.secret) is None
    assert site.service.session(other.secret) == other.principal
    assert site.ended == [AccessEnded(sessions=frozenset({one.principal.session}))]
    await site.service.sign_out(one.secret, HOME)
    assert site.audit.lines == ["sign_in anna", "sign_in anna", "sign_out anna"]
    await site.restart()
    assert site.service.session(one.secret) is None
    assert site.service.session(other.secret) == other.principal


async def test_no_secret_of_a_session_is_stored(site: Site) -> None:
    signed_in = await site.sign_in()
    kept = (site.folder / FILE).read_bytes()
    assert signed_in.secret.encode() not in kept
    assert signed_in.principal.session.encode() in kept


async def test_a_viewer_of_one_camera_is_one(site: Site) -> None:
    principal = (await site.sign_in("ben")).principal
    assert principal.cameras == {"door"}
    assert principal.may(Role.VIEWER, "door_sub")
    assert not principal.may(Role.VIEWER, "yard")
    assert not principal.may(Role.WATCHER, "door")


async def test_a_session_that_is_used_lasts_and_ends_after_a_year(site: Site) -> None:
    used, unused = await site.sign_in(), await site.sign_in("ben")
    for _ in range(18):
        site.clock.advance(20 * DAY_S)
        assert site.service.session(used.secret)
    assert site.service.session(unused.secret) is None
    await until(lambda: unused.principal.session in site.ended_sessions())
    await site.restart()
    assert site.service.session(used.secret)
    site.clock.advance(6 * DAY_S)
    assert site.service.session(used.secret) is None


async def test_a_user_has_a_bounded_number_of_sessions(site: Site) -> None:
    first, second = await site.sign_in(), await site.sign_in()
    site.clock.advance(2 * 3600)
    assert site.service.session(first.secret)
    await site.restart()  # writes down what was used
    for _ in range(MOST_PER_USER - 1):
        await site.sign_in()
    assert site.service.session(first.secret)
    assert site.service.session(second.secret) is None
    assert site.ended_sessions() == {second.principal.session}


async def test_wrong_is_wrong_and_says_not_what(site: Site) -> None:
    said = set()
    for name, password in (("anna", "wrong horse"), ("nobody", PASSWORD), ("anna", ""), ("anna", "\0"), ("", "")):
        with pytest.raises(LivecamError) as caught:
            await site.service.sign_in(name, password, Client("10.0.0.1" + str(len(password)), Door.PAGE))
        said.add((caught.value.kind, str(caught.value), caught.value.hint))
    assert len(said) == 1
    assert said.pop()[0] is ErrorKind.UNAUTHENTICATED
    assert set(site.audit.lines) == {"!refused anna", "!refused unknown user"}
    assert not any(PASSWORD in repr(entry) for entry in site.audit.entries)


async def test_a_password_typed_as_a_name_is_not_repeated(site: Site) -> None:
    with refused(ErrorKind.UNAUTHENTICATED):
        await site.service.sign_in("correcthorse1", "", HOME)
    assert site.audit.lines == ["!refused unknown user"]


async def test_an_unknown_user_takes_as_long_as_a_wrong_password(site: Site) -> None:
    cost = Cost(rounds=2, memory_kib=8192, lanes=1)
    with AccessStore(site.folder, hasher=Hasher(cost)) as store:
        store.set_password("anna", PASSWORD)
    service = site.another(cost=cost)
    await service.start()

    async def seconds(name: str) -> float:
        site.clock.advance(3600)  # nobody has to wait
        # Of the processor: what else the machine has to do must not count.
        begun = time.process_time()
        with refused(ErrorKind.UNAUTHENTICATED):
            await service.sign_in(name, "wrong horse", HOME)
        return time.process_time() - begun

    took: list[tuple[float, float]] = []

    async def alike() -> bool:
        took.append((await seconds("anna"), await seconds("nobody")))
        known, unknown = (min(each) for each in zip(*took, strict=True))
        return len(took) >= 8 and 0.5 < known / unknown < 2.0

    await until(alike, "both to take as long, at their best")
    await service.stop()


async def test_guessing_is_slowed_down_and_told_of(site: Site) -> None:
    throttled = 0
    for number in range(60):
        with pytest.raises(LivecamError) as caught:
            await site.service.sign_in("anna", f"wrong horse {number}", ABROAD)
        if isinstance(caught.value, ThrottledError):
            throttled += 1
            site.clock.advance(caught.value.retry_after_s)
    assert throttled >= 10
    failures = [attempt.failures for attempt in site.attempts]
    assert failures[0] == 10
    assert len(failures) < 8
    assert site.attempts[0] == BreakInAttempt("anna", ABROAD.address, 10, Door.PAGE)
    assert (await site.sign_in()).principal.name == "anna"  # from home


async def test_guesses_that_are_over_in_a_moment_are_told_of_too(site: Site) -> None:
    for number in range(100):
        with pytest.raises(LivecamError):
            await site.service.sign_in("anna", f"wrong horse {number}", ABROAD)
    failures = [attempt.failures for attempt in site.attempts]
    assert failures == [10, 100]
    assert [entry.detail for entry in site.audit.entries if entry.deed is Deed.REFUSED][-1] == (
        "too many failed attempts"
    )


async def test_who_has_to_wait_stands_in_nobodys_way(site: Site) -> None:
    for number in range(5):
        with refused(ErrorKind.UNAUTHENTICATED):
            await site.service.sign_in("anna", f"wrong horse {number}", ABROAD)
    elsewhere = asyncio.create_task(site.service.sign_in("anna", PASSWORD, HOME))
    await asyncio.sleep(0)
    with refused(ErrorKind.THROTTLED):
        await site.service.sign_in("anna", "wrong horse", ABROAD)
    assert not elsewhere.done(), "it was refused without waiting for the hash of others"
    assert (await elsewhere).principal.name == "anna"


async def test_few_wait_for_the_slow_hash(site: Site) -> None:
    guesses = [
        site.service.sign_in("anna", f"wrong horse {number}", Client(f"203.0.{number % 25}.9", Door.HTTP))
        for number in range(50)
    ]
    answers = await asyncio.gather(*guesses, return_exceptions=True)
    assert all(isinstance(answer, LivecamError) for answer in answers)
    looked_at = [answer for answer in answers if not isinstance(answer, ThrottledError)]
    assert 1 <= len(looked_at) <= 16
    mine = [site.service.sign_in("anna", f"wrong horse {number}", ABROAD) for number in range(10)]
    answers = await asyncio.gather(*mine, return_exceptions=True)
    assert sum(isinstance(answer, ThrottledError) for answer in answers) >= 2


async def test_a_guess_whose_client_has_gone_counts(site: Site) -> None:
    for number in range(4):
        task = asyncio.create_task(site.service.sign_in("anna", f"wrong horse {number}", ABROAD))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await until(lambda: len(site.audit.entries) == 4)
    with refused(ErrorKind.UNAUTHENTICATED):
        await site.service.sign_in("anna", "wrong horse", ABROAD)
    with refused(ErrorKind.THROTTLED):
        await site.service.sign_in("anna", "wrong horse", ABROAD)


async def test_a_crowd_of_players_comes_in_and_is_noted_once(site: Site) -> None:
    asked = [site.service.password("anna", PASSWORD, PLAYER) for _ in range(40)]
    principals = await asyncio.gather(*asked)
    assert {principal.name for principal in principals} == {"anna"}
    assert principals[0].session == ""
    assert site.audit.lines == ["sign_in anna"]
    site.clock.advance(3601)
    await site.service.password("anna", PASSWORD, PLAYER)
    assert site.audit.lines == ["sign_in anna"] * 2


async def test_a_remembered_password_helps_nobody_who_guesses(site: Site) -> None:
    await site.service.password("anna", PASSWORD, PLAYER)
    for _ in range(5):
        with refused(ErrorKind.UNAUTHENTICATED):
            await site.service.password("anna", "wrong horse", Client(ABROAD.address, Door.RTSP))
    with refused(ErrorKind.THROTTLED):
        await site.service.password("anna", PASSWORD, Client(ABROAD.address, Door.RTSP))
    assert (await site.service.password("anna", PASSWORD, PLAYER)).name == "anna"


async def test_a_remembered_password_ends_with_it(site: Site) -> None:
    await site.service.password("anna", PASSWORD, PLAYER)
    await site.service.set_password("anna", "another horse", by="anna", client=HOME)
    with refused(ErrorKind.UNAUTHENTICATED):
        await site.service.password("anna", PASSWORD, PLAYER)
    assert (await site.service.password("anna", "another horse", PLAYER)).name == "anna"


async def test_a_token_stands_for_a_password(site: Site) -> None:
    new = await site.service.add_token("frigate", Role.VIEWER, ["yard"], by="anna", client=HOME)
    by_token = site.service.token(new.secret, PLAYER)
    assert by_token == Principal(
        Kind.TOKEN, "frigate", Role.VIEWER, frozenset({"yard"}), by_token.credential if by_token else ""
    )
    assert await site.service.password("whoever", new.secret, PLAYER) == by_token
    assert await site.service.password(new.secret, "", PLAYER) == by_token
    assert site.audit.lines == ["token anna", "sign_in token frigate"]
    assert site.service.token("anna", PLAYER) is None
    assert len(site.audit.lines) == 2
    assert site.service.token(new_token(), PLAYER) is None
    assert site.audit.lines[2:] == ["!refused token"]
    for _ in range(50):  # no guess at 256 bits is worth a slow hash, or a delay of others
        with refused(ErrorKind.UNAUTHENTICATED):
            await site.service.password("whoever", new_token(), PLAYER)
    assert site.audit.lines[-1] == "!refused token"
    assert not any(new.secret in repr(entry) for entry in site.audit.entries)
    await site.service.remove_token("Frigate", by="anna", client=HOME)
    assert site.service.token(new.secret, PLAYER) is None
    assert by_token
    assert site.ended_credentials() == {by_token.credential}


async def test_a_token_expires_while_the_service_runs(site: Site) -> None:
    expires_utc_ns = site.clock.utc_ns() + 3600 * NS
    new = await site.service.add_token(
        "ha", Role.VIEWER, None, expires_utc_ns=expires_utc_ns, by="anna", client=HOME
    )
    principal = site.service.token(new.secret, PLAYER)
    assert principal
    ticket = site.service.make_ticket(principal, "/x", 7200)
    site.clock.advance(3599)
    assert site.service.token(new.secret, PLAYER)
    site.clock.advance(1)
    assert site.service.token(new.secret, PLAYER) is None
    assert site.service.ticket(ticket.text, "/x") is None
    assert site.audit.lines[-1] == "!refused token ha"
    await until(lambda: site.ended_credentials() == {principal.credential})
    assert [token.name for token in await site.service.tokens()] == ["ha"]


async def test_when_a_token_was_last_used_is_known_and_kept(site: Site) -> None:
    new = await site.service.add_token("ha", Role.VIEWER, None, by="anna", client=HOME)
    site.service.token(new.secret, PLAYER)
    first_ns = site.clock.utc_ns()
    (info,) = await site.service.tokens()
    assert (info.last_used_utc_ns, info.last_address) == (first_ns, PLAYER.address)
    with site.store() as store:
        await until(lambda: store.tokens()[0].last_used_utc_ns == first_ns)
        site.clock.advance(30)
        site.service.token(new.secret, HOME)
        await site.restart()
        assert store.tokens()[0].last_used_utc_ns == site.clock.utc_ns()
        assert store.tokens()[0].last_address == HOME.address


async def test_another_process_removes_changes_and_adds(site: Site) -> None:
    anna, ben = await site.sign_in(), await site.sign_in("ben")
    with site.store() as store:
        new = store.add_token("ha", Role.VIEWER, None)
        await until(lambda: site.service.token(new.secret, PLAYER))
        store.change_user("ben", role=Role.WATCHER)
        await until(lambda: site.ended)
        assert site.ended == [AccessEnded(frozenset({ben.principal.credential}))]
        changed = site.service.session(ben.secret)
        assert changed
        assert changed.role is Role.WATCHER
        store.remove_user("ben")
        await until(lambda: len(site.ended) == 2)
        assert site.ended[1] == AccessEnded(frozenset({changed.credential}), frozenset({ben.principal.session}))
        assert site.service.session(ben.secret) is None
        store.set_password("anna", "another horse")
        await until(lambda: len(site.ended) == 3)
        assert site.ended[2] == AccessEnded(
            frozenset({anna.principal.credential}), frozenset({anna.principal.session})
        )


async def test_a_change_counts_even_if_whoever_asked_for_it_has_gone(site: Site) -> None:
    ben = await site.sign_in("ben")
    for number in range(20):
        name = f"t{number}"
        await site.service.add_token(name, Role.VIEWER, None, by="anna", client=HOME)
        task = asyncio.create_task(site.service.remove_token(name, by="anna", client=HOME))
        for _ in range(number):
            await asyncio.sleep(0.0005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    with site.store() as store:
        await until(lambda: {token.name for token in store.tokens()} == _token_names(site))
        store.remove_user("ben")
    await until(lambda: ben.principal.credential in site.ended_credentials())


async def test_a_user_that_is_made_again_has_other_credentials(site: Site) -> None:
    ben = (await site.sign_in("ben")).principal
    ticket = site.service.make_ticket(ben, "/x", 60)
    await site.service.remove_user("ben", by="anna", client=HOME)
    await site.service.add_user("Ben", PASSWORD, Role.VIEWER, ["door"], by="anna", client=HOME)
    assert (await site.sign_in("ben")).principal.credential != ben.credential
    assert site.service.ticket(ticket.text, "/x") is None


async def test_ones_own_new_password_keeps_ones_own_session(site: Site) -> None:
    mine, other = await site.sign_in(), await site.sign_in()
    await site.service.set_password(
        "Anna", "another horse", by="anna", client=HOME, keep_session=mine.principal.session
    )
    assert site.ended == [
        AccessEnded(
            frozenset({mine.principal.credential}), frozenset({other.principal.session}), mine.principal.session
        )
    ]
    assert site.service.session(other.secret) is None
    now = site.service.session(mine.secret)
    assert now
    assert (now.session, now.credential != mine.principal.credential) == (mine.principal.session, True)


async def test_the_desk_keeps_users_and_says_so_in_the_audit_log(site: Site) -> None:
    service = site.service
    with refused(ErrorKind.INVALID):
        await service.add_user("carl", PASSWORD, Role.VIEWER, ["attic"], by="anna", client=HOME)
    with refused(ErrorKind.CONFLICT):
        await service.add_user("ANNA", PASSWORD, Role.VIEWER, None, by="anna", client=HOME)
    with refused(ErrorKind.CONFLICT):
        await service.remove_user("anna", by="anna", client=HOME)
    with refused(ErrorKind.NOT_FOUND):
        await service.remove_token("ha", by="anna", client=HOME)
    await service.add_user("carl", PASSWORD, Role.VIEWER, ["yard"], by="anna", client=HOME)
    await service.change_user("carl", all_cameras=True, role=Role.OPERATOR, by="anna", client=HOME)
    await service.set_password("carl", "another horse", by="anna", client=HOME)
    await service.remove_user("carl", by="anna", client=HOME)
    assert [(entry.deed, entry.who, entry.target, entry.detail) for entry in site.audit.entries] == [
        (Deed.USER, "anna", "carl", "added: viewer, yard"),
        (Deed.USER, "anna", "carl", "operator, all cameras"),
        (Deed.PASSWORD, "anna", "carl", ""),
        (Deed.USER, "anna", "carl", "removed"),
    ]
    assert [user.name for user in await service.users()] == ["anna", "Ben"]


async def test_tickets_are_for_one_path_and_end_with_the_credential(site: Site) -> None:
    anna = await site.sign_in()
    ticket = site.service.make_ticket(anna.principal, "/api/cameras/door/hls/*", 60)
    found = site.service.ticket(ticket.text, "/api/cameras/door/hls/1.m4s")
    assert found
    assert (found.credential, found.session) == (anna.principal.credential, "")
    assert site.service.ticket(ticket.text, "/api/cameras/yard/hls/1.m4s") is None
    assert site.service.ticket("x" * 100, "/api/cameras/door/hls/1.m4s") is None
    await site.restart()
    assert site.service.ticket(ticket.text, "/api/cameras/door/hls/1.m4s")
    await site.service.set_password("anna", "another horse", by="anna", client=HOME)
    assert site.service.ticket(ticket.text, "/api/cameras/door/hls/1.m4s") is None
    for scope, lifetime_s in (("x", 60), ("/x", 0), ("/x", 86_401), ("/../x", 60)):
        with refused(ErrorKind.INVALID):
            site.service.make_ticket(anna.principal, scope, lifetime_s)


async def test_the_first_user_is_set_up_once_from_home_with_the_code(empty: Site) -> None:
    service = empty.service
    code = service.setup_code
    assert service.needs_setup
    assert code
    with refused(ErrorKind.FORBIDDEN):
        await service.set_up(code, "anna", PASSWORD, ABROAD)
    with refused(ErrorKind.UNAUTHENTICATED):
        await service.set_up("AAAA-AAAA", "anna", PASSWORD, HOME)
    with refused(ErrorKind.INVALID):
        await service.set_up(code, "anna", "short", HOME)
    assert service.needs_setup
    answers = await asyncio.gather(
        service.set_up(code.lower(), "anna", PASSWORD, HOME),
        service.set_up(code, "ben", PASSWORD, PLAYER),
        return_exceptions=True,
    )
    (signed_in,) = [answer for answer in answers if isinstance(answer, SignedIn)]
    (error,) = [answer for answer in answers if isinstance(answer, LivecamError)]
    assert error.kind is ErrorKind.CONFLICT
    assert (signed_in.principal.role, signed_in.principal.cameras) == (Role.ADMIN, None)
    assert service.session(signed_in.secret) == signed_in.principal
    assert (service.needs_setup, service.setup_code) == (False, None)
    with refused(ErrorKind.CONFLICT):
        await service.set_up(code, "carl", PASSWORD, HOME)
    assert len(await service.users()) == 1
    assert empty.audit.lines == ["!refused setup", "!refused setup", f"setup {signed_in.principal.name}"]


async def test_the_code_cannot_be_guessed_quickly(empty: Site) -> None:
    for _ in range(5):
        with refused(ErrorKind.UNAUTHENTICATED):
            await empty.service.set_up("AAAA-AAAA", "anna", PASSWORD, HOME)
    with refused(ErrorKind.THROTTLED):
        await empty.service.set_up(empty.service.setup_code or "", "anna", PASSWORD, HOME)


async def test_without_a_user_tokens_come_in_and_the_command_line_ends_the_setup(empty: Site) -> None:
    with empty.store() as store:
        new = store.add_token("ha", Role.VIEWER, None)
        await until(lambda: empty.service.token(new.secret, PLAYER))
        assert empty.service.needs_setup
        store.add_user("anna", PASSWORD, Role.ADMIN, None)
        await until(lambda: not empty.service.needs_setup)
    assert empty.service.setup_code is None
    assert await empty.sign_in()


async def test_a_demo_is_open_to_operators(tmp_path: Path) -> None:
    site = Site(tmp_path / "access")
    service = site.another(demo=True)
    await service.start()
    assert service.demo == Principal(Kind.DEMO, "demo", Role.OPERATOR)
    assert (service.needs_setup, service.setup_code) == (False, None)
    with refused(ErrorKind.CONFLICT):
        await service.set_up("x", "anna", PASSWORD, HOME)
    ticket = service.make_ticket(service.demo, "/x", 60)
    assert service.ticket(ticket.text, "/x") == service.demo
    await service.stop()
    await site.service.start()
    assert site.service.demo is None
    assert site.service.ticket(ticket.text, "/x") is None
    await site.service.stop()


async def assert_closed(service: AccessService, secret: str = "") -> None:
    assert service.problem
    assert service.problem.hint
    assert (service.needs_setup, service.setup_code) == (False, None)
    assert service.session(secret) is None
    with refused(ErrorKind.UNAVAILABLE):
        await service.sign_in("anna", PASSWORD, HOME)
    with refused(ErrorKind.UNAVAILABLE):
        await service.password("anna", PASSWORD, PLAYER)
    with refused(ErrorKind.UNAVAILABLE):
        await service.password("anna", new_token(), PLAYER)
    with refused(ErrorKind.UNAVAILABLE):
        await service.set_up("x", "anna", PASSWORD, HOME)
    with refused(ErrorKind.UNAVAILABLE):
        await service.users()


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000], ids=["empty", "garbage"])
async def test_a_damaged_file_lets_nobody_in(tmp_path: Path, content: bytes) -> None:
    site = Site(tmp_path)
    (tmp_path / FILE).write_bytes(content)
    await site.service.start()
    await assert_closed(site.service)
    await site.service.stop()
    assert (tmp_path / FILE).read_bytes() == content


@pytest.mark.parametrize("how", ["damaged", "removed"])
async def test_a_file_that_goes_bad_ends_all_and_a_backup_heals(site: Site, how: str) -> None:
    anna = await site.sign_in()
    file = site.folder / FILE
    shutil.copy(file, site.folder / "backup")
    if how == "damaged":
        file.write_bytes(b"garbage" * 1000)
    else:
        file.unlink()
    await until(lambda: site.service.problem)
    await assert_closed(site.service, anna.secret)
    assert anna.principal.credential in site.ended_credentials()
    assert anna.principal.session in site.ended_sessions()
    (site.folder / "backup").replace(file)
    await until(lambda: site.service.problem is None)
    assert site.service.session(anna.secret) == anna.principal


async def test_another_file_in_its_place_counts_at_once(site: Site, tmp_path: Path) -> None:
    anna = await site.sign_in()
    with AccessStore(tmp_path / "other", hasher=Hasher(CHEAP)) as store:
        new = store.add_token("ha", Role.VIEWER, None)
        store.add_user("dora", PASSWORD, Role.ADMIN, None)
    (tmp_path / "other" / FILE).replace(site.folder / FILE)
    await until(lambda: site.service.token(new.secret, PLAYER))
    assert site.service.session(anna.secret) is None
    assert anna.principal.session in site.ended_sessions()


async def test_with_a_full_disk_one_can_sign_in_and_out(tmp_path: Path) -> None:
    point = tmp_path / "small"
    point.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(point)]
    if (await asyncio.to_thread(subprocess.run, mount, capture_output=True, check=False)).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        site = Site(point / "access")
        with site.store() as store:
            store.add_user("anna", PASSWORD, Role.ADMIN, None)
        await site.service.start()
        kept = await site.sign_in()
        with contextlib.suppress(OSError), (point / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        one, other = await site.sign_in(), await site.sign_in()
        assert site.service.session(one.secret) == one.principal
        await site.service.sign_out(one.secret, HOME)
        await site.service.sign_out(kept.secret, HOME)
        assert [site.service.session(each.secret) for each in (one, kept)] == [None, None]
        assert site.service.session(other.secret)
        (point / "filler").unlink()
        await site.service.set_password("anna", "another horse", by="anna", client=HOME)
        assert site.service.session(other.secret) is None
        assert {one.principal.session, other.principal.session, kept.principal.session} == site.ended_sessions()
        await site.restart()
        assert site.service.session(kept.secret) is None
        await site.service.stop()
    finally:
        await asyncio.to_thread(subprocess.run, ["umount", "-l", str(point)], check=True)


async def test_a_lock_held_for_a_moment_by_others_ends_nothing(site: Site) -> None:
    anna = await site.sign_in()
    with contextlib.closing(sqlite3.connect(site.folder / FILE, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        look = asyncio.create_task(site.service._keeper.look())
        assert site.service.session(anna.secret)
        other.execute("ROLLBACK")
        await look
    assert site.service.problem is None
    assert site.ended == []


async def test_a_hash_of_another_cost_is_renewed_and_nothing_ends(site: Site) -> None:
    anna = await site.sign_in()
    service = site.another(cost=Cost(rounds=2, memory_kib=16, lanes=1))
    await service.start()
    await service.password("anna", PASSWORD, PLAYER)
    await service.stop()
    with contextlib.closing(sqlite3.connect(site.folder / FILE)) as other:
        (stored,) = other.execute("SELECT password FROM user WHERE name = 'anna'").fetchone()
    assert "$m=16,t=2,p=1$" in stored
    assert site.service.session(anna.secret)
    assert site.ended == []
    assert await site.sign_in()


async def test_the_cheap_questions_are_cheap_and_nothing_blocks(site: Site) -> None:
    with blockbuster_ctx("livecam_nvr"):
        anna = await site.sign_in()
        new = await site.service.add_token("ha", Role.VIEWER, None, by="anna", client=HOME)
        await site.service.password("anna", PASSWORD, PLAYER)
        await site.service.set_password("ben", "another horse", by="anna", client=HOME)
    ticket = site.service.make_ticket(anna.principal, "/api/cameras/door/hls/*", 60)
    cheapest_hash_s = min(_took_s(lambda: Hasher(CHEAP).hash(PASSWORD)) for _ in range(20))
    with blockbuster_ctx("livecam_nvr"):
        for ask in (
            lambda: site.service.session(anna.secret),
            lambda: site.service.token(new.secret, PLAYER),
            lambda: site.service.ticket(ticket.text, "/api/cameras/door/hls/1.m4s"),
        ):
            assert min(_took_s(ask) for _ in range(20)) < 3 * cheapest_hash_s, "it is far from a real one"


def _took_s(ask: Callable[[], object]) -> float:
    """Of this thread's own time: what else the machine has to do must not count."""
    begun_s = time.thread_time()
    for _ in range(100):
        assert ask()
    return (time.thread_time() - begun_s) / 100


async def test_a_start_is_quick_and_a_stop_may_come_twice(site: Site) -> None:
    async def quickly() -> bool:
        begun_s = time.monotonic()
        await site.restart()
        return time.monotonic() - begun_s < 1.0

    await until(quickly, "a start that takes no second, on a machine that is busy with other things")
    await site.service.stop()
    await site.service.stop()
    with refused(ErrorKind.UNAVAILABLE):
        await site.sign_in()


async def test_two_services_and_a_crowd_of_other_processes(site: Site) -> None:
    child = Path(__file__).parents[2] / "child_scripts" / "access_store_child.py"
    children = [
        await asyncio.create_subprocess_exec(sys.executable, str(child), str(site.folder), f"p{n}", "5")
        for n in range(2)
    ]
    for _ in range(5):
        await site.sign_in()
    assert [await child.wait() for child in children] == [0, 0]
    await until(lambda: len(_token_names(site)) == 10)


def _token_names(site: Site) -> set[str]:
    return {row.info.name for row, _ in site.service._keeper.snapshot.tokens.values()}
