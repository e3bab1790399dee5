"""What `discover` prints of the cameras: for people, for the config, as JSON. No password is ever in it."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from livecam_nvr.core.ptz import FoundCamera
from livecam_nvr.domain.errors import LivecamError
from livecam_nvr.domain.redact import redact
from livecam_nvr.onvif.address import OnvifAddress, with_credentials
from livecam_nvr.onvif.profiles import CameraDescription, Choice, Profile, choose

PLACE = "PASSWORD"
"""Stands where the person has to write the password."""
_CODECS = {"h264": "H.264", "h265": "H.265", "jpeg": "JPEG", "mpeg4": "MPEG-4"}
_LEAST_SECRET = 3
_MOST_ID = 24
_MOST_NAME = 64
_WRONG_CLOCK_S = 5.0
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A camera, and what it told of itself."""

    found: FoundCamera
    address: OnvifAddress | None = None
    description: CameraDescription | None = None
    error: LivecamError | None = None
    wants_password: bool = False

    @property
    def is_camera(self) -> bool:
        """Whether it is known to be one: it answered the search, or it speaks ONVIF."""
        return bool(self.found.endpoint) or self.description is not None or self.wants_password

    @property
    def model(self) -> str:
        """Maker and model, as far as they are known."""
        if self.description is None:
            return self.found.hardware
        maker, model = self.description.manufacturer, self.description.model
        return model if model.lower().startswith(maker.lower()) else f"{maker} {model}".strip()

    @property
    def title(self) -> str:
        """A name for people."""
        return self.found.name or self.model or self.found.host

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Main and sub stream of each of its pictures."""
        return choose(self.description.profiles) if self.description else ()


def as_text(seen: Sequence[Seen], *, asked_as: str) -> str:
    """Everything for people, with the config at the end."""
    lines = [line for camera in seen for line in (*_camera_lines(camera), "")]
    if any(camera.choices for camera in seen):
        lines += ["# For config.yaml:", *_yaml_lines(seen)]
    elif any(camera.wants_password for camera in seen) and not asked_as:
        lines.append("With --user NAME the cameras tell their streams, and the lines for config.yaml stand here.")
    return "\n".join(lines).rstrip()


def as_yaml(seen: Sequence[Seen]) -> str:
    """The `cameras:` of a config with all streams that were told."""
    return "\n".join(_yaml_lines(seen)) + "\n"


def as_json(seen: Sequence[Seen]) -> str:
    """`{"cameras": [...]}`."""
    return json.dumps({"cameras": [_json(camera) for camera in seen]}, indent=2, ensure_ascii=False)


def _camera_lines(camera: Seen) -> Iterator[str]:
    told = camera.description
    where = [camera.found.host, camera.model if camera.model != camera.title else "", camera.found.location]
    yield ", ".join([camera.title, *(word for word in where if word and word != camera.title)])
    if camera.error is not None:
        yield f"  {camera.error.message}"
        if camera.error.hint:
            yield f"  {camera.error.hint}"
    if told is None:
        return
    use = {
        id(p): word for choice in camera.choices for word, p in (("main", choice.main), ("sub", choice.sub)) if p
    }
    for profile in told.profiles:
        yield f"  {use.get(id(profile), ''):4}  {profile.name or profile.token}: {_stream(profile)}"
    extras = ["can be moved"] if told.has_ptz else []
    extras += ["gives snapshots"] if any(profile.snapshot_uri for profile in told.profiles) else []
    extras += [f"firmware {told.firmware}"] if told.firmware else []
    if told.clock_offset_s is not None and abs(told.clock_offset_s) > _WRONG_CLOCK_S:
        extras.append(f"its clock is wrong by {_span(told.clock_offset_s)}")
    if extras:
        yield f"  {', '.join(extras)}"
    if not camera.choices:
        yield "  none of its streams is H.264 or H.265 with an address, so none can be recorded"


def _stream(profile: Profile) -> str:
    words = [_CODECS.get(profile.codec, profile.codec or "codec not told")]
    words += [f"{profile.width}x{profile.height}"] if profile.width and profile.height else []
    words += [f"{profile.fps:g} fps"] if profile.fps else []
    words += [f"{profile.bitrate_kbps} kbit/s"] if profile.bitrate_kbps else []
    words += [f"sound: {profile.audio}"] if profile.audio else []
    return ", ".join(words)


def _span(seconds: float) -> str:
    size = abs(seconds)
    shown = f"{size / _HOUR_S:.1f} h" if size >= _HOUR_S else f"{size:.0f} s"
    return f"{'+' if seconds > 0 else '-'}{shown}"


def _yaml_lines(seen: Sequence[Seen]) -> list[str]:
    body: list[str] = []
    taken: set[str] = set()
    credentials = False
    for camera in seen:
        if camera.address is None:
            continue
        userinfo = f"{quote(camera.address.user, safe='')}:{PLACE}" if camera.address.user else ""
        for at, choice in enumerate(camera.choices):
            credentials |= bool(userinfo)
            name = camera.title if len(camera.choices) == 1 else f"{camera.title} {at + 1}"
            body += _entry(_new_id(name, camera.found.host, taken), name, choice, camera.address, userinfo)
    note = (
        f"# Write the password where {PLACE} stands, with %40 for @, %3A for :, %2F for /, %3F for ?, %23 for #"
        " and %25 for %."
    )
    return [*([note] if credentials else []), "cameras:", *body]


def _entry(camera_id: str, name: str, choice: Choice, address: OnvifAddress, userinfo: str) -> Iterator[str]:
    yield f"  - id: {json.dumps(camera_id)}"
    yield f"    name: {_text(name[:_MOST_NAME])}"
    yield "    kind: rtsp"
    yield f"    url: {_stream_line(choice.main, address, userinfo)}"
    if choice.sub is not None:
        yield f"    sub_url: {_stream_line(choice.sub, address, userinfo)}"
    yield f"    onvif_url: {_text(with_credentials(address.url, userinfo))}"


def _stream_line(profile: Profile, address: OnvifAddress, userinfo: str) -> str:
    uri = profile.stream_uri or ""
    shown = _without_password(uri, address)
    note = "; *** hides a password in the camera's own address, and what follows it" if "***" in shown else ""
    return f"{_text(with_credentials(shown, userinfo))}  # {_stream(profile)}{note}"


def _without_password(uri: str, address: OnvifAddress) -> str:
    """Some cameras write the password into the addresses that they tell."""
    if len(address.password) >= _LEAST_SECRET:
        for form in (address.password, quote(address.password, safe=""), quote(address.password)):
            if form in uri:
                return uri.replace(form, PLACE)
    return redact(uri)


def _text(value: str) -> str:
    """A JSON string is a YAML string, too (YAML 1.2, section 1.3)."""
    return json.dumps(value, ensure_ascii=False)


def _new_id(name: str, host: str, taken: set[str]) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or re.sub(r"[^a-z0-9]+", "-", host.lower()).strip(
        "-"
    )
    base = plain[:_MOST_ID].strip("-") or "camera"
    number, candidate = 1, base
    while candidate in taken:
        number += 1
        candidate = f"{base}-{number}"
    taken.add(candidate)
    return candidate


def _json(camera: Seen) -> dict[str, Any]:
    told = camera.description
    described: dict[str, Any] = {}
    if told is not None:
        described = asdict(told)
        for profile in described["profiles"]:
            for key in ("stream_uri", "snapshot_uri"):
                if profile[key] and camera.address:
                    profile[key] = _without_password(profile[key], camera.address)
    chosen = [
        {"main": choice.main.token, "sub": choice.sub.token if choice.sub else None} for choice in camera.choices
    ]
    error = {"message": camera.error.message, "hint": camera.error.hint} if camera.error else None
    return {
        **asdict(camera.found),
        "onvif_url": camera.address.url if camera.address else None,
        "error": error,
        "wants_password": camera.wants_password,
        "description": described or None,
        "choices": chosen,
    }
