"""Moves one camera, and sees to it that it stops (ONVIF PTZ Service Specification)."""

import asyncio
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from livecam_nvr.core.ptz import Preset, PtzAbilities
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.onvif.errors import Refused, cannot, cannot_be_moved
from livecam_nvr.onvif.link import Link
from livecam_nvr.onvif.reading import at, several
from livecam_nvr.onvif.text import tidy

_log = logging.getLogger(__name__)

MOST_SECONDS = 10.0
"""A longer move has to be asked for again."""
_STOP_PAUSES_S = (0.0, 0.3, 1.0, 3.0, 10.0)
_CLOSE_S = 1.5
_MOST_PRESETS = 128
_MOST_TOKEN = 64


@dataclass(frozen=True, slots=True)
class _Aim:
    """What is addressed when the camera is moved."""

    profile: str
    pan_tilt: bool
    zoom: bool
    home: bool


class Steering:
    """One camera's PTZ. Commands are sent one after the other; a move's end is a task of its own.

    `stop_pauses_s` are the pauses before each attempt to stop it: when they are used up, it is logged and left.
    """

    def __init__(self, link: Link, *, stop_pauses_s: Sequence[float] = _STOP_PAUSES_S) -> None:
        self._link = link
        self._stop_pauses_s = stop_pauses_s
        self._aim: _Aim | None = None
        self._turn = asyncio.Lock()
        self._stopper: asyncio.Task[None] | None = None
        self._moved: _Aim | None = None
        self._knows_timeout = True
        self._closed = False

    async def abilities(self) -> PtzAbilities:
        """See core.ptz.OnvifPort."""
        aim = await self._aimed()
        return PtzAbilities(aim.pan_tilt, aim.zoom, aim.home, await self.presets())

    async def presets(self) -> tuple[Preset, ...]:
        """The positions that it remembers now, at most 128; none if it has no such thing."""
        aim = await self._aimed()
        try:
            told = await self._link.call("ptz", "GetPresets", {"ProfileToken": aim.profile})
        except Refused:
            return ()
        found = [(at(preset, "token"), tidy(at(preset, "Name"), 64)) for preset in several(told)]
        good = [Preset(token, name) for token, name in found if isinstance(token, str) and token]
        return tuple(good[:_MOST_PRESETS])

    async def move(self, pan: float, tilt: float, zoom: float, seconds: float) -> None:
        """See core.ptz.OnvifPort."""
        _check(pan, tilt, zoom, seconds)
        aim = await self._aimed()
        if (pan or tilt) and not aim.pan_tilt:
            raise cannot(self._link.place, "pan and tilt")
        if zoom and not aim.zoom:
            raise cannot(self._link.place, "zoom")
        velocity: dict[str, Any] = {}
        if aim.pan_tilt:
            velocity["PanTilt"] = {"x": pan, "y": tilt}
        if aim.zoom:
            velocity["Zoom"] = {"x": zoom}
        async with self._turn:
            try:
                await self._start(aim, velocity, seconds)
            except BaseException:
                # It may have heard us although we have not heard it.
                self._stop_after(0, aim)
                raise
            self._stop_after(seconds, aim)

    async def stop(self) -> None:
        """See core.ptz.OnvifPort.stop_moving."""
        aim = await self._aimed()
        async with self._turn:
            try:
                await self._send_stop(aim)
            except BaseException:
                self._stop_after(0, aim)
                raise
            self._forget_stop()

    async def goto_preset(self, token: str) -> None:
        """See core.ptz.OnvifPort."""
        if not 0 < len(token) <= _MOST_TOKEN or not token.isprintable():
            raise _no_preset(token, ())
        aim = await self._aimed()
        try:
            await self._goto("GotoPreset", {"ProfileToken": aim.profile, "PresetToken": token})
        except Refused:
            known = await self.presets()
            if token in [preset.token for preset in known]:
                raise
            raise _no_preset(token, known) from None

    async def home(self) -> None:
        """See core.ptz.OnvifPort.goto_home."""
        aim = await self._aimed()
        if not aim.home:
            raise cannot(self._link.place, "go home: it has no home position")
        await self._goto("GotoHomePosition", {"ProfileToken": aim.profile})

    async def close(self) -> None:
        """Stops it if it moves; within 1.5 s."""
        try:
            async with asyncio.timeout(_CLOSE_S), self._turn:
                if self._stopper is not None and not self._stopper.done() and self._moved is not None:
                    await self._send_stop(self._moved)
        except (LivecamError, TimeoutError) as error:
            self._may_move(error)
        finally:
            self._closed = True
            self._forget_stop()

    async def _start(self, aim: _Aim, velocity: dict[str, Any], seconds: float) -> None:
        parameters: dict[str, Any] = {"ProfileToken": aim.profile, "Velocity": velocity}
        if self._knows_timeout:
            # The camera's own end of the move, should this machine or the network die: whole seconds, after ours.
            parameters["Timeout"] = timedelta(seconds=math.ceil(seconds) + 1)
        try:
            await self._tell("ContinuousMove", parameters)
        except Refused:
            # Optional in the standard (ter:TimeoutNotSupported).
            if not self._knows_timeout:
                raise
            del parameters["Timeout"]
            await self._tell("ContinuousMove", parameters)
            self._knows_timeout = False

    async def _goto(self, operation: str, parameters: dict[str, Any]) -> None:
        async with self._turn:
            await self._tell(operation, parameters)
            # It goes there instead of where it was going; a stop would end that.
            self._forget_stop()

    def _stop_after(self, seconds: float, aim: _Aim) -> None:
        self._forget_stop()
        self._moved = aim
        if not self._closed:
            self._stopper = asyncio.create_task(self._stop_later(seconds, aim), name=f"stop {self._link.place}")

    def _forget_stop(self) -> None:
        if self._stopper is not None:
            self._stopper.cancel()
            self._stopper = None

    async def _stop_later(self, seconds: float, aim: _Aim) -> None:
        await asyncio.sleep(seconds)
        failed: LivecamError | None = None
        for pause_s in self._stop_pauses_s:
            await asyncio.sleep(pause_s)
            try:
                async with self._turn:
                    await self._send_stop(aim)
            except LivecamError as error:
                failed = error
            else:
                return
        self._may_move(failed)

    def _may_move(self, error: Exception | None) -> None:
        reason = error.message if isinstance(error, LivecamError) else "it does not answer"
        _log.warning("%s may still move, because it could not be told to stop: %s", self._link.place, reason)

    async def _send_stop(self, aim: _Aim) -> None:
        axes = {"PanTilt": aim.pan_tilt, "Zoom": aim.zoom}
        await self._tell("Stop", {"ProfileToken": aim.profile, **axes})

    async def _tell(self, operation: str, parameters: dict[str, Any]) -> None:
        try:
            await self._link.call("ptz", operation, parameters)
        except Refused:
            # It may have been set up anew, with other profiles: the next command looks again.
            self._aim = None
            raise

    async def _aimed(self) -> _Aim:
        if self._aim is None:
            self._aim = await self._look()
        return self._aim

    async def _look(self) -> _Aim:
        if not await self._link.offers("ptz"):
            raise cannot_be_moved(self._link.place)
        profiles = several(await self._link.call("media", "GetProfiles"))
        movable = [profile for profile in profiles if at(profile, "PTZConfiguration") is not None]
        if not movable or not isinstance(token := at(movable[0], "token"), str):
            raise cannot_be_moved(self._link.place)
        node_token = at(movable[0], "PTZConfiguration", "NodeToken")
        try:
            node = await self._link.call("ptz", "GetNode", {"NodeToken": node_token})
        except Refused:
            # It does not say, so it is tried.
            return _Aim(token, pan_tilt=True, zoom=True, home=True)
        spaces = at(node, "SupportedPTZSpaces")
        aim = _Aim(
            token,
            pan_tilt=bool(several(at(spaces, "ContinuousPanTiltVelocitySpace"))),
            zoom=bool(several(at(spaces, "ContinuousZoomVelocitySpace"))),
            home=at(node, "HomeSupported") is True,
        )
        if not (aim.pan_tilt or aim.zoom):
            raise cannot_be_moved(self._link.place)
        return aim


def _check(pan: float, tilt: float, zoom: float, seconds: float) -> None:
    # Written so that "not a number" fails.
    if not all(-1 <= speed <= 1 for speed in (pan, tilt, zoom)):
        raise LivecamError(ErrorKind.INVALID, "a speed is out of bounds", "pan, tilt and zoom go from -1 to 1")
    if not 0 < seconds <= MOST_SECONDS:
        raise LivecamError(
            ErrorKind.INVALID,
            "the time to move is out of bounds",
            f"more than 0 and at most {MOST_SECONDS:g} seconds",
        )
    if not (pan or tilt or zoom):
        raise LivecamError(
            ErrorKind.INVALID, "this is no movement", "one of pan, tilt and zoom has to be other than 0"
        )


def _no_preset(token: str, known: tuple[Preset, ...]) -> LivecamError:
    names = ", ".join(f"{preset.token} ({preset.name})" if preset.name else preset.token for preset in known)
    return LivecamError(
        ErrorKind.NOT_FOUND,
        f"there is no preset {tidy(token, 40)!r}",
        f"there are: {names}" if names else "there are none",
    )
