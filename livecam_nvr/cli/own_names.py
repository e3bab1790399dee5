"""What this machine is called in its network: host names and addresses, from the kernel alone."""

import socket

from livecam_nvr.runtime.addresses import own_addresses

_MOST = 32


def own_names() -> list[str]:
    """Names and addresses under which others in the network reach this machine, the best known first.

    The name as the machine has it, the same at home (`.local`, RFC 6762), `localhost`, the addresses. Addresses
    that only exist on one link, and those that change by the day, are left out. Asks no server.
    """
    machine = socket.gethostname().lower().rstrip(".")
    names = [machine, *([] if "." in machine else [f"{machine}.local"]), "localhost"]
    addresses = [address.text for address in own_addresses()]
    return list(dict.fromkeys([*names, "127.0.0.1", "::1", *addresses]))[:_MOST]
