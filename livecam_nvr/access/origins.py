"""Which addresses are the machine itself or the local network."""

from ipaddress import IPv6Address, ip_address, ip_network

_LOCAL = tuple(
    ip_network(text)
    for text in (
        "127.0.0.0/8",
        "::1/128",
        # RFC 1918 and RFC 4193: private networks.
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",
        # RFC 3927 and RFC 4291, section 2.5.6: one link.
        "169.254.0.0/16",
        "fe80::/10",
    )
)


def is_local(address: str) -> bool:
    """Whether an address is the machine's own or that of a private network.

    100.64.0.0/10 (RFC 6598) is not: providers share it between customers. Some VPNs use it, too; over those the
    first user is made on the command line.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return any(ip in network for network in _LOCAL if network.version == ip.version)
