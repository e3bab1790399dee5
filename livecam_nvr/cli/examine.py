"""Runs self-checks side by side and shows what each finds as soon as it is done."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from livecam_nvr.core.ports import Check, SelfCheck
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.redact import redact


async def examine(checks: Sequence[SelfCheck], patience_s: float, *, running: bool = False) -> int:
    """Runs all at once, shows each as it comes; returns how many are not ok.

    If the service is `running`, it is the one that has its ports.
    """
    broken = 0
    async for found in results(checks, patience_s):
        for one in found:
            check = one
            if running and not one.ok and one.name.startswith("port "):
                check = Check(one.name, ok=True, found="in use by the livecam-nvr that is running")
            show(check)
            broken += not check.ok
    return broken


async def results(checks: Sequence[SelfCheck], patience_s: float) -> AsyncIterator[Sequence[Check]]:
    """What each of `checks` finds, in the order in which they are done; none can take longer than `patience_s`."""
    tasks = [asyncio.create_task(_one(check, patience_s)) for check in checks]
    try:
        for done in asyncio.as_completed(tasks):
            yield await done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _one(check: SelfCheck, patience_s: float) -> Sequence[Check]:
    name = getattr(check, "name", type(check).__name__)
    try:
        async with asyncio.timeout(patience_s):
            return await check.check()
    except TimeoutError:
        return [
            Check(name, ok=False, found=f"no answer within {patience_s:g} s", mend="try again; is it overloaded?")
        ]
    except LivecamError as error:
        return [Check(name, ok=False, found=error.message, mend=error.hint)]
    except Exception as error:
        # One check that fails in an unforeseen way must not hide what the others found.
        found = f"the check itself failed: {type(error).__name__}: {error}"
        return [Check(name, ok=False, found=found, mend="please report this")]


def show(check: Check) -> None:
    """Prints one line, and a second one with what to do if it is not ok."""
    print(redact(f"{'✔' if check.ok else '✘'} {check.name:<22} {check.found}"), flush=True)
    if not check.ok and check.mend:
        print(redact(f"  {'':<22} → {check.mend}"), flush=True)
