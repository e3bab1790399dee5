"""Runs self-checks side by side: each gets its time, and what one does wrong hides nothing of the others."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from livecam_nvr.core.ports import Check, SelfCheck
from livecam_nvr.domain.errors import LivecamError

_OWN_PORT = "port "


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


def while_running(check: Check) -> Check:
    """The same check for a service that runs: it is the one that has its ports."""
    if check.ok or not check.name.startswith(_OWN_PORT):
        return check
    return Check(check.name, ok=True, found="in use by the livecam-nvr that is running")


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
