"""An audit log in memory."""

from collections.abc import Sequence

from livecam_nvr.core.access import AuditEntry, Client, Deed


class FakeAuditLog:
    """See livecam_nvr.core.access.AuditLog."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    def note(
        self, deed: Deed, who: str, client: Client, *, target: str = "", ok: bool = True, detail: str = ""
    ) -> None:
        self.entries.append(AuditEntry(len(self.entries), deed, who, client, target, ok, detail))

    async def read(
        self,
        *,
        limit: int = 100,
        before_utc_ns: int | None = None,
        deed: Deed | None = None,
        who: str | None = None,
    ) -> Sequence[AuditEntry]:
        return self.entries[::-1][:limit]

    @property
    def lines(self) -> list[str]:
        """In short: `sign_in anna`, `!refused anna`."""
        return [f"{'' if entry.ok else '!'}{entry.deed} {entry.who}" for entry in self.entries]
