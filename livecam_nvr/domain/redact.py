"""Takes credentials out of text before anybody sees it."""

import re

# user:password@ in any URL, also inside a longer command line or an ffmpeg message. A URL ends its authority with
# a slash, so everything up to the last "@" before one is taken: "@", quotes and spaces that nobody encoded must
# not leak the password's tail. Rather too much is hidden than too little.
_USERINFO = re.compile(r"(?P<user>://[^/:\r\n]*):[^/\r\n]*@")
# Also `/user=admin_password=...`, as some cameras have it in the path.
_QUERY = re.compile(
    r"(?i)(?P<key>[?&/;_-](?:pass(?:word|wd)?|pwd|psw|loginpas|token|ticket|secret|(?:api)?key|auth)=)[^&\s]+"
)
# Our own tokens, wherever they stand, and what HTTP and RTSP carry in their headers, to the end of the line.
_TOKEN = re.compile(r"lnv_[A-Za-z0-9_-]{8,}")
_HEADER = re.compile(r"(?i)(?P<key>\b(?:authorization|cookie):\s?)[^\r\n]+")
_RULES = (
    (_USERINFO, r"\g<user>:***@"),
    (_QUERY, r"\g<key>***"),
    (_TOKEN, "lnv_***"),
    (_HEADER, r"\g<key>***"),
)


def redact(text: str) -> str:
    """`text` with the passwords of all URLs in it replaced by `***` (user names stay); tokens, tickets and headers
    with credentials, too. Takes linear time.
    """
    for secret, shown in _RULES:
        text = secret.sub(shown, text)
    return text
