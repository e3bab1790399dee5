"""WS-Discovery's messages: what is asked, and what the answers say.

ONVIF uses the draft of April 2005 (http://schemas.xmlsoap.org/ws/2005/04/discovery) over SOAP 1.2.
"""

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

from livecam_nvr.core.ptz import FoundCamera
from livecam_nvr.onvif.address import only_means_itself
from livecam_nvr.onvif.text import tidy

# A probe asks for things that are all of its types, so these are two probes. Older cameras know the first only.
TYPES = (
    ("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter"),
    ("http://www.onvif.org/ver10/device/wsdl", "Device"),
)
_DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
_ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
_SCOPE = "onvif://www.onvif.org/"
_MOST_ADDRESSES = 8

_PROBE = """<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="{addressing}" xmlns:d="{discovery}">
<s:Header><a:Action s:mustUnderstand="1">{discovery}/Probe</a:Action><a:MessageID>{message_id}</a:MessageID>
<a:To s:mustUnderstand="1">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header>
<s:Body><d:Probe><d:Types xmlns:k="{namespace}">k:{kind}</d:Types></d:Probe></s:Body></s:Envelope>
"""


def probe_message(message_id: str, namespace: str, kind: str) -> bytes:
    """Asks all things of this type for a sign; `message_id` is new for each question, not for each copy."""
    return _PROBE.format(
        addressing=_ADDRESSING, discovery=_DISCOVERY, message_id=message_id, namespace=namespace, kind=kind
    ).encode()


def read_matches(data: bytes, sender: str) -> list[FoundCamera]:
    """The cameras that an answer from `sender` (an IP address) tells of; none if it is something else."""
    try:
        # Entities that grow without bounds are refused by Expat itself (2.4.1 and later).
        root = ET.fromstring(data)  # noqa: S314
    except (ET.ParseError, ValueError, LookupError):
        return []
    return [camera for match in root.iter(f"{{{_DISCOVERY}}}ProbeMatch") for camera in _camera(match, sender)]


def _camera(match: ET.Element, sender: str) -> Iterator[FoundCamera]:
    addresses = _usable(_text(match, f"{{{_DISCOVERY}}}XAddrs").split(), sender)
    scopes = [word for word in _text(match, f"{{{_DISCOVERY}}}Scopes").split() if word.startswith(_SCOPE)]
    # Printers and PCs answer questions that were not for them.
    if not addresses or not (scopes or "NetworkVideoTransmitter" in _text(match, f"{{{_DISCOVERY}}}Types")):
        return
    endpoint = _text(match, f"{{{_ADDRESSING}}}EndpointReference/{{{_ADDRESSING}}}Address")
    yield FoundCamera(
        host=urlsplit(addresses[0]).hostname or sender,
        addresses=tuple(addresses),
        name=_scope(scopes, "name"),
        hardware=_scope(scopes, "hardware"),
        location=_scope(scopes, "location"),
        endpoint=tidy(endpoint).lower(),
    )


def _text(element: ET.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()


def _usable(told: list[str], sender: str) -> list[str]:
    """The http addresses among `told`: at the sender's own address first, then IPv4 and names, then IPv6."""
    found: list[tuple[int, str]] = []
    for word in told:
        try:
            parts = urlsplit(word)
            host, port = parts.hostname, parts.port
        except ValueError:
            continue
        if parts.scheme not in ("http", "https") or not host or not word.isascii() or not word.isprintable():
            continue
        if only_means_itself(host):
            host = sender
        place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
        rank = 0 if host == sender else 2 if ":" in host else 1
        found.append((rank, parts._replace(netloc=place, fragment="").geturl()))
    return list(dict.fromkeys(address for _, address in sorted(found, key=lambda pair: pair[0])))[:_MOST_ADDRESSES]


def _scope(scopes: list[str], kind: str) -> str:
    """What the scopes say of this kind; places come in several, such as `country/china`."""
    start = f"{_SCOPE}{kind}/"
    words = [unquote(scope[len(start) :]).replace("_", " ").strip() for scope in scopes if scope.startswith(start)]
    return tidy(", ".join(word.rpartition("/")[2] for word in words if word), 64)
