"""Which of the machine's cameras is meant, and what is known of each. Pure."""

from __future__ import annotations

from typing import Any

from .refusal import Refused

_LOCATIONS = {0: "front", 1: "back", 2: "external"}
# The Pi 5's device tree (bcm2712-rpi-5-b.dts): i2c_csi_dsi0 is RP1's bus 6 at 88000, i2c_csi_dsi1 bus 4 at 80000.
_PI_5_CONNECTORS = {"/rp1/i2c@88000/": "CAM0", "/rp1/i2c@80000/": "CAM1"}


def facts_of(number: int, info: dict[str, Any], board: str) -> dict[str, Any]:
    """One entry of `global_camera_info()` in our words; `number` is its place in that list.

    The list is sorted by id, so its numbers are not those of the connectors. `connector` is empty unless the board
    is one on which the id tells it.
    """
    identifier = str(info.get("Id", ""))
    connectors = _PI_5_CONNECTORS if board.startswith("Raspberry Pi 5") else {}
    return {
        "number": number,
        "model": str(info.get("Model", "")),
        "id": identifier,
        "connector": next((name for bus, name in connectors.items() if bus in identifier), ""),
        "location": _LOCATIONS.get(info.get("Location", -1), ""),
        "rotation": int(info.get("Rotation", 0)),
    }


def choose(selector: str, cameras: list[dict[str, Any]]) -> dict[str, Any]:
    """The one camera that `selector` names: its number in the list, its model, its id or a part of that.

    Raises:
        Refused: `not_found` if there is none, or more than one.
    """
    if not cameras:
        raise Refused(
            "not_found",
            "no camera is connected",
            "check the ribbon at both ends with the power off; `rpicam-hello --list-cameras` must show it",
        )
    if selector.isascii() and selector.isdigit():
        found = [camera for camera in cameras if camera["number"] == int(selector)]
    else:
        wanted = selector.lower()
        found = (
            [camera for camera in cameras if camera["id"].lower() == wanted]
            or [camera for camera in cameras if camera["model"].lower() == wanted]
            or [camera for camera in cameras if wanted in camera["id"].lower()]
        )
    if len(found) == 1:
        return found[0]
    there = "; ".join(map(describe, cameras))
    if not found:
        raise Refused("not_found", f"there is no camera {selector!r}", f"there are: {there}")
    raise Refused(
        "not_found", f"{selector!r} fits {len(found)} cameras", f"name one by number or by id; there are: {there}"
    )


def describe(camera: dict[str, Any]) -> str:
    """A camera in a few words, with all that names it."""
    place = camera["connector"] or camera["location"]
    return f"{camera['number']}: {camera['model']}{f' at {place}' if place else ''}, {camera['id']}"
