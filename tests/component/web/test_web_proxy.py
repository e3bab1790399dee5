"""Behind a reverse proxy: Home Assistant's ingress, a folder, https before http; and what strangers pretend."""

import ssl
from pathlib import Path

import aiohttp
import pytest
from fakes.web_edge import edge
from support.reverse_proxy import INGRESS, reverse_proxy
from support.waiting import PATIENCE_S
from support.web_certificate import make_certificate, trusting

HERE = ("127.0.0.1",)


async def test_home_assistants_ingress() -> None:
    async with (
        edge(trusted=HERE) as place,
        reverse_proxy(place.url) as proxy,
        aiohttp.ClientSession() as client,
    ):
        async with client.get(f"{proxy.url}/seen", headers={"X-Forwarded-For": "192.0.2.7"}) as response:
            seen = await response.json()
        assert seen["base"] == INGRESS
        assert seen["host"] == f"127.0.0.1:{proxy.port}"
        assert (seen["scheme"], seen["proxied"], seen["framed"]) == ("http", True, True)
        assert seen["client"] == "192.0.2.7"  # this test's own address is trusted, too
        async with client.get(f"{proxy.url}/") as response:
            assert response.status == 200
            policy = response.headers["Content-Security-Policy"]
            assert "frame-ancestors 'self'" in policy
            assert f"ws://127.0.0.1:{proxy.port} " in policy
            assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
        async with client.post(f"{proxy.url}/echo", data=b"x", headers={"Origin": proxy.origin}) as response:
            assert await response.read() == b"x"
        async with client.ws_connect(f"{proxy.url}/socket", headers={"Origin": proxy.origin}) as socket:
            await socket.send_str("hello")
            assert (await socket.receive(PATIENCE_S)).data == "hello"
        for origin in ("http://evil.example", place.url, proxy.origin.replace("http", "https")):
            async with client.post(f"{proxy.url}/echo", data=b"x", headers={"Origin": origin}) as response:
                assert response.status == 403
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await client.ws_connect(f"{proxy.url}/socket", headers={"Origin": origin})
            assert caught.value.status == 403


async def test_https_in_front_of_http_under_a_name_of_ones_own(tmp_path: Path) -> None:
    tls = make_certificate(tmp_path)
    assert tls.private_key is not None
    certificate = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.load_cert_chain(str(tls.certificate), tls.private_key)
    async with (
        edge(trusted=HERE) as place,
        reverse_proxy(place.url, "/nvr", marks={"X-Forwarded-Prefix": "/nvr"}, certificate=certificate) as proxy,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting(tls))) as client,
    ):
        headers = {"Host": "home.example", "Origin": "https://home.example"}
        async with client.post(f"{proxy.url}/echo", data=b"x", headers=headers) as response:
            assert await response.read() == b"x"
        async with client.get(f"{proxy.url}/seen", headers=headers) as response:
            seen = await response.json()
            assert (seen["scheme"], seen["host"], seen["base"]) == ("https", "home.example", "/nvr")
        async with client.get(f"{proxy.url}/") as response:
            assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
            assert response.headers["X-Frame-Options"] == "DENY"
        async with client.ws_connect(f"{proxy.url}/socket", headers=headers) as socket:
            await socket.send_str("hello")
            assert (await socket.receive(PATIENCE_S)).data == "hello"
        headers["Origin"] = "http://home.example"
        async with client.post(f"{proxy.url}/echo", data=b"x", headers=headers) as response:
            assert response.status == 403


async def test_a_proxy_that_is_not_trusted_is_a_client() -> None:
    async with (
        edge(trusted=("192.0.2.1",)) as place,
        reverse_proxy(place.url) as proxy,
        aiohttp.ClientSession() as client,
    ):
        async with client.get(f"{proxy.url}/seen") as response:
            seen = await response.json()
        assert (seen["base"], seen["client"], seen["proxied"]) == ("", "127.0.0.1", False)
        async with client.post(f"{proxy.url}/echo", data=b"x", headers={"Origin": proxy.origin}) as response:
            assert response.status == 403
            assert "listen.trusted_proxies" in (await response.json())["error"]["message"]


async def test_a_proxy_that_leaves_its_folder_on_is_told() -> None:
    async with (
        edge(trusted=HERE) as place,
        reverse_proxy(place.url, "/nvr", marks={"X-Forwarded-Prefix": "/nvr"}, strips=False) as proxy,
        aiohttp.ClientSession() as client,
        client.get(f"{proxy.url}/seen") as response,
    ):
        assert response.status == 404
        assert "/nvr off the path" in (await response.json())["error"]["message"]


@pytest.mark.parametrize("forged", ["evil.example, home.example", "home.example/..", 'x"><script>', ""])
async def test_a_forged_host_is_refused_or_not_used(forged: str) -> None:
    async with edge(trusted=HERE) as place, aiohttp.ClientSession() as client:
        headers = {"X-Forwarded-Host": forged}
        async with client.get(f"{place.url}/", headers=headers) as response:
            if response.status == 200:
                policy = response.headers["Content-Security-Policy"]
                assert "ws://home.example " in policy
                assert "evil" not in policy
            else:
                assert response.status == 400


async def test_names_and_origins_without_a_proxy() -> None:
    async with edge(address="0.0.0.0", open_to_all=True) as place, aiohttp.ClientSession() as client:
        headers = {"Host": "evil.example", "Origin": "http://evil.example"}
        async with client.get(f"{place.url}/seen", headers=headers) as response:
            assert response.status == 200
        async with client.post(f"{place.url}/echo", data=b"x", headers=headers) as response:
            assert response.status == 403
    # Where people sign in, a name of their own is theirs to choose.
    async with edge(address="0.0.0.0") as place, aiohttp.ClientSession() as client:
        headers = {"Host": "nvr.fritz.box", "Origin": "http://nvr.fritz.box"}
        async with client.post(f"{place.url}/echo", data=b"x", headers=headers) as response:
            assert response.status == 200
    async with (
        edge() as place,
        aiohttp.ClientSession() as client,
        client.get(f"{place.url}/seen", headers={"Host": "evil.example"}) as response,
    ):
        assert response.status == 403
