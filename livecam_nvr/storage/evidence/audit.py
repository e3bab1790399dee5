"""Compares the archive with its manifests: an unbroken chain, and files that still have the hash they had."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from livecam_nvr.storage.evidence.chain import ChainError, check, line_hash
from livecam_nvr.storage.evidence.manifests import days, file_hash, known_hashes, manifest_path, read_day
from livecam_nvr.storage.refusal import in_words


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not what was written down."""

    path: str
    """Relative to the archive's root."""
    words: str


def audit_chain(root: Path) -> Iterator[Finding]:
    """Breaks in the chain of the manifests. Blocks; for threads.

    Whether lines are missing at its very end, the chain alone cannot tell; nor at its beginning, where manifests
    that are more than thirteen months old are deleted.
    """
    before: str | None = None
    for day in days(root):
        try:
            lines = read_day(root, day)
        except OSError as error:
            yield Finding(str(manifest_path(day)), in_words(error, str(manifest_path(day))))
            continue
        try:
            for _ in check(lines, before):
                pass
        except ChainError as error:
            yield Finding(str(manifest_path(day)), str(error))
        if lines:
            before = line_hash(lines[-1])


def audit_files(root: Path, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Iterator[Finding]:
    """Files whose bytes are not those that were written down. Blocks; for threads.

    Files that are gone are none: retention deletes them.

    Args:
        root: The archive.
        progress: Called with the files done and their number.
    """
    known = known_hashes(root, "")
    for done, (path, sha256) in enumerate(known.items()):
        progress(done, len(known))
        try:
            found, _ = file_hash(root / path)
        except FileNotFoundError:
            continue
        except OSError as error:
            yield Finding(path, in_words(error, path))
            continue
        if found != sha256:
            yield Finding(
                path, "it was changed after it had been recorded: its hash is not the one in the manifest"
            )
    progress(len(known), len(known))
