"""What `cameras` prints of this machine's cameras: for people, for the config, as JSON. Pure."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from livecam_nvr.cli.local_cameras import Found, LocalCamera
from livecam_nvr.media.picam.facts import CameraFacts
from livecam_nvr.media.v4l2.devices import V4l2Device
from livecam_nvr.media.v4l2.formats import described

NOTHING = """No camera was found.
  A USB camera: is it plugged in? `lsusb` lists it, and `dmesg` says why it is not taken.
  A camera at the Raspberry Pi's connector: switch the power off and check the ribbon at both ends;
  `rpicam-hello --list-cameras` has to list it, too.
  Cameras in the network are found by `livecam-nvr discover`."""


def as_text(found: Found) -> str:
    """Everything for people, with the config at the end."""
    lines = []
    for camera in found.cameras:
        about = camera.about
        lines += [*(_picamera(about) if isinstance(about, CameraFacts) else _v4l2(about, camera))]
        if camera.in_the_way:
            lines.append(f"  {'now':<9} {camera.in_the_way}")
        if camera.snapshot or camera.no_snapshot:
            lines.append(f"  {'snapshot':<9} {camera.snapshot or f'none: {camera.no_snapshot}'}")
        lines.append("")
    if found.no_picameras:
        lines += [f"None at the Raspberry Pi's own connectors: {found.no_picameras}", ""]
    if found.cameras:
        lines += ["# For config.yaml:", as_yaml(found)]
    return "\n".join(lines).rstrip()


def as_yaml(found: Found) -> str:
    """The `cameras:` of a config."""
    lines = ["cameras:"]
    for camera in found.cameras:
        for at, (key, value) in enumerate(camera.entry.items()):
            # A JSON string is a YAML string, too (YAML 1.2, section 1.3).
            lines.append(f"  {' ' if at else '-'} {key}: {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines)


def as_json(found: Found) -> str:
    """`{"cameras": [...], "no_picameras": "..."}`; each camera has its `entry` for the config."""
    cameras = [_json(camera) for camera in found.cameras]
    return json.dumps({"cameras": cameras, "no_picameras": found.no_picameras}, indent=2, ensure_ascii=False)


def _picamera(camera: CameraFacts) -> Iterator[str]:
    place = f"connector {camera.connector}" if camera.connector else camera.location
    focus = "its focus can be set" if camera.has_focus else "its focus is fixed"
    yield ", ".join(word for word in (f"{camera.model}, number {camera.number}", place, focus) if word)
    yield f"  {'id':<9} {camera.id}"
    modes = [f"{mode.width}x{mode.height} at {mode.fps:.3g} ({mode.bit_depth} bit)" for mode in camera.modes]
    if modes:
        yield f"  {'modes':<9} {', '.join(modes)}"


def _v4l2(device: V4l2Device, camera: LocalCamera) -> Iterator[str]:
    beside = f", now {device.path}" if device.path != device.stable_path else ""
    yield f"{device.card or 'A video device'}, {device.bus or 'USB'}"
    yield f"  {'device':<9} {device.stable_path}{beside}"
    if device.modes:
        yield f"  {'formats':<9} {described(device.modes)}"
    for at, control in enumerate(camera.controls):
        now = "" if control.value is None else f", now {control.value}"
        idle = ", which does nothing while an automatic is on" if control.inactive else ""
        yield f"  {'' if at else 'controls':<9} {control.name}: {control.allowed}{now}{idle}"


def _json(camera: LocalCamera) -> dict[str, Any]:
    about = asdict(camera.about)
    if isinstance(camera.about, V4l2Device):
        about["modes"] = [
            {
                "format": mode.input_format,
                "width": mode.width,
                "height": mode.height,
                "fps": [round(float(rate), 3) for rate in mode.rates],
            }
            for mode in camera.about.modes
        ]
        about["controls"] = [asdict(control) for control in camera.controls]
    return {
        "kind": camera.entry["kind"],
        **about,
        "snapshot": camera.snapshot or None,
        "no_snapshot": camera.no_snapshot or None,
        "entry": camera.entry,
    }
