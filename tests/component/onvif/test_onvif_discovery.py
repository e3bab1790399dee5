"""Searching a network: real multicast, on loopback."""

import asyncio
import socket

import pytest
from support.onvif_camera import SearchResponder, probe_match
from support.ports import free_port

from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.onvif.discovery import discover

URL = "http://127.0.0.1:81/onvif/device_service"


def group() -> tuple[str, int]:
    return ("239.255.255.250", free_port())


@pytest.mark.parametrize("kind", [b"NetworkVideoTransmitter", b"Device"])
async def test_a_camera_is_found_once_and_at_once(kind: bytes) -> None:
    where = group()
    heard: list[object] = []
    async with SearchResponder(where, [probe_match(URL)], kind) as responder:
        found = await discover(0.6, group=where, interfaces=["lo"], on_found=heard.append)
    assert [camera.name for camera in found] == ["Front door"]
    assert heard == found
    # Each round asks anew for both types, with an id of its own.
    assert len(responder.probes) == len(set(responder.probes)) == 6


async def test_all_interfaces_are_asked() -> None:
    where = group()
    async with SearchResponder(where, [probe_match(URL)]):
        found = await discover(0.4, group=where)
    assert len(found) == 1


async def test_a_camera_can_be_asked_without_multicast() -> None:
    where = ("127.0.0.1", free_port())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as camera:
        camera.bind(where)
        camera.setblocking(False)
        searching = asyncio.create_task(discover(0.5, group=where, interfaces=["lo"]))
        loop = asyncio.get_running_loop()
        _, sender = await loop.sock_recvfrom(camera, 4096)
        camera.sendto(probe_match(URL).encode(), sender)
        assert [found.addresses for found in await searching] == [(URL,)]


async def test_answers_of_one_camera_are_one_and_of_two_are_two() -> None:
    where = group()
    answers = [
        probe_match(f"{URL} http://192.168.9.9/x", endpoint="urn:uuid:one"),
        probe_match(f"http://10.9.9.9/x {URL}", endpoint="urn:uuid:ONE"),
        # The same id from a cheap camera's twin.
        probe_match("http://10.0.0.10/x", endpoint="urn:uuid:one"),
        probe_match("http://10.0.0.9/x", endpoint="urn:uuid:two"),
        "garbage",
        "<a/>",
    ]
    async with SearchResponder(where, answers):
        found = await discover(0.5, group=where, interfaces=["lo"])
    assert len(found) == 3
    assert [camera.host for camera in found][:2] == ["10.0.0.9", "10.0.0.10"]
    assert set(found[2].addresses) >= {"http://192.168.9.9/x", "http://10.9.9.9/x"}


async def test_a_flood_has_an_end() -> None:
    where = group()
    one = probe_match("http://10.0.0.N/x", endpoint="urn:uuid:N", scopes="onvif://www.onvif.org/")
    begin, end = one.index("<d:ProbeMatch>"), one.index("</d:ProbeMatches>")
    answers = [
        one[:begin]
        + "".join(one[begin:end].replace("N/", f"{n}/").replace(":N", f":{n}") for n in many)
        + one[end:]
        for many in (range(100), range(100, 200), range(200, 300))
    ]
    async with SearchResponder(where, answers):
        found = await discover(0.5, group=where, interfaces=["lo"])
    assert len(found) == 256


async def test_nobody_answers() -> None:
    assert await discover(0.2, group=group(), interfaces=["lo"]) == []


async def test_no_network() -> None:
    with pytest.raises(LivecamError, match="no network") as caught:
        await discover(0.2, group=group(), interfaces=[])
    assert caught.value.kind is ErrorKind.UNAVAILABLE


async def test_a_search_can_be_broken_off() -> None:
    searching = asyncio.create_task(discover(60, group=group(), interfaces=["lo"]))
    await asyncio.sleep(0)
    searching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await searching
