"""What this machine is called in its network: host names and addresses, from the kernel alone."""

import fcntl
import socket
import struct
from collections.abc import Iterator
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
_MOST = 32


def own_names() -> list[str]:
    """Names and addresses under which others in the network reach this machine, the best known first.

    The name as the machine has it, the same at home (`.local`, RFC 6762), `localhost`, the addresses. Addresses
    that only exist on one link, and those that change by the day, are left out. Asks no server.
    """
    machine = socket.gethostname().lower().rstrip(".")
    names = [machine, *([] if "." in machine else [f"{machine}.local"]), "localhost"]
    addresses = sorted({*_ipv4(), *_ipv6()}, key=lambda text: (":" in text, text))
    return list(dict.fromkeys([*names, "127.0.0.1", "::1", *addresses]))[:_MOST]


def _ipv4() -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            try:
                found = fcntl.ioctl(probe, _SIOCGIFADDR, _IFREQ.pack(name.encode()[:15]))
            except OSError:
                continue  # it has none
            address = ip_address(found[_ADDRESS])
            if not address.is_loopback and not address.is_link_local:
                yield str(address)


def _ipv6() -> Iterator[str]:
    try:
        lines = _IF_INET6.read_text("ascii").splitlines()
    except OSError:
        return  # a machine without IPv6
    for line in lines:
        address_hex, _, _, _, flags, *_ = line.split()
        address = IPv6Address(bytes.fromhex(address_hex))
        if not (int(flags, 16) & _TEMPORARY or address.is_loopback or address.is_link_local):
            yield str(address)
