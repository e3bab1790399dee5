"""Mistakes that YAML and the models let pass: ids and ports that clash, paths, hosts, names that cannot be one."""

import unicodedata
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from livecam_nvr.config import schema
from livecam_nvr.config.models import TCP_PORTS, ListenConfig
from livecam_nvr.config.source import KeyPath, Source, leaves
from livecam_nvr.domain.access import SUB

# What pydantic takes for true.
_TRUE: Final = frozenset({"1", "on", "t", "true", "y", "yes"})

_TAKEN: Final = "disk"


def check_whole(source: Source) -> None:
    """Adds such mistakes to `source`, whatever else is wrong in it."""
    _ids(source)
    _ports(source)
    _broker(source)
    for path, text in leaves(source.data):
        field = schema.field_at(path, source.data)
        if field is None:
            continue
        if schema.takes_path(field):
            _path(path, text, source)
        elif path[-1] == "name" and any(unicodedata.category(sign) == "Cc" for sign in text):
            # Terminals and logs show it. (Not `isprintable`: names of many languages need joiners.)
            source.mistake(path, "holds a control character", "write the name in one line, in 'single quotes'")
        elif path[-1] in {"url", "sub_url", "onvif_url"} and "#" in text:
            # Everything behind it would be cut off, and the part of a password before it be taken for the host.
            source.mistake(path, "holds a `#`", "write it as %23")


def _ids(source: Source) -> None:
    cameras = source.data.get("cameras") if isinstance(source.data, dict) else None
    first: dict[str, int] = {}
    for number, camera in enumerate(cameras if isinstance(cameras, list) else []):
        camera_id = camera.get("id") if isinstance(camera, dict) else None
        if not isinstance(camera_id, str):
            continue
        if camera_id in first:
            line = source.line(("cameras", first[camera_id], "id"))
            problem = f"the camera in line {line} has the same id"
            source.mistake(("cameras", number, "id"), problem, "each camera needs an id of its own")
        first.setdefault(camera_id, number)
    if _TAKEN in first:
        path = ("cameras", first[_TAKEN], "id")
        source.mistake(path, "is taken: the MQTT topics of the disk begin so", "give this camera another one")
    for camera_id, number in first.items():
        owner = first.get(camera_id.removesuffix(SUB)) if camera_id.endswith(SUB) else None
        if isinstance(cameras, list) and owner is not None and cameras[owner].get("sub_url"):
            problem = (
                f"the smaller stream of the camera in line {source.line(('cameras', owner, 'id'))} has this id"
            )
            source.mistake(("cameras", number, "id"), problem, "give this camera another one")


def _ports(source: Source) -> None:
    listen = source.data.get("listen") if isinstance(source.data, dict) else None
    written = listen if isinstance(listen, dict) else {}
    first: dict[int, str] = {}
    # What is written comes last, so that a clash with a default is told where there is something to change.
    for key in sorted(TCP_PORTS, key=lambda key: key in written):
        text = written.get(key, str(ListenConfig.model_fields[key].default))
        try:
            port = int(text) if isinstance(text, str) else 0
        except ValueError:
            port = 0
        if port in first:
            other = first[port]
            hint = "" if other in written else f" (that is its default; `{other}` can be changed, too)"
            source.mistake(
                ("listen", key),
                f"port {port} is already taken by `{other}`{hint}",
                "each needs a port of its own",
            )
        elif port:
            first[port] = key


def _broker(source: Source) -> None:
    mqtt = source.data.get("mqtt") if isinstance(source.data, dict) else None
    if not isinstance(mqtt, dict):
        return
    if mqtt.get("password") and not mqtt.get("username"):
        key = "password_file" if mqtt.get("password_file") else "password"
        source.mistake(("mqtt", key), "is not used without a `username`", "write that, too, or neither")
    _broker_tls(mqtt, source)
    host = mqtt.get("host")
    if isinstance(host, str) and not _is_host(host):
        hint = "e.g. `host: homeassistant.local`; port, user name and password have keys of their own"
        source.mistake(("mqtt", "host"), "this is not the name or address of a machine", hint)


def _broker_tls(mqtt: dict[str, Any], source: Source) -> None:
    files = [key for key in ("ca_file", "client_certificate", "client_key") if mqtt.get(key)]
    encrypted = str(mqtt.get("tls") or "").lower() in _TRUE
    for key in files if not encrypted else ():
        source.mistake(("mqtt", key), "is not used without `tls: true`", "write that, too, or neither")
    if ("client_certificate" in files) != ("client_key" in files):
        key, other = ("client_certificate", "client_key")[:: 1 if "client_certificate" in files else -1]
        source.mistake(("mqtt", key), f"is not used without `{other}`", "write that, too, or neither")


def _is_host(text: str) -> bool:
    """True for what can be looked up: a name, or an address of either family; and for nothing at all."""
    try:
        ip_address(text)
    except ValueError:
        return text.isprintable() and not any(mark in text for mark in " :/@#?[]")
    return True


def _path(path: KeyPath, text: str, source: Source) -> None:
    if not text.strip():
        source.mistake(path, "is empty", "write a path, or leave the line out")
    elif not text.isprintable():
        source.mistake(path, "holds a control character", "write the path in 'single quotes'")
    elif "://" in text:
        # Not shown: it may hold a password, and as a path it would be shown with it.
        hint = "the address of a camera is the `url` of one of kind rtsp" if path[0] == "cameras" else ""
        source.mistake(path, "is an address and not a path", hint)
    else:
        try:
            Path(text).expanduser()
        except RuntimeError:
            source.mistake(path, "`~` with a name that no user of this machine has", "write the whole path")
