"""The machine's own addresses, whatever they are."""

import socket
from ipaddress import ip_address

from livecam_nvr.runtime.addresses import own_addresses


def test_they_are_addresses_of_interfaces_that_others_can_reach() -> None:
    found = own_addresses()
    interfaces = {name for _, name in socket.if_nameindex()}
    for address in found:
        parsed = ip_address(address.text)
        assert not parsed.is_loopback
        assert not parsed.is_link_local
        assert address.is_ipv6 == (parsed.version == 6)
        assert address.interface in interfaces
        family = socket.AF_INET6 if address.is_ipv6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address.text, 0))  # refused for an address that is not ours
    assert [address.is_ipv6 for address in found] == sorted(address.is_ipv6 for address in found)
    assert len(set(found)) == len(found)
