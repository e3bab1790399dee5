"""Who may come in, and who may say so: the one place that all doors and the desk of users ask."""

from collections.abc import Collection, Sequence
from pathlib import Path

from livecam_nvr.access.gatekeeper import Gatekeeper
from livecam_nvr.access.origins import is_local
from livecam_nvr.access.passwords import Hasher
from livecam_nvr.access.rules import demand_cameras
from livecam_nvr.access.setup_code import SetupCode
from livecam_nvr.access.throttle import Throttle
from livecam_nvr.core.access import AuditLog, Client, Deed, NewToken, SignedIn, TokenInfo, UserInfo
from livecam_nvr.core.bus import EventBus
from livecam_nvr.domain.access import Role, ThrottledError, not_signed_in
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.runtime.clock import Clock


class AccessService(Gatekeeper):
    """Implements core.access.Gate and core.access.AccessDesk.

    Args:
        folder: `DATA_DIR/access`.
        clock: What time it is.
        bus: Is told AccessEnded and BreakInAttempt.
        audit: Is told what is done here.
        camera_ids: Those that the config has.
        demo: Whoever brings no credentials counts as an operator.
        hasher: For passwords.
        look_every_s: How soon it notices what others have changed, or the time has ended.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        bus: EventBus,
        audit: AuditLog,
        *,
        camera_ids: Collection[str],
        demo: bool = False,
        hasher: Hasher | None = None,
        look_every_s: float = 1.0,
    ) -> None:
        super().__init__(
            folder, clock, bus, audit, demo=demo, hasher=hasher or Hasher(), look_every_s=look_every_s
        )
        self._camera_ids = frozenset(camera_ids)
        self._code = SetupCode()
        self._setup_throttle = Throttle(clock)

    def know(self, camera_ids: Collection[str]) -> None:
        """These are the config's cameras from now on."""
        self._camera_ids = frozenset(camera_ids)

    async def start(self) -> None:
        """Reads who there is, and keeps it up to date; a file that cannot be read is a `problem`, and no error."""
        await self._keeper.start()

    async def stop(self) -> None:
        """Idempotent."""
        self._unsubscribe()
        await self._turnstile.stop()
        await self._keeper.stop()

    @property
    def setup_code(self) -> str | None:
        """What the console has to show while `needs_setup`; None when it is not needed."""
        return self._code.text if self.needs_setup else None

    def setup_allowed_from(self, address: str) -> bool:
        """See AccessDesk; `is_local` says what the local network is."""
        return is_local(address)

    async def set_up(self, code: str, name: str, password: str, client: Client) -> SignedIn:
        """See AccessDesk."""
        if not self.needs_setup:
            self._keeper.demand()
            raise LivecamError(ErrorKind.CONFLICT, "there is a user already, or none is needed", "sign in")
        if not self.setup_allowed_from(client.address):
            self._audit.note(Deed.REFUSED, "setup", client, ok=False, detail="not from the local network")
            raise LivecamError(
                ErrorKind.FORBIDDEN,
                "the first user can be made from the local network only",
                "or on the machine itself: livecam-nvr user add",
            )
        try:
            self._setup_throttle.check("", client.address)
        except ThrottledError:
            self._audit.note(Deed.REFUSED, "setup", client, ok=False, detail="too many failed attempts")
            self._alarm_if_many("", client, self._setup_throttle.turned_away("", client.address))
            raise
        if not self._code.matches(code):
            failures = self._setup_throttle.failed("", client.address)
            self._audit.note(Deed.REFUSED, "setup", client, ok=False, detail="wrong code")
            self._alarm_if_many("", client, failures)
            raise not_signed_in("the code is wrong", "the console that livecam-nvr runs in shows it")
        info = await self._keeper.change(
            lambda store: store.add_user(name, password, Role.ADMIN, None, only_first=True), slow=True
        )
        user = self._keeper.snapshot.user(info.name)
        if user is None:
            raise not_signed_in("the user was removed again just now")
        signed_in = await self._begin(user)
        self._audit.note(Deed.SETUP, info.name, client, target=info.name)
        return signed_in

    async def users(self) -> Sequence[UserInfo]:
        """See AccessDesk."""
        self._keeper.demand()
        return [row.info for row in self._keeper.snapshot.users.values()]

    async def add_user(
        self, name: str, password: str, role: Role, cameras: Sequence[str] | None, *, by: str, client: Client
    ) -> UserInfo:
        """See AccessDesk."""
        demand_cameras(cameras, self._camera_ids)
        info = await self._keeper.change(lambda store: store.add_user(name, password, role, cameras), slow=True)
        self._audit.note(Deed.USER, by, client, target=info.name, detail=f"added: {_rights(role, info.cameras)}")
        return info

    async def change_user(
        self,
        name: str,
        *,
        role: Role | None = None,
        cameras: Sequence[str] | None = None,
        all_cameras: bool = False,
        by: str,
        client: Client,
    ) -> UserInfo:
        """See AccessDesk."""
        demand_cameras(cameras, self._camera_ids)
        info = await self._keeper.change(
            lambda store: store.change_user(name, role=role, cameras=cameras, all_cameras=all_cameras)
        )
        self._audit.note(Deed.USER, by, client, target=info.name, detail=_rights(info.role, info.cameras))
        return info

    async def set_password(
        self, name: str, password: str, *, by: str, client: Client, keep_session: str = ""
    ) -> None:
        """See AccessDesk."""
        user = self._keeper.snapshot.user(name)
        keep = {user.principal().credential: keep_session} if user is not None and keep_session else {}
        await self._keeper.change(
            lambda store: store.set_password(name, password, keep_session=keep_session), slow=True, keep=keep
        )
        self._audit.note(Deed.PASSWORD, by, client, target=name if user is None else user.info.name)

    async def remove_user(self, name: str, *, by: str, client: Client) -> None:
        """See AccessDesk."""
        info = await self._keeper.change(lambda store: store.remove_user(name))
        self._audit.note(Deed.USER, by, client, target=info.name, detail="removed")

    async def tokens(self) -> Sequence[TokenInfo]:
        """See AccessDesk."""
        self._keeper.demand()
        return [self._keeper.last_use.of_token(row.info) for row, _ in self._keeper.snapshot.tokens.values()]

    async def add_token(
        self,
        name: str,
        role: Role,
        cameras: Sequence[str] | None,
        *,
        expires_utc_ns: int | None = None,
        by: str,
        client: Client,
    ) -> NewToken:
        """See AccessDesk."""
        demand_cameras(cameras, self._camera_ids)
        new = await self._keeper.change(lambda store: store.add_token(name, role, cameras, expires_utc_ns))
        detail = f"added: {_rights(role, new.info.cameras)}"
        self._audit.note(Deed.TOKEN, by, client, target=new.info.name, detail=detail)
        return new

    async def remove_token(self, name_or_id: str, *, by: str, client: Client) -> None:
        """See AccessDesk."""
        info = await self._keeper.change(lambda store: store.remove_token(name_or_id))
        self._audit.note(Deed.TOKEN, by, client, target=info.name, detail="removed")


def _rights(role: Role, cameras: Sequence[str] | None) -> str:
    return f"{role}, {'all cameras' if cameras is None else ', '.join(cameras)}"
