"""All that helps to find out what is wrong, in one file for admins; nothing secret is in it."""

import asyncio
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from livecam_nvr.core.past import Past
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.gap_words import in_words
from livecam_nvr.domain.segment import NS
from livecam_nvr.runtime.logs import LogLine
from livecam_nvr.web.deeds import remark
from livecam_nvr.web.keys import PORTS
from livecam_nvr.web.past import PAST
from livecam_nvr.web.status import iso, plain, shown_status

_DAY_NS = 86_400 * NS
_MOST_GAPS = 200
_READ_ME = """\
What livecam-nvr said of itself at {at}.

status.json    how everything was: cameras, disk, broker, media server, alarms
checks.txt     what `livecam-nvr doctor` found
config.json    the settings in force; passwords and addresses with passwords are left out
coverage.json  what was recorded in the last 24 hours, and why the rest was not
log.txt        the newest lines of the log, times in UTC
versions.json  what it runs on

No password, token or key is in any of it. Names of cameras and users, and addresses in your network, are:
look through it before you give it to somebody.
"""


async def get_diagnostics(request: web.Request) -> web.Response:
    """`GET /api/diagnostics`: a zip file."""
    remark(request, "diagnostics", target="diagnostics")
    ports = request.app[PORTS]
    now = ports.clock.utc_ns()
    about = ports.about
    versions, checks, coverage = await asyncio.gather(about.versions(), about.checks(), _coverage(request, now))
    status, config, lines = shown_status(request), about.config(), ports.log.lines()
    texts = {
        "README.txt": _READ_ME.format(at=iso(now)),
        "checks.txt": "".join(
            f"{'ok  ' if check.ok else 'BAD '} {check.name}: {check.found}\n"
            + (f"     -> {check.mend}\n" if check.mend and not check.ok else "")
            for check in checks
        ),
    }
    values: dict[str, object] = {
        "status.json": status,
        "config.json": config,
        "coverage.json": coverage,
        "versions.json": dict(versions),
    }

    def made() -> bytes:
        written = {name: json.dumps(value, ensure_ascii=False, indent=1) for name, value in values.items()}
        everything = {**texts, **written, "log.txt": "".join(_line(line) for line in lines)}
        return _zipped({name: about.clean(text) for name, text in everything.items()}, now)

    body = await asyncio.to_thread(made)
    stamp = datetime.fromtimestamp(now / NS, UTC).strftime("%Y%m%d_%H%M%S")
    headers = {"Content-Disposition": f'attachment; filename="livecam-nvr_{stamp}.zip"'}
    return web.Response(body=body, content_type="application/zip", headers=headers)


async def _coverage(request: web.Request, now: int) -> list[dict[str, Any]]:
    past = request.app.get(PAST)
    if past is None:
        return []
    cameras = request.app[PORTS].status.status().cameras
    return [await _covered(past, camera.id, now) for camera in cameras]


async def _covered(past: Past, camera_id: str, now: int) -> dict[str, Any]:
    try:
        found = await past.coverage(camera_id, now - _DAY_NS, now)
    except LivecamError as error:
        return {"camera_id": camera_id, "error": error.message}
    gaps = [
        {**asdict(gap), "cause": gap.cause.value, "in_words": in_words(gap), "duration_ns": gap.duration_ns}
        for gap in found.gaps[-_MOST_GAPS:]
    ]
    told: dict[str, Any] = plain(
        {
            "camera_id": camera_id,
            "share": round(found.share, 5),
            "share_of_wanted": round(found.share_of_wanted, 5),
            "frames": found.frames,
            "gaps": gaps,
        }
    )
    return told


def _line(line: LogLine) -> str:
    text = line.text.replace("\n", "\n    ")
    return f"{iso(line.at_utc_ns)} {line.level:<7} {line.logger}: {text}\n"


def _zipped(texts: Mapping[str, str], now: int) -> bytes:
    at = datetime.fromtimestamp(now / NS, UTC).timetuple()[:6]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            info = zipfile.ZipInfo(name, at)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, text.encode("utf-8", "replace"))
    return target.getvalue()
