"""Home Assistant as its command `hass` starts it, but with multicast DNS on loopback alone.

It never uses loopback for that, whatever is set up, and nobody in this machine's network is to hear of tests.
"""

import sys
from typing import Any

from homeassistant.__main__ import main
from homeassistant.components import zeroconf
from zeroconf import IPVersion


def _on_loopback(_hass: object) -> dict[str, Any]:
    return {"interfaces": ["127.0.0.1"], "ip_version": IPVersion.V4Only}


zeroconf._async_get_zc_args = _on_loopback
sys.exit(main())
