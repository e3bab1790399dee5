"""Runs self-checks side by side and shows what each finds as soon as it is done."""

from collections.abc import Sequence

from livecam_nvr.core.ports import Check, SelfCheck
from livecam_nvr.core.self_checks import results, while_running
from livecam_nvr.domain.redact import redact


async def examine(checks: Sequence[SelfCheck], patience_s: float, *, running: bool = False) -> int:
    """Runs all at once, shows each as it comes; returns how many are not ok.

    If the service is `running`, it is the one that has its ports.
    """
    broken = 0
    async for found in results(checks, patience_s):
        for one in found:
            check = while_running(one) if running else one
            show(check)
            broken += not check.ok
    return broken


def show(check: Check) -> None:
    """Prints one line, and a second one with what to do if it is not ok."""
    print(redact(f"{'✔' if check.ok else '✘'} {check.name:<22} {check.found}"), flush=True)
    if not check.ok and check.mend:
        print(redact(f"  {'':<22} → {check.mend}"), flush=True)
