"""Signs finished exports: joins the exports' desk with the evidence."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

from livecam_nvr.core.exports import ExportReport
from livecam_nvr.runtime.clock import Clock
from livecam_nvr.storage.evidence.keeper import EvidenceKeeper
from livecam_nvr.storage.evidence.proof import attach
from livecam_nvr.storage.evidence.signing import signing_key


class Signer:
    """Appends to each export the proof of what it is.

    Args:
        root: The archive.
        data_dir: Where the key is.
        evidence: Has the hashes of what the exports are made of; None: what is written down must do.
        clock: Says when.
    """

    def __init__(self, root: Path, data_dir: Path, evidence: EvidenceKeeper | None, clock: Clock) -> None:
        self._root = root
        self._data_dir = data_dir
        self._evidence = evidence
        self._clock = clock

    async def sign(self, export_id: str, report: ExportReport, file: Path) -> None:
        """Raises LivecamError or OSError."""
        if self._evidence is not None:
            await self._evidence.flush()
        key = await asyncio.to_thread(signing_key, self._data_dir)
        statement = statement_of(export_id, report)
        await asyncio.to_thread(attach, file, statement, self._root, key, self._clock.utc_ns())


def statement_of(export_id: str, report: ExportReport) -> dict[str, Any]:
    """What is signed, in plain values; see docs/guide/evidence.md."""
    request = report.request
    return {
        "id": export_id,
        "title": request.title,
        "cameras": list(request.cameras),
        "exact": request.exact,
        "from_utc_ns": request.begin_utc_ns,
        "to_utc_ns": request.end_utc_ns,
        "begin_utc_ns": report.begin_utc_ns,
        "duration_ns": report.duration_ns,
        "frames": report.frames,
        "recoded": report.recoded,
        "notes": list(report.notes),
        "segments": [asdict(used) for used in report.segments],
        "gaps": [{**asdict(gap), "text": gap.text} for gap in report.gaps],
    }
