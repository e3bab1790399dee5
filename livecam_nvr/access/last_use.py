"""Remembers when sessions and tokens were last used, and writes it down seldom, for SD cards wear out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from livecam_nvr.access.rows import SessionRow
from livecam_nvr.core.access import TokenInfo
from livecam_nvr.domain.segment import NS

_SESSIONS_NS = 3600 * NS
_TOKENS_S = 60.0


@dataclass(slots=True)
class Batch:
    """What is to be written down."""

    sessions: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, tuple[int, str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.sessions or self.tokens)


class LastUse:
    """In memory, by id. A session's is written once it is an hour newer than what is stored, a token's at most
    once a minute, both at the end.
    """

    def __init__(self) -> None:
        self._sessions: dict[str, int] = {}
        self._tokens: dict[str, tuple[int, str]] = {}
        self._unwritten: set[str] = set()
        self._written_s = float("-inf")

    def session(self, row: SessionRow) -> int:
        """When it was last used, UTC in nanoseconds."""
        return max(row.last_used_utc_ns, self._sessions.get(row.id, 0))

    def of_token(self, info: TokenInfo) -> TokenInfo:
        """With its last use, even if that is not written down yet."""
        used = self._tokens.get(info.id)
        return info if used is None else replace(info, last_used_utc_ns=used[0], last_address=used[1])

    def note_session(self, session_id: str, now_utc_ns: int) -> None:
        """It is being used."""
        self._sessions[session_id] = now_utc_ns

    def note_token(self, token_id: str, now_utc_ns: int, address: str) -> None:
        """It is being used."""
        self._tokens[token_id] = (now_utc_ns, address)
        self._unwritten.add(token_id)

    def due(self, sessions: Mapping[str, SessionRow], now_s: float, *, last: bool = False) -> Batch:
        """What is to be written now.

        Args:
            sessions: As they are stored, by id; what was noted of others is forgotten.
            now_s: Monotonic.
            last: Everything.
        """
        for gone in self._sessions.keys() - sessions.keys():
            del self._sessions[gone]
        late_ns = 0 if last else _SESSIONS_NS
        batch = Batch(
            sessions={
                one: used
                for one, used in self._sessions.items()
                if used - sessions[one].last_used_utc_ns > late_ns
            }
        )
        if last or now_s - self._written_s >= _TOKENS_S:
            batch.tokens = {one: self._tokens[one] for one in self._unwritten}
        return batch

    def written(self, batch: Batch, now_s: float) -> None:
        """It is on disk."""
        self._unwritten = {one for one in self._unwritten if self._tokens[one] != batch.tokens.get(one)}
        if batch.tokens:
            self._written_s = now_s
