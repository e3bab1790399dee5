"""Drives Debian's Firefox over its own Marionette protocol: enough of it to open a page and ask it things."""

import asyncio
import itertools
import json
import subprocess
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from support.ports import free_port
from support.waiting import PATIENCE_S


class Firefox:
    """One headless Firefox."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._ids = itertools.count(1)

    async def read(self) -> Any:
        length = await self._reader.readuntil(b":")
        return json.loads(await self._reader.readexactly(int(length[:-1])))

    async def call(self, command: str, **arguments: Any) -> Any:
        number = next(self._ids)
        message = json.dumps([0, number, command, arguments]).encode()
        self._writer.write(b"%d:%b" % (len(message), message))
        _, answered, error, result = await self.read()
        assert answered == number
        assert error is None, error
        return result

    async def open(self, url: str) -> None:
        await self.call("WebDriver:Navigate", url=url)

    async def evaluate(self, expression: str) -> Any:
        found = await self.call("WebDriver:ExecuteScript", script=f"return {expression}", args=[])
        return found["value"]

    async def click(self, selector: str) -> None:
        await self.call("WebDriver:ElementClick", id=await self._find(selector))

    async def type(self, selector: str, text: str) -> None:
        await self.call("WebDriver:ElementSendKeys", id=await self._find(selector), text=text)

    async def _find(self, selector: str) -> str:
        found = await self.call("WebDriver:FindElement", using="css selector", value=selector)
        (element,) = found["value"].values()
        return str(element)

    async def screenshot(self, path: Path) -> None:
        path.write_bytes(b64decode((await self.call("WebDriver:TakeScreenshot", full=False))["value"]))


@asynccontextmanager
async def firefox(folder: Path) -> AsyncIterator[Firefox]:
    """A Firefox with a fresh profile in `folder`."""
    port = free_port()
    prefs = {
        "marionette.port": port,
        "media.autoplay.default": 0,
        "app.update.disabledForTesting": True,
        "datareporting.policy.dataSubmissionEnabled": False,
        "network.captive-portal-service.enabled": False,
        "network.connectivity-service.enabled": False,
        "services.settings.server": "data:,",
        "browser.safebrowsing.downloads.remote.enabled": False,
        "media.gmp-manager.updateEnabled": False,
        "extensions.getAddons.cache.enabled": False,
    }
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in prefs.items()]
    (folder / "user.js").write_text("".join(lines))
    argv = ["--headless", "--marionette", "--no-remote", "--profile", str(folder)]
    quiet = subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec("firefox-esr", *argv, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 26)
                except ConnectionError:
                    await asyncio.sleep(0.1)
                else:
                    break
        browser = Firefox(reader, writer)
        await browser.read()
        await browser.call("WebDriver:NewSession")
        yield browser
        writer.close()
    finally:
        process.terminate()
        try:
            async with asyncio.timeout(PATIENCE_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
