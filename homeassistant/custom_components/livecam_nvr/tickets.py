"""Opens the media segments that a playlist names, to players that bring no credentials along."""

import hmac
import secrets
import time
from hashlib import sha256

from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

_SECRET: HassKey[bytes] = HassKey("livecam_nvr_ticket_secret")
_MAC_DIGITS = 32


@callback
def make_ticket(hass: HomeAssistant, scope: str, refresh_token_id: str, seconds: int) -> str:
    """A part of an address that opens what belongs to `scope`, for so long.

    Home Assistant signs whole addresses only, and a playlist's entries have addresses of their own. Signing each of
    the hundreds of an hour would make the playlist ten times as long. The ticket ends with the session of whoever
    asked for the playlist, as a signature of Home Assistant's would.
    """
    ends = int(time.time()) + seconds
    return f"{ends}.{refresh_token_id}.{_mac(hass, scope, ends, refresh_token_id)}"


@callback
def ticket_is_valid(hass: HomeAssistant, scope: str, ticket: str) -> bool:
    """Whether it was made for that scope, has not ended, and its session neither."""
    ends, _, rest = ticket.partition(".")
    refresh_token_id, _, mac = rest.partition(".")
    if not (ends.isascii() and ends.isdecimal() and mac.isascii()):
        return False
    if not hmac.compare_digest(mac, _mac(hass, scope, int(ends), refresh_token_id)) or int(ends) < time.time():
        return False
    session = hass.auth.async_get_refresh_token(refresh_token_id)
    return session is not None and session.user.is_active


def _mac(hass: HomeAssistant, scope: str, ends: int, refresh_token_id: str) -> str:
    secret = hass.data.setdefault(_SECRET, secrets.token_bytes(32))
    # None of the three can have a line break in it.
    return hmac.new(secret, f"{scope}\n{ends}\n{refresh_token_id}".encode(), sha256).hexdigest()[:_MAC_DIGITS]
