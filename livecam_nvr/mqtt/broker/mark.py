"""The mark that a service leaves at the broker, so that others see whose place it is. Pure."""

import json
import secrets
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Mark:
    """One run of one installation."""

    install_id: str
    """Empty if it is not known; then nobody takes it for the same installation."""
    run: str = field(default_factory=lambda: secrets.token_hex(8))

    def encoded(self) -> bytes:
        """As it stands at the broker."""
        return json.dumps({"install_id": self.install_id, "run": self.run}, separators=(",", ":")).encode()

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """What somebody has left there; a mark of nobody we know if it is none of this kind."""
        try:
            found = json.loads(payload)
        except (ValueError, RecursionError):
            found = None
        values = found if isinstance(found, dict) else {}
        install_id, run = values.get("install_id"), values.get("run")
        return cls(install_id if isinstance(install_id, str) else "", run if isinstance(run, str) else "")

    def same_installation(self, other: Self) -> bool:
        """Whether both are of one installation, in whichever run."""
        return bool(self.install_id) and self.install_id == other.install_id
