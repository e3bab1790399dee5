"""What the network is told of the service, and at which addresses it is. Pure.

DNS-SD (RFC 6763): an instance of a service has a name for people, a port, and texts of at most 255 bytes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from livecam_nvr.core.home_assistant import API
from livecam_nvr.runtime.addresses import Address

SERVICE_TYPE: Final = "_livecam-nvr._tcp.local."
# RFC 6763, 4.1.1 and 6.1.
_MOST_NAME_BYTES = 63
_MOST_TEXT_BYTES = 255
_SHORT_ID = 6
# Networks inside this machine: nobody else is in them, and a finder would try their addresses in vain.
_INSIDE = re.compile(r"docker\d+|br-[0-9a-f]{12}|veth.*|virbr\d+|hassio|podman\d+|cni\d+|lxcbr\d+")


@dataclass(frozen=True, slots=True)
class ServiceCard:
    """The service as the network sees it."""

    install_id: str
    node_id: str
    name: str
    version: str
    port: int
    https: bool

    @property
    def _short_id(self) -> str:
        return self.install_id[:_SHORT_ID]

    @property
    def instance(self) -> str:
        """Its name there: that of the node, with a part of the installation's id, as two may have one name."""
        end = f" ({self._short_id})"
        # A dot would begin another label, and what is not printable is not allowed (RFC 6763, 4.1.1).
        plain = "".join(letter if letter.isprintable() and letter != "." else " " for letter in self.name)
        name = _cut(" ".join(plain.split()) or "livecam-nvr", _MOST_NAME_BYTES - len(end))
        return f"{name}{end}.{SERVICE_TYPE}"

    @property
    def server(self) -> str:
        """A host name of its own: the machine's belongs to its own responder, which would take ours for another
        machine's as soon as the addresses differ (RFC 6762, 9).
        """
        return f"livecam-nvr-{self._short_id}.local."

    @property
    def texts(self) -> dict[str, str]:
        """What Home Assistant's integration reads."""
        texts = {
            "id": self.install_id,
            "node": self.node_id,
            "version": self.version,
            "api": str(API),
            "https": str(int(self.https)),
            "name": self.name,
        }
        return {key: _cut(text, _MOST_TEXT_BYTES - len(key) - 1) for key, text in texts.items()}


def addresses_of(listen: str, own: Sequence[Address]) -> tuple[str, ...]:
    """Where others reach a service that listens on the address `listen`; empty if nobody else does.

    Args:
        listen: As in the config; `0.0.0.0` and `::` stand for all addresses of their kind.
        own: This machine's.
    """
    address = ip_address(listen)
    if address.is_loopback:
        return ()
    if not address.is_unspecified:
        return (listen,)
    fitting = [found for found in own if found.is_ipv6 == (address.version != 4)]  # noqa: PLR2004 - IPv4
    outside = [found for found in fitting if not _INSIDE.fullmatch(found.interface)]
    return tuple(dict.fromkeys(found.text for found in outside or fitting))


def _cut(text: str, most_bytes: int) -> str:
    """As much of it as fits into so many bytes of UTF-8."""
    return text.encode()[:most_bytes].decode(errors="ignore")
