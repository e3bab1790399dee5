"""The proof that an export carries: a last box in the file, signed; and its examination.

The box is a `uuid` box (ISO/IEC 14496-12, 11.1), which players skip: user type, signature (Ed25519, RFC 8032), and
the statement that is signed, as JSON compressed with zlib (RFC 1950). The statement holds the SHA-256 of all bytes
before the box, what the export is and was made of, its gaps, and the part of the manifests that names those files.
"""

import hashlib
import json
import os
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.storage.evidence.chain import BEGINNING, ChainError, check, read_line
from livecam_nvr.storage.evidence.manifests import day_of, days, read_day
from livecam_nvr.storage.evidence.signing import (
    KEY_BYTES,
    SIGNATURE_BYTES,
    decode,
    encode,
    fingerprint,
    is_signed,
    public_bytes,
)
from livecam_nvr.storage.files.boxes import LARGE_HEADER_BYTES, BoxError, box_header

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

USER_TYPE = bytes.fromhex("a3c6f0d24b1e4f3e9a5d7c01b86f2e54")
_VERSION = 1
_HEAD = 8 + len(USER_TYPE)
_CHUNK = 1 << 20
_MOST_STATEMENT = 256 << 20
_MOST_BOXES = 10_000_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an export's proof is worth."""

    whole: bool
    """Not a bit was changed since it was signed, and the chain in it is unbroken."""
    problems: tuple[str, ...]
    """Why it is not whole, in words."""
    doubts: tuple[str, ...]
    """What it cannot prove although it is whole."""
    fingerprint: str
    """Of the key that signed it."""
    statement: Mapping[str, Any]
    """What was signed; empty if that cannot be read."""


def attach(file: Path, report: Mapping[str, Any], root: Path, key: "Ed25519PrivateKey", made_utc_ns: int) -> None:
    """Appends the proof to a finished export. Blocks; for threads.

    Args:
        file: The export.
        report: What it is and was made of, plain values; `segments` lists its sources, each with `path` and
            `begin_utc_ns`, and `gaps` the times it lacks.
        root: The archive, for the manifests.
        key: The installation's.
        made_utc_ns: Now.

    Raises:
        OSError: The disk refuses; the file is as it was.
    """
    lines, before = _chain_of(root, report.get("segments", ()))
    sha256, size = _hash(file)
    statement = {
        "livecam_nvr_export": _VERSION,
        "made_utc_ns": made_utc_ns,
        "video_sha256": sha256,
        "video_bytes": size,
        "report": report,
        "chain_before": before,
        "chain": [line.decode() for line in lines],
        "public_key": encode(public_bytes(key)),
    }
    text = json.dumps(statement, separators=(",", ":")).encode()
    body = USER_TYPE + key.sign(text) + zlib.compress(text)
    with file.open("r+b") as out:
        out.seek(0, os.SEEK_END)
        try:
            out.write(struct.pack(">I4s", 8 + len(body), b"uuid") + body)
            out.flush()
            os.fsync(out.fileno())
        except OSError:
            out.truncate(size)
            raise


def examine(file: Path, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Verdict:
    """Looks whether an export is what was signed. Blocks; for threads.

    Args:
        file: The export.
        progress: Called with the bytes hashed and their number.

    Raises:
        LivecamError: INVALID if it carries no proof.
        OSError: It cannot be read.
    """
    with file.open("rb") as source:
        size = os.fstat(source.fileno()).st_size
        at, end = _find(source, size)
        source.seek(at + _HEAD)
        signature = source.read(SIGNATURE_BYTES)
        packed = source.read(end - at - _HEAD - SIGNATURE_BYTES)
        text = _unpacked(packed)
        statement = _statement(text)
        public = _public_key(statement)
        problems = []
        if not is_signed(public, signature, text):
            problems.append(
                "the signature is not right: the statement was changed, or somebody else has signed it"
            )
        if end != size:
            problems.append(f"{size - end} bytes were added behind the proof")
        if statement.get("video_bytes") != at:
            problems.append(f"the video had {statement.get('video_bytes')} bytes and has {at}")
        elif statement.get("video_sha256") != _hash_of(source, at, progress):
            problems.append("the video was changed: its hash is not the one that was signed")
    chain_problems, doubts = _examine_chain(statement)
    problems += chain_problems
    return Verdict(not problems, tuple(problems), tuple(doubts), fingerprint(public), statement)


def _chain_of(root: Path, segments: Any) -> tuple[list[bytes], str]:
    """The manifests' lines from the first to the last one that names a file of the export; and the hash before."""
    wanted = {str(segment["path"]) for segment in segments}
    if not wanted:
        return [], BEGINNING
    first_day = day_of(min(int(segment["begin_utc_ns"]) for segment in segments))
    # The file that a moment lies in may have begun, and been written down, on the day before.
    known = days(root)
    at = max(0, sum(day < first_day for day in known) - 1)
    lines: list[bytes] = []
    before, last_needed, begun = BEGINNING, 0, False
    found: set[str] = set()
    for raw in (raw for day in known[at:] for raw in read_day(root, day)):
        try:
            line = read_line(raw)
        except ChainError:
            if begun:
                lines.append(raw)
            continue
        needed = line.values.get("path") in wanted
        if needed and not begun:
            begun, before = True, str(line.values["chain"])
        if begun:
            lines.append(raw)
        if needed:
            last_needed = len(lines)
            found.add(str(line.values["path"]))
            if found == wanted:
                break
    return lines[:last_needed], before


def _examine_chain(statement: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    report = statement.get("report")
    segments = report.get("segments", ()) if isinstance(report, Mapping) else ()
    proven: set[str] = set()
    problems: list[str] = []
    chain = statement.get("chain")
    try:
        raws = [str(raw).encode() for raw in chain] if isinstance(chain, list) else []
        for line in check(raws, str(statement.get("chain_before"))):
            proven.add(str(line.values.get("path")))
    except ChainError as error:
        problems.append(f"the chain of the recordings is broken: {error}")
    missing = [
        str(one.get("path")) for one in segments if isinstance(one, Mapping) and one.get("path") not in proven
    ]
    doubts = []
    if missing and not problems:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        doubts.append(f"{missing[0]}{more} had not been written into the chain when the export was made")
    return problems, doubts


def _find(source: IO[bytes], size: int) -> tuple[int, int]:
    """Where the proof's box begins and ends."""
    at = 0
    for _ in range(_MOST_BOXES):
        source.seek(at)
        head = source.read(LARGE_HEADER_BYTES)
        try:
            kind, header, length = box_header(head)
        except BoxError:
            break
        if kind == b"uuid" and header == 8 and at + length <= size:  # noqa: PLR2004 - a small box's header
            source.seek(at + header)
            if source.read(len(USER_TYPE)) == USER_TYPE and length > _HEAD + SIGNATURE_BYTES:
                return at, at + length
        at += length
        if at >= size:
            break
    raise LivecamError(
        ErrorKind.INVALID,
        "the file carries no proof",
        "only exports of livecam-nvr carry one, as long as no other program has rewritten them",
    )


def _unpacked(packed: bytes) -> bytes:
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(packed, _MOST_STATEMENT)
        if unpacker.unconsumed_tail or unpacker.unused_data or not unpacker.eof:
            raise _damaged()
    except zlib.error:
        raise _damaged() from None
    return text


def _statement(text: bytes) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise _damaged() from None
    if not isinstance(values, dict):
        raise _damaged()
    if values.get("livecam_nvr_export") != _VERSION:
        raise LivecamError(ErrorKind.INVALID, "the proof is of a later version", "update livecam-nvr")
    return values


def _public_key(statement: Mapping[str, Any]) -> bytes:
    try:
        public = decode(str(statement.get("public_key")))
    except ValueError:
        raise _damaged() from None
    if len(public) != KEY_BYTES:
        raise _damaged()
    return public


def _damaged() -> LivecamError:
    return LivecamError(ErrorKind.INVALID, "the file's proof is damaged", "it proves nothing any more")


def _hash(file: Path) -> tuple[str, int]:
    with file.open("rb") as source:
        size = os.fstat(source.fileno()).st_size
        return _hash_of(source, size, lambda _done, _all: None), size


def _hash_of(source: IO[bytes], size: int, progress: Callable[[int, int], None]) -> str:
    digest = hashlib.sha256()
    for chunk, done in _chunks(source, size):
        digest.update(chunk)
        progress(done, size)
    return digest.hexdigest()


def _chunks(source: IO[bytes], size: int) -> Iterator[tuple[bytes, int]]:
    source.seek(0)
    done = 0
    while done < size and (chunk := source.read(min(_CHUNK, size - done))):
        done += len(chunk)
        yield chunk, done
