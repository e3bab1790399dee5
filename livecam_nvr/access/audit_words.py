"""What may stand in the audit log: short printable words without secrets. Strangers have sent much of it."""

from dataclasses import replace

from livecam_nvr.core.access import AuditEntry, Client
from livecam_nvr.domain.redact import redact

LONGEST = 200

# Looked at, before it is cut: enough that a secret cannot lose its beginning, little enough to cost nothing.
_LOOKED_AT = 1000


def plain(text: str) -> str:
    """`text` on one line, at most 200 characters. What could move a cursor, hide or turn text round is a `?`.

    Tokens, tickets and passwords in addresses are taken out, wherever somebody has put them.
    """
    told = redact(text[:_LOOKED_AT])
    told = "".join(letter if letter.isprintable() else "?" for letter in told[: LONGEST + 1])
    return told if len(told) <= LONGEST else told[: LONGEST - 1] + "…"


def cleaned(entry: AuditEntry) -> AuditEntry:
    """The entry with all its texts made plain."""
    return replace(
        entry,
        who=plain(entry.who),
        client=Client(plain(entry.client.address), entry.client.door),
        target=plain(entry.target),
        detail=plain(entry.detail),
    )
