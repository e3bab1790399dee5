"""What names, passwords, roles' cameras and expiries may be."""

import re
import unicodedata
from collections.abc import Collection, Sequence

from livecam_nvr.access.secrets import looks_like_token
from livecam_nvr.domain.errors import ErrorKind, LivecamError

LONGEST_NAME = 64
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 256
_LONGEST_NAME_BYTES = 192
_LONGEST_PASSWORD_BYTES = 1024
_LONGEST_TYPED = 1024
_CAMERA = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_SIGNS = "._@-"
_COMMON = frozenset(
    {
        "0123456789",
        "1234567890",
        "12345678910",
        "123456789a",
        "1q2w3e4r5t",
        "1q2w3e4r5t6y",
        "1qaz2wsx3edc",
        "abcdefghij",
        "administrator",
        "changeme123",
        "homeassistant",
        "iloveyou123",
        "letmein123",
        "livecam-nvr",
        "livecamnvr",
        "password01",
        "password12",
        "password123",
        "password1234",
        "password12345",
        "passwordpassword",
        "qwerty1234",
        "qwerty12345",
        "qwertyuiop",
        "raspberrypi",
        "welcome123",
        "welcome1234",
    }
)


def proper_name(text: str) -> str:
    """A user's or token's name as it is kept: letters and digits of any script, and `. _ @ -`, in NFKC form.

    Raises:
        LivecamError: INVALID.
    """
    name = unicodedata.normalize("NFKC", text) if len(text) <= _LONGEST_TYPED else text
    if not 1 <= len(name) <= LONGEST_NAME or len(name.encode(errors="replace")) > _LONGEST_NAME_BYTES:
        raise _invalid("the name is too long" if name else "the name is empty", f"1 to {LONGEST_NAME} characters")
    if not all(_may_be_in_name(character) for character in name) or not name[0].isalnum():
        raise _invalid(
            f"the name {name!r} has characters that names cannot have",
            "letters, digits, and . _ @ - are right, with a letter or digit first",
        )
    if looks_like_token(name):
        raise _invalid("the name looks like a token's secret", "choose a name of your own")
    return name


def key_of(name: str) -> str:
    """What two names have in common that differ in case only, or in the way they are typed."""
    key = unicodedata.normalize("NFKC", name[:_LONGEST_TYPED])
    # Twice: folding a letter may give what NFKC changes again (Unicode, 3.13.5: toNFKC_Casefold).
    for _ in range(2):
        key = unicodedata.normalize("NFKC", key.casefold())
    return key


def plain_password(text: str) -> str | None:
    """The form in which a password is hashed, so that every keyboard gives the same; None if it cannot be one.

    In the spirit of RFC 8265's OpaqueString: case and spaces count, control characters cannot be. NFKC, where that
    has NFC: a full-width digit is the digit.
    """
    if len(text) > _LONGEST_TYPED:
        return None
    password = unicodedata.normalize("NFKC", text)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in password):
        return None
    if not password or len(password) > LONGEST_PASSWORD or len(password.encode()) > _LONGEST_PASSWORD_BYTES:
        return None
    return password


def proper_password(text: str, name: str) -> str:
    """A new password as it is hashed.

    Raises:
        LivecamError: INVALID; the text is never part of it.
    """
    right = f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; a few words in a row are good"
    if len(text) < SHORTEST_PASSWORD:
        raise _invalid("the password is too short", right)
    password = plain_password(text)
    if password is None:
        too_long = len(text) > LONGEST_PASSWORD or text.isprintable()
        raise _invalid("the password is too long" if too_long else "the password has control characters", right)
    if len(password) < SHORTEST_PASSWORD:
        raise _invalid("the password is too short", right)
    folded = password.casefold()
    if len(set(folded)) == 1:
        raise _invalid("the password is one character again and again", right)
    if key_of(password) == key_of(name):
        raise _invalid("the password is the user's name", right)
    if folded in _COMMON:
        raise _invalid("the password is among the first that anybody tries", right)
    if looks_like_token(password):
        raise _invalid("the password looks like a token's secret", right)
    return password


def proper_cameras(cameras: Sequence[str] | None) -> tuple[str, ...] | None:
    """Ids of cameras, each once, sorted; None: all.

    Raises:
        LivecamError: INVALID for none at all, or for what is no id.
    """
    if cameras is None:
        return None
    if not cameras:
        raise _invalid("no camera is named", "name at least one, or leave the limit out for all")
    for camera in cameras:
        if not _CAMERA.fullmatch(camera):
            raise _invalid(f"{camera!r} is no camera's id", "an id is as in the config, e.g. front_door")
    return tuple(sorted(set(cameras)))


def demand_cameras(cameras: Sequence[str] | None, known: Collection[str]) -> None:
    """Raises LivecamError INVALID if one of them is not known."""
    for camera in cameras or ():
        if camera not in known:
            raise _invalid(f"there is no camera {camera!r}", f"there are: {', '.join(sorted(known))}")


def demand_future(expires_utc_ns: int | None, now_utc_ns: int) -> None:
    """Raises LivecamError INVALID for an expiry that has passed, or that no calendar has."""
    if expires_utc_ns is None:
        return
    if expires_utc_ns <= now_utc_ns:
        raise _invalid("the token would have expired already", "choose a moment in the future")
    if expires_utc_ns >= 2**63:
        raise _invalid("the expiry is too far in the future", "leave it out for a token that does not expire")


def _may_be_in_name(character: str) -> bool:
    # Marks, too: in many scripts a vowel is one.
    return character in _SIGNS or unicodedata.category(character)[0] in "LM" or character.isdigit()


def _invalid(message: str, hint: str) -> LivecamError:
    return LivecamError(ErrorKind.INVALID, message, hint)
