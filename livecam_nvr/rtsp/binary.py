"""Finds a MediaMTX that fits: the config's, the one on PATH, the service's own; remembers what was looked at."""

import asyncio
import contextlib
import json
import logging
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from livecam_nvr.config.models import MediaServerConfig
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.runtime.process import spawn

_log = logging.getLogger(__name__)

PINNED = "v1.20.1"
PROGRAM = "mediamtx"

_VERSION_S = 4.0
_NUMBERS = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Binary:
    """A MediaMTX that fits."""

    path: Path
    version: str


def server_dir(data_dir: Path) -> Path:
    """The service's own folder for the media server: its binary, its generated config, notes."""
    return data_dir / "media-server"


def cached_binary(data_dir: Path) -> Path:
    """Where a fetched MediaMTX lies."""
    return server_dir(data_dir) / PROGRAM


def fits(version: str) -> bool:
    """Whether our settings suit a version: the pinned one's major and minor; patches never change its settings."""
    found, pinned = _NUMBERS.match(version), _NUMBERS.match(PINNED)
    return found is not None and pinned is not None and found.groups()[:2] == pinned.groups()[:2]


async def find(config: MediaServerConfig, data_dir: Path, *, remember: bool = True) -> Binary | None:
    """The first that fits, in the order config, PATH, own folder; None if there is none.

    What was found out is noted in the service's own folder if `remember`, so that a start need not run anything.

    Raises:
        LivecamError: CONFIG if the config names one that is not there, does not run or does not fit: it is never
            silently replaced by another.
    """
    if config.mediamtx_path is not None:
        return await _demanded(config.mediamtx_path, data_dir, remember)
    on_path = await asyncio.to_thread(shutil.which, PROGRAM)
    for path in (Path(on_path) if on_path else None, cached_binary(data_dir)):
        # Not Path.is_file(), which raises where this user may not look.
        if path is None or not await asyncio.to_thread(os.path.isfile, path):
            continue
        version = await _version(path, data_dir, remember)
        if version is not None and fits(version):
            return Binary(path, version)
        _log.info("%s is %s; %s is needed, so it is not used", path, version or "not a MediaMTX", PINNED)
    return None


async def read_version(path: Path) -> str | None:
    """What the program calls itself; None if it does not run or says nothing. Runs it."""
    said = bytearray()
    try:
        child = await spawn([str(path), "--version"], name=f"{PROGRAM} --version", on_stdout=said.extend)
    except (LivecamError, OSError):
        return None
    try:
        async with asyncio.timeout(_VERSION_S):
            await child.wait()
    except TimeoutError:
        return None
    finally:
        await child.stop()
    version = said.decode("utf-8", "replace").strip()
    return version if _NUMBERS.match(version) else None


async def _demanded(path: Path, data_dir: Path, remember: bool) -> Binary:
    version = await _version(path, data_dir, remember) if await asyncio.to_thread(os.path.isfile, path) else None
    if version is None:
        raise LivecamError(
            ErrorKind.CONFIG,
            f"media_server.mediamtx_path: {path} is not a MediaMTX that runs here",
            f"name a MediaMTX {PINNED} for this machine's processor, or remove the key to have one found",
        )
    if not fits(version):
        raise LivecamError(
            ErrorKind.CONFIG,
            f"media_server.mediamtx_path: {path} is MediaMTX {version}, but {PINNED} is needed",
            "its settings change between versions: name one that fits, or remove the key to have one found",
        )
    return Binary(path, version)


async def _version(path: Path, data_dir: Path, remember: bool) -> str | None:
    """`read_version`, remembered for as long as the file stays the same."""
    note = server_dir(data_dir) / "versions.json"
    known, mark = await asyncio.to_thread(_recall, note, path)
    if mark in known:
        return known[mark]
    version = await read_version(path)
    if version is not None and remember:
        await asyncio.to_thread(_remember, note, {**known, mark: version})
    return version


def _recall(note: Path, path: Path) -> tuple[dict[str, str], str]:
    try:
        known = json.loads(note.read_text("utf-8"))
    except (OSError, ValueError):
        known = {}
    stat = path.stat()
    mark = f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"
    return (known if isinstance(known, dict) else {}), mark


def _remember(note: Path, known: dict[str, str]) -> None:
    # A note that cannot be kept costs some milliseconds at the next start, no more.
    with contextlib.suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        new = note.with_suffix(".new")
        new.write_text(json.dumps(known, indent=1), "utf-8")
        new.replace(note)
