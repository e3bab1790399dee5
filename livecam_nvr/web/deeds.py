"""What a handler tells the audit log of what it does; who does it, and whether it worked, is noted for it."""

from dataclasses import dataclass

from aiohttp import web


@dataclass(slots=True)
class Remark:
    """What is known of a deed besides who did it."""

    target: str = ""
    detail: str = ""


REMARK = web.RequestKey("REMARK", Remark)


def remark(request: web.Request, detail: str = "", *, target: str = "") -> None:
    """Notes what is done (`on`, `720 lines`), and to what, where the address does not name that."""
    known = request.get(REMARK)
    if known is None:
        known = request[REMARK] = Remark()
    known.detail = detail or known.detail
    known.target = target or known.target


def target_of(request: web.Request) -> str:
    """What it is done to: what the handler said, or else the first thing that the address names."""
    known = request.get(REMARK)
    return (known.target if known else "") or next(iter(request.match_info.values()), "")


def detail_of(request: web.Request) -> str:
    """What the handler said of it."""
    known = request.get(REMARK)
    return known.detail if known else ""
