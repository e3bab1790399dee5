"""Growing, jittered, capped pauses between attempts."""

import random
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """`first_s`, then twice as long each time up to `most_s`, each ± `jitter`; `reset()` begins anew.

    The jitter keeps many cameras that lost one switch from coming back in the same instant.
    """

    first_s: float = 0.3
    most_s: float = 30.0
    jitter: float = 0.2
    attempts: int = 0

    def next_s(self) -> float:
        """How long to wait now; counts the attempt."""
        pause = min(self.most_s, self.first_s * 2.0 ** min(self.attempts, 32))
        self.attempts += 1
        return pause * random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311 - not a secret

    def longest_s(self) -> float:
        """The longest wait at once, for failures that a quick retry cannot cure."""
        self.attempts = max(self.attempts, 32)
        return self.next_s()

    def reset(self) -> None:
        """Begins anew, after things were stable for a while."""
        self.attempts = 0
