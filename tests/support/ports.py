"""Free ports on loopback, each given out once, whoever else tests on this machine at the same time."""

import functools
import itertools
import random
import socket
from collections.abc import Iterator

# Below those that the kernel gives to clients: no connection takes one meanwhile. And above those that browsers
# refuse, the last of which is 10080 (WHATWG Fetch, "Port blocking").
_PORTS = range(10100, 20000)
_BLOCK = 100
_STEP = 5
"""A server that is given a port may take the ones behind it, too, as those for RTP."""
_claims: list[socket.socket] = []
"""Held until this process ends."""


def free_port() -> int:
    """A port that nobody uses now, neither TCP nor UDP, and that no test was given before."""
    return next(port for port in _mine() if _is_free(port))


@functools.cache
def _mine() -> Iterator[int]:
    """The ports that belong to this process; the order of the blocks differs, so that no test relies on one."""
    blocks = list(_PORTS[::_BLOCK])
    random.shuffle(blocks)
    return itertools.chain.from_iterable(range(block, block + _BLOCK, _STEP) for block in blocks if _claim(block))


def _claim(block: int) -> bool:
    # An abstract name has one owner on the machine, and is free again however that one ends.
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0livecam-nvr-tests-{block}")
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    return True


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True
