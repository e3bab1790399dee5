"""Fetches the pinned MediaMTX release: resumable, checked against the release's checksums before it is touched."""

import asyncio
import fcntl
import hashlib
import logging
import os
import platform
import re
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import aiohttp

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.rtsp.binary import PINNED, PROGRAM, fits, read_version

_log = logging.getLogger(__name__)

RELEASES = "https://github.com/bluenviron/mediamtx/releases/download"
CHECKSUMS = "checksums.sha256"

_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=20)
_CHUNK_BYTES = 1 << 18
_MOST_BYTES = 256 << 20
_MOST_CHECKSUM_BYTES = 1 << 16
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64", "armv7l": "armv7", "armv6l": "armv6"}
_PARTIAL, _UNSATISFIABLE = 206, 416
_RANGE = re.compile(r"bytes (\d+)-\d+/")

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are here and, where known, the bytes that there will be."""


@dataclass(frozen=True, slots=True)
class Release:
    """One release file of MediaMTX, and where it is."""

    asset: str
    base_url: str
    """The folder of the release, without a slash at its end."""


def release_for(machine: str, releases: str = RELEASES) -> Release:
    """The pinned release for a processor, as `uname -m` calls it.

    Raises:
        LivecamError: UNAVAILABLE if there is none for it.
    """
    suffix = _MACHINES.get(machine)
    if suffix is None:
        raise LivecamError(
            ErrorKind.UNAVAILABLE,
            f"there is no MediaMTX release for this processor ({machine})",
            "build one and name it as media_server.mediamtx_path, or set media_server.kind to gstreamer",
        )
    return Release(f"{PROGRAM}_{PINNED}_linux_{suffix}.tar.gz", f"{releases}/{PINNED}")


def this_machine() -> str:
    """The processor as `uname -m` calls it."""
    return platform.machine()


async def fetch(release: Release, target: Path, progress: Progress | None = None) -> str:
    """Installs a release's binary as `target`, atomically; returns its version.

    An interrupted download is kept beside the target and goes on where it was. The archive is opened only after
    its SHA-256 was found to be the one in the release's list, and the binary replaces another only after it ran.

    Raises:
        LivecamError: UNAVAILABLE (no answer, an HTTP error, cut short: try again), INVALID (the checksum is wrong
            or missing, or it is not the program that was expected), CONFLICT (somebody else is at it), DISK.
    """
    part = target.with_name(f"{release.asset}.part")
    try:
        await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
        with part.open("ab+") as file:
            _lock(file)
            async with aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True) as session:
                wanted = await _checksum(session, release)
                await _checked(session, release, file, wanted, progress)
            version = await _install(file, target)
            await asyncio.to_thread(part.unlink, missing_ok=True)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise LivecamError(
            ErrorKind.UNAVAILABLE,
            f"fetching MediaMTX from {release.base_url} failed: {_reason(error)}",
            "check the internet connection and try again; what is here already is kept",
        ) from error
    except OSError as error:
        raise LivecamError(
            ErrorKind.DISK, f"MediaMTX could not be stored in {target.parent}: {error.strerror}", "make room there"
        ) from error
    return version


def _lock(file: BinaryIO) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise LivecamError(
            ErrorKind.CONFLICT, "MediaMTX is being fetched by another process", "wait until that is done"
        ) from error


async def _checksum(session: aiohttp.ClientSession, release: Release) -> str:
    """The SHA-256 that the release's list gives for the file, in lower-case hex."""
    async with session.get(f"{release.base_url}/{CHECKSUMS}", raise_for_status=True) as response:
        text = (await response.content.read(_MOST_CHECKSUM_BYTES)).decode("utf-8", "replace")
    for line in text.splitlines():
        # As sha256sum(1) writes it: the sum, a space, a space or an asterisk, the name.
        digest, _, name = line.strip().partition(" ")
        if name.lstrip(" *") == release.asset and re.fullmatch(r"[0-9a-fA-F]{64}", digest):
            return digest.lower()
    raise LivecamError(
        ErrorKind.INVALID,
        f"{CHECKSUMS} of the release has no sum for {release.asset}, so it is not used",
        "try again later; without its sum a download is never run",
    )


async def _checked(
    session: aiohttp.ClientSession, release: Release, file: BinaryIO, wanted: str, progress: Progress | None
) -> None:
    """Completes `file` and returns only if its sum is right; a file with a wrong one is emptied."""
    resumed = _size(file) > 0
    await _complete(session, release, file, progress)
    if await asyncio.to_thread(_sha256, file) == wanted:
        return
    file.truncate(0)
    if resumed:
        _log.info("the download that was continued does not fit together and is begun anew")
        await _checked(session, release, file, wanted, progress)
        return
    raise LivecamError(
        ErrorKind.INVALID,
        f"the SHA-256 of {release.asset} is not the one in {CHECKSUMS}: it was thrown away and not run",
        "try again; if it stays so, somebody between here and there changes the file",
    )


async def _complete(
    session: aiohttp.ClientSession, release: Release, file: BinaryIO, progress: Progress | None
) -> None:
    """Fetches what is missing (RFC 9110, 14.2: a server may ignore Range and send everything)."""
    have = _size(file)
    headers = {"Range": f"bytes={have}-"} if have else {}
    async with session.get(f"{release.base_url}/{release.asset}", headers=headers) as response:
        if response.status == _UNSATISFIABLE and have:
            return  # nothing is missing, or it is not our file: its sum will tell
        response.raise_for_status()
        begins = _RANGE.match(response.headers.get("Content-Range", ""))
        if response.status != _PARTIAL or begins is None or int(begins[1]) != have:
            have = 0
            file.truncate(0)
        total = None if response.content_length is None else have + response.content_length
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            have += len(chunk)
            if have > _MOST_BYTES:
                raise LivecamError(ErrorKind.INVALID, f"{release.asset} is larger than any release can be")
            await asyncio.to_thread(file.write, chunk)
            if progress is not None:
                progress(have, total)
    await asyncio.to_thread(file.flush)


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _sha256(file: BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


async def _install(file: BinaryIO, target: Path) -> str:
    """From a checked archive to the target; what does not run, or is another version, does not get there."""
    new = target.with_name(f"{target.name}.new")
    try:
        await asyncio.to_thread(_extract, file, new)
        version = await read_version(new)
        if version is None or not fits(version):
            raise LivecamError(
                ErrorKind.INVALID,
                f"the release holds {version or 'a program that does not run here'} instead of {PINNED}",
                "name a MediaMTX for this machine as media_server.mediamtx_path",
            )
        await asyncio.to_thread(new.replace, target)
    finally:
        await asyncio.to_thread(new.unlink, missing_ok=True)
    return version


def _extract(file: BinaryIO, new: Path) -> None:
    """Writes the one member that we want; names and links in the archive are never followed."""
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:gz") as archive:
            member = archive.extractfile(PROGRAM)
            content = member.read(_MOST_BYTES) if member is not None else b""
    except (tarfile.TarError, KeyError, EOFError) as error:
        raise LivecamError(ErrorKind.INVALID, f"the release holds no {PROGRAM}: {error}") from error
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientResponseError):
        return f"the server answered {error.status} {error.message}"
    return str(error) or type(error).__name__
