"""Requests of somebody to a web server, and what comes of them."""

import asyncio
import json
import subprocess
from dataclasses import fields
from typing import Any

from fakes.web_service import Site

from livecam_nvr.core.access import Deed
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.web.past_ports import PastPorts

SESSION = "/api/session"
SWITCH = "/api/cameras/cam0/recording"
QUALITY = "/api/cameras/cam0/quality"


async def told(answer: Any) -> tuple[int, Any]:
    """Status and JSON of a request's answer."""
    async with answer as response:
        return response.status, json.loads(await response.text() or "null")


def cookie(site: Site, secret: str) -> dict[str, str]:
    """The header of a session."""
    return {"Cookie": f"livecam_nvr_{site.port}={secret}"}


def signed_in(site: Site, name: str) -> dict[str, str]:
    """The header of a new session of this user."""
    return cookie(site, site.gate.open_session(name))


def deeds(site: Site) -> list[tuple[Deed, str, str, bool, str]]:
    """What the audit log was told."""
    return [(one.deed, one.who, one.target, one.ok, one.detail) for one in site.audit.entries]


async def probed(url: str) -> str:
    """The codecs that a real player finds at an address; what it complains of, if it finds none."""
    argv = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", url]
    child = await asyncio.create_subprocess_exec(*argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = await child.communicate()
    return (out or err).decode()


class Reached:
    """A port whatever is asked of which answers that it was asked."""

    def __getattr__(self, name: str) -> Any:
        def answer(*_: object, **__: object) -> Any:
            raise LivecamError(ErrorKind.CONFLICT, "it was reached")

        return answer


def reached_past() -> PastPorts:
    """A past of which any question is answered so."""
    return PastPorts(**dict.fromkeys((field.name for field in fields(PastPorts)), Reached()))
