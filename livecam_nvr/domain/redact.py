"""Takes credentials out of text before anybody sees it."""

import re

# user:password@ in any URL, also inside a longer command line or an ffmpeg message. A URL ends its authority with
# a slash, so everything up to the last "@" before one is taken: "@", quotes and spaces that nobody encoded must
# not leak the password's tail. Rather too much is hidden than too little.
_USERINFO = re.compile(r"(?P<user>://[^/:\r\n]*):[^/\r\n]*@")
# Also `/user=admin_password=...`, as some cameras have it in the path.
_QUERY = re.compile(
    r"(?i)(?P<key>[?&/;_-](?:pass(?:word|wd)?|pwd|psw|loginpas|token|secret|(?:api)?key|auth)=)[^&\s]+"
)


def redact(text: str) -> str:
    """`text` with the passwords of all URLs in it replaced by `***` (user names stay). Takes linear time."""
    return _QUERY.sub(r"\g<key>***", _USERINFO.sub(r"\g<user>:***@", text))
