"""What is done leaves a line in the audit log, and no secret is left behind anywhere."""

import asyncio
import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
from support.mqtt import listen
from support.rtsp_camera import PASSWORD as CAMERA_PASSWORD
from support.rtsp_camera import Habits, rtsp_camera
from support.rtsp_films import film
from support.rtsp_talk import RtspTalk, basic
from support.service import Service, command_line, small_camera
from support.viewers import add_user, audit, command, plays
from support.waiting import until

if TYPE_CHECKING:
    from support.broker import Broker

BROKER_PASSWORD, PASSWORD, NEXT, MISTYPED = (
    "brok3r-s3cret",
    "wide-blue-rooftop",
    "four-cold-rivers",
    "no-more-lemons",
)
HERE = "127.0.0.1"
DOCUMENTED = re.compile(rf"rtsp://(me:{CAMERA_PASSWORD}|publisher:[\w-]+)@127\.0\.0\.1:\d+/")


class Person:
    """Somebody who asks over HTTP; every answer is kept."""

    def __init__(self, service: Service, session: aiohttp.ClientSession, headers: dict[str, str]) -> None:
        self.headers = headers
        self.answers: list[str] = []
        self._service = service
        self._session = session

    async def ask(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """The answer; JSON as an object."""
        url = self._service.url + path
        async with self._session.request(method, url, json=body, headers=self.headers) as answer:
            raw = await answer.read()
            text = raw.decode(errors="replace")
            shown = {k: v for k, v in answer.headers.items() if k != "Set-Cookie"}
            self.answers.append(f"{method} {path} {answer.status} {shown} {text}")
            assert answer.status == status, self.answers[-1]
            if "Set-Cookie" in answer.headers:
                self.headers = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
            return json.loads(text) if answer.content_type == "application/json" else raw


async def test_every_deed_is_in_the_audit_log_and_no_secret_anywhere(
    make_service: Callable[..., Service], server: str, broker: "Broker", tmp_path: Path
) -> None:
    mqtt = {"host": HERE, "port": broker.port, "username": "nvr", "password": BROKER_PASSWORD}
    async with (
        rtsp_camera(Habits(film(), login="basic")) as device,
        listen(broker.port) as heard,
        aiohttp.ClientSession() as session,
    ):
        cameras = [
            small_camera("cam0"),
            small_camera("cam1", retention={"max_size": 1}),
            {"id": "door", "kind": "rtsp", "url": device.url, "record": False},
        ]
        service = make_service(server, cameras=cameras, mqtt=mqtt)
        await service.start("--verbose")
        await add_user(service, "anna", PASSWORD)
        token = await command(service, "token", "add", "--name", "ha", "--role", "operator")
        anna, ha = Person(service, session, {}), Person(service, session, {"Authorization": f"Bearer {token}"})
        stranger = Person(service, session, {})

        async def knows_ha() -> bool:
            async with session.get(f"{service.url}/api/status", headers=ha.headers) as answer:
                return answer.status == 200

        await until(knows_ha, "the token works")
        await heard.until_topic("livecam-nvr/livecam/door/recording", b"OFF")  # it listens to orders by now
        secrets = {CAMERA_PASSWORD, BROKER_PASSWORD, PASSWORD, NEXT, MISTYPED, token, service.token}
        secrets |= await deeds(service, anna, ha, stranger, heard.client)
        secrets.add(basic("anna", PASSWORD).removeprefix("Basic "))
        published = [found[1] for pid in service.children() for found in PUBLISHER.finditer(command_line(pid))]
        assert bool(published) == (server == "mediamtx")

        told = await everything_told(service, anna, ha, stranger)
        told["MQTT"] = "\n".join(f"{topic} {payload!r}" for topic, payload in heard.seen)
        entries = await audit(service, "--limit", "1000")
        told["audit"] = json.dumps(entries)
        for where, text in told.items():
            assert text, where
            assert [secret for secret in {*secrets, *published} if secret in text] == [], where
        # Whoever has an account on this machine sees what programs are called with.
        for pid in service.children():
            called = DOCUMENTED.sub("", command_line(pid))
            assert [secret for secret in {*secrets, *published} if secret in called] == [], called
            assert "ffmpeg" in called or called == command_line(pid)
        readable_by_nobody_else(service, secrets)
        assert await service.stop() == 0
        assert [secret for secret in {*secrets, *published} if secret in service.read_log()] == []
    noted(entries)


PUBLISHER = re.compile(r"rtsp://publisher:([\w-]+)@")


async def deeds(service: Service, anna: Person, ha: Person, stranger: Person, broker: Any) -> set[str]:
    """Everything that anybody does here; the secrets that come of it."""
    # People type passwords where names belong.
    for name, password in (("anna", MISTYPED), (MISTYPED, PASSWORD)):
        await stranger.ask("POST", "/api/session", {"name": name, "password": password}, status=401)
    await anna.ask("POST", "/api/session", {"name": "anna", "password": PASSWORD})
    secret = anna.headers["Cookie"].partition("=")[2]
    await anna.ask("POST", "/api/cameras/cam1/recording", {"on": False})
    await anna.ask("POST", "/api/cameras/cam0/recording", {"on": False})
    await ha.ask("POST", "/api/cameras/cam0/recording", {"on": True})
    clip = await ha.ask("POST", "/api/cameras/cam0/keep", {"before_s": 2, "after_s": 0}, status=201)
    await broker.publish("livecam-nvr/livecam/door/recording/set", "ON", qos=1)

    async def obeyed() -> bool:
        return bool((await service.camera("door"))["recording"]["wanted"])

    await until(obeyed, "the order over MQTT")
    await ha.ask("GET", "/api/users", status=403)
    await anna.ask("POST", "/api/users", {"name": "ben", "password": PASSWORD, "role": "viewer"}, status=201)
    await anna.ask("POST", "/api/users/ben", {"cameras": ["cam0"]})
    await anna.ask("POST", "/api/users/ben/password", {"password": NEXT})
    made = await anna.ask("POST", "/api/tokens", {"name": "wall", "role": "viewer"}, status=201)
    anna.answers.pop()  # this one shows the token, this once
    await command(service, "token", "remove", "wall")
    link = await ha.ask("POST", "/api/tickets", {"path": "/api/cameras/cam0/snapshot.jpg"}, status=201)
    ha.answers.pop()
    ticket = link["url"].partition("ticket=")[2]
    await stranger.ask("GET", link["url"])
    stranger.answers.pop()  # a picture; and what was asked for is ours
    for path in ("/api/status", "/no-such-page", "/api/cameras/cam0/live.mp4"):
        status = 404 if path == "/no-such-page" else 401
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{service.url}{path}?ticket={ticket}") as answer,
        ):
            assert answer.status == status
            stranger.answers.append(f"{answer.headers} {await answer.text()}")
    port = service.ports["rtsp_port"]
    await plays(f"rtsp://anna:{PASSWORD}@{HERE}:{port}/cam0")
    async with RtspTalk(port) as talk:
        await talk.ask("DESCRIBE", "/cam0", Authorization=basic(MISTYPED, MISTYPED))
    async with RtspTalk(port) as talk:
        await talk.ask("ANNOUNCE", "/cam0", "v=0\r\n", Authorization=basic(MISTYPED, PASSWORD))

    async def shed() -> bool:
        return any(entry["deed"] == "deletion" for entry in await audit(service))

    await until(shed, "retention deletes what cam1 has recorded")
    order = {"cameras": ["cam0"], "from": clip["begin_utc_s"], "to": clip["end_utc_s"]}
    export = await anna.ask("POST", "/api/exports", order, status=202)

    async def ready() -> bool:
        return bool((await anna.ask("GET", f"/api/exports/{export['id']}"))["state"] == "done")

    await until(ready, "the export")
    assert (await anna.ask("GET", f"/api/exports/{export['id']}/file"))[4:8] == b"ftyp"
    anna.answers.pop()
    await anna.ask("DELETE", f"/api/exports/{export['id']}")
    await anna.ask("DELETE", f"/api/clips/{clip['id']}")
    await command(service, "user", "passwd", "ben", "--password-file", "-", said=MISTYPED)
    await command(service, "user", "remove", "ben")
    await anna.ask("DELETE", "/api/session")
    return {secret, made["token"], ticket}


async def everything_told(service: Service, *people: Person) -> dict[str, str]:
    """All that the service and its commands say."""
    told = {
        "answers": "\n".join(answer for person in people for answer in person.answers),
        "log": service.read_log(),
        "status": (await service.get("/api/status")).decode(),
        "users": (await service.get("/api/users")).decode() + (await service.get("/api/tokens")).decode(),
    }
    words = ("doctor", "validate", "user list", "token list --json", "audit")
    said = await asyncio.gather(*(command(service, *each.split(), works=False) for each in words))
    return told | dict(zip(words, said, strict=True))


def readable_by_nobody_else(service: Service, secrets: set[str]) -> None:
    """Of what it has written, only what is its own to read may hold a secret, and users' are in no file at all."""
    data = service.folder / "data"
    for path in (data / "access").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE((data / "access").stat().st_mode) == 0o700
    for path in (path for folder in (data, service.recordings) for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert [secret for secret in secrets if secret.encode() in content] == [], path
        if b"publisher" in content and path.suffix != ".mp4":
            assert not path.stat().st_mode & 0o077, path


def noted(entries: list[dict[str, Any]]) -> None:
    """Whether the log tells of all that was done, by whom, and from where."""
    lines = {(e["deed"], e["who"], e["door"], e["address"], e["target"].split(".")[0], e["ok"]) for e in entries}
    expected = {
        ("user", "root", "cli", "", "anna", True),
        ("token", "root", "cli", "", "ha", True),
        ("token", "root", "cli", "", "wall", True),
        ("password", "root", "cli", "", "ben", True),
        ("user", "root", "cli", "", "ben", True),
        ("refused", "anna", "page", HERE, "", False),
        ("refused", "unknown user", "page", HERE, "", False),
        ("sign_in", "anna", "page", HERE, "", True),
        ("recording", "anna", "page", HERE, "cam0", True),
        ("recording", "anna", "page", HERE, "cam1", True),
        ("recording", "token ha", "http", HERE, "cam0", True),
        ("recording", "MQTT", "mqtt", "", "door", True),
        ("keep", "token ha", "http", HERE, "cam0", True),
        ("refused", "token ha", "http", HERE, "GET /api/users", False),
        ("user", "anna", "page", HERE, "ben", True),
        ("password", "anna", "page", HERE, "ben", True),
        ("token", "anna", "page", HERE, "wall", True),
        ("refused", "a ticket", "http", HERE, "GET /api/status", False),
        ("sign_in", "anna", "rtsp", HERE, "", True),
        ("refused", "unknown user", "rtsp", HERE, "", False),
        ("deletion", "retention", "service", "", "cam1", True),
        ("sign_out", "anna", "page", HERE, "", True),
    }
    assert expected - lines == set(), lines
    for deed in ("export", "download", "export_removed", "release"):
        assert [(e["who"], e["door"], e["ok"]) for e in entries if e["deed"] == deed] == [("anna", "page", True)]
