"""Takes credentials out of text before anybody sees it."""

import re

# user:password@ in any URL, also inside a longer command line or an ffmpeg message. The password runs to
# the last "@" before a space, quote or slash-slash, so that an unescaped "@" inside it does not leak its tail.
_USERINFO = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)(?P<user>[^\s/:@'\"]*):[^\s'\"/]*@")
_QUERY = re.compile(r"(?i)(?P<key>[?&](?:pass(?:word)?|pwd|token|secret|key|auth)=)[^&\s'\"|\]]+")


def redact(text: str) -> str:
    """`text` with the passwords of all URLs in it replaced by `***` (the user name stays)."""
    return _QUERY.sub(r"\g<key>***", _USERINFO.sub(r"\g<scheme>\g<user>:***@", text))
