"""The addresses that this machine has in its networks, from the kernel alone."""

import fcntl
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Final

_IF_INET6 = Path("/proc/net/if_inet6")
# netdevice(7): the interface's own IPv4 address, in an ifreq of 40 bytes whose first 16 are its name.
_SIOCGIFADDR: Final = 0x8915
_IFREQ = struct.Struct("16s24x")
_ADDRESS = slice(20, 24)
# linux/if_addr.h: IFA_F_TEMPORARY, changes by the day (RFC 8981).
_TEMPORARY: Final = 0x01


@dataclass(frozen=True, slots=True)
class Address:
    """One address of one interface."""

    interface: str
    text: str

    @property
    def is_ipv6(self) -> bool:
        """Else it is IPv4."""
        return ":" in self.text


def own_addresses() -> list[Address]:
    """All under which others in the network can reach this machine, IPv4 first, sorted.

    Addresses that only exist on one link, and those that change by the day, are left out. Asks no server. Some
    system calls and a small file, all answered from memory.
    """
    return sorted({*_ipv4(), *_ipv6()}, key=lambda address: (address.is_ipv6, address.text, address.interface))


def _ipv4() -> Iterator[Address]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            try:
                found = fcntl.ioctl(probe, _SIOCGIFADDR, _IFREQ.pack(name.encode()[:15]))
            except OSError:
                continue  # it has none
            address = ip_address(found[_ADDRESS])
            if not address.is_loopback and not address.is_link_local:
                yield Address(name, str(address))


def _ipv6() -> Iterator[Address]:
    try:
        lines = _IF_INET6.read_text("ascii").splitlines()
    except OSError:
        return  # a machine without IPv6
    for line in lines:
        address_hex, _, _, _, flags, name = line.split()
        address = IPv6Address(bytes.fromhex(address_hex))
        if not (int(flags, 16) & _TEMPORARY or address.is_loopback or address.is_link_local):
            yield Address(name, str(address))
