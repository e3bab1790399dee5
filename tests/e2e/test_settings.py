"""Settings that are changed while the service runs; cameras that do not change notice nothing."""

import asyncio
import json
import signal
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support import clips
from support.mqtt import listen
from support.service import Service, small_camera
from support.waiting import until

if TYPE_CHECKING:
    from support.broker import Broker

SERVER_PROCESS = {"gstreamer": "gst_child", "mediamtx": "mediamtx.yml"}


async def settings(service: Service) -> tuple[str, dict[str, Any]]:
    """Revision and values."""
    found = json.loads(await service.get("/api/settings"))
    return found["revision"], found["values"]


async def apply(service: Service, revision: str, values: dict[str, Any]) -> tuple[int, Any]:
    """Status and answer."""
    try:
        return 200, await service.post("/api/settings", {"revision": revision, "values": values})
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)["error"]


async def states(service: Service) -> dict[str, str]:
    """Camera id to state, in the order of the status."""
    return {camera["id"]: camera["state"] for camera in (await service.status())["cameras"]}


async def watched(address: str) -> int:
    """A real player's exit status: 0 if the camera is there."""
    argv = ["ffprobe", "-v", "error", "-rtsp_transport", "tcp", address]
    child = await asyncio.create_subprocess_exec(
        *argv, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    return await child.wait()


async def test_cameras_come_change_and_go_and_the_others_notice_nothing(
    make_service: Callable[..., Service], server: str, tmp_path: Path
) -> None:
    service = make_service(
        server,
        cameras=[small_camera("changed"), small_camera("quiet"), small_camera("gone")],
        recording={"segment_seconds": 3600},
    )
    await service.start()
    others, media_server = set(service.children("testsrc2")), service.children(SERVER_PROCESS[server])
    revision, values = await settings(service)
    changed, _, _ = values["cameras"]
    changed["size"] = "320x180"
    values["cameras"] = [*values["cameras"][:2], small_camera("new", name="A new one")]

    review = await service.post("/api/settings/check", {"revision": revision, "values": values})
    assert review["mistakes"] == []
    said = [(effect["what"], effect["id"], effect["how"]) for effect in review["effects"]]
    assert said == [("camera", "gone", "removed"), ("camera", "changed", "restarted"), ("camera", "new", "added")]
    assert list(await states(service)) == ["changed", "quiet", "gone"]

    status, answer = await apply(service, revision, values)
    assert (status, answer.get("applied")) == (200, True), answer
    assert list(await states(service)) == ["changed", "quiet", "new"]
    await until(service.all_live, "all LIVE")
    assert (await service.camera("changed"))["height"] == 180
    assert await watched(service.rtsp("new")) == 0
    assert await watched(service.rtsp("gone")) != 0
    assert await watched(service.rtsp("changed")) == 0
    await until(lambda: bool(service.segments("new")), "a recording of the new camera")
    assert len(others) == 3
    assert len(others & set(service.children("testsrc2"))) == 1, "only the changed camera and the gone one end"
    assert service.children(SERVER_PROCESS[server]) == media_server

    # Somebody else has seen an older state.
    assert (await apply(service, revision, values))[0] == 409

    # What does not run is taken back: with the camera that would have changed, and the file.
    before = (service.folder / "config.yaml").read_bytes()
    garbage = tmp_path / "garbage.mp4"
    garbage.write_bytes(b"no film" * 1000)
    again = json.loads(json.dumps(values))
    again["cameras"][0]["size"] = "480x270"
    again["cameras"].append({"id": "bad", "kind": "file", "path": str(garbage)})
    status, error = await apply(service, answer["revision"], again)
    assert status == 409
    assert error["message"].startswith("bad does not run with these settings")
    assert (service.folder / "config.yaml").read_bytes() == before
    await until(service.all_live)
    assert list(await states(service)) == ["changed", "quiet", "new"]

    async def as_it_was() -> bool:
        return bool((await service.camera("changed"))["height"] == 180)

    await until(as_it_was, "the size from before")
    assert await watched(service.rtsp("bad")) != 0
    assert (await settings(service))[0] == answer["revision"]
    assert await service.stop() == 0
    numbers = [number for path in service.segments("quiet") for number in clips.frame_numbers(path)]
    assert len(numbers) > 15
    assert numbers == list(range(len(numbers)))


async def test_a_camera_that_is_off_stays_so_and_says_who_did_it(make_service: Callable[..., Service]) -> None:
    service = make_service()
    await service.start()

    async def post(on: bool) -> dict[str, Any]:
        return await service.post("/api/cameras/cam0/enabled", {"on": on})

    assert await post(on=False) == {"camera_id": "cam0", "enabled": False}

    async def is_off() -> bool:
        camera = await service.camera("cam0")
        said = camera["fault"] and camera["fault"]["message"]
        recording = camera["recording"]["idle"], camera["recording"]["active"]
        return (
            (camera["state"], camera["enabled"]) == ("OFFLINE", False)
            and said == "switched off by token tests (127.0.0.1)"
            and recording == ("switched_off", False)
            and len(service.children("ffmpeg")) == 1
        )

    await until(is_off, "the camera is off, and says who did it")
    with pytest.raises(urllib.error.HTTPError) as refusal:
        await service.post("/api/cameras/cam0/restart", {})
    refusal.value.close()
    assert refusal.value.code == 409
    await service.stop()
    await service.start(wait=False)

    async def other_lives() -> bool:
        try:
            return (await service.camera("cam1"))["state"] == "LIVE"
        except OSError:
            return False

    await until(other_lives)
    await until(is_off, "it is off after a restart, too")
    frames = (await service.camera("cam1"))["frames"]
    assert await post(on=True) == {"camera_id": "cam0", "enabled": True}
    await until(service.all_live)
    assert (await service.camera("cam1"))["frames"] >= frames
    assert (await service.camera("cam1"))["restarts"] == 0

    async def explained() -> bool:
        found = json.loads(await service.get("/api/cameras/cam0/coverage"))
        gaps = [(gap["cause"], gap["by"]) for gap in found["gaps"]]
        return ("switched_off", "token tests (127.0.0.1)") in gaps

    await until(explained, "the gap in the coverage")


async def test_the_rest_is_in_force_at_once_and_hand_edits_after_a_signal(
    make_service: Callable[..., Service], broker: "Broker"
) -> None:
    service = make_service(cameras=[small_camera("cam0")])
    await service.start()
    revision, values = await settings(service)
    values["node"] = {"name": "The house"}
    values["cameras"][0]["name"] = "The door"
    values["cameras"][0]["record_mode"] = "always"
    values["mqtt"] = {"host": "127.0.0.1", "port": broker.port}
    values["recording"]["retention"] = {"max_age_days": 2}
    values["media_server"]["kind"] = "auto"
    async with listen(broker.port) as listener:
        status, answer = await apply(service, revision, values)
        assert status == 200, answer
        hows = {(effect["what"], effect["how"]) for effect in answer["effects"]}
        assert {("mqtt", "restarted"), ("retention", "changed"), ("service", "needs_restart")} <= hows
        await until(lambda: "_cam0_" in str(listener.discovered()), "discovery")
    found = json.loads(await service.get("/api/settings"))
    assert [effect["keys"] for effect in found["pending"]] == [["media_server.kind"]]
    camera = await service.camera("cam0")
    assert (camera["name"], camera["recording"]["mode"]) == ("The door", "always")
    assert (await service.status())["name"] == "The house"
    limits = json.loads(await service.get("/api/retention"))
    assert "2" in json.dumps(limits)
    entries = json.loads(await service.get("/api/audit?limit=5"))["entries"]
    (entry,) = [entry for entry in entries if entry["deed"] == "settings"]
    assert "mqtt.host" in entry["detail"]

    path = service.folder / "config.yaml"
    config = json.loads(path.read_text())
    config["cameras"].append(small_camera("cam1"))
    path.write_text(json.dumps(config))
    assert service.process is not None
    service.process.send_signal(signal.SIGHUP)

    async def both() -> bool:
        return await states(service) == {"cam0": "LIVE", "cam1": "LIVE"}

    await until(both, "the camera that was written into the file")
    path.write_text("cameras: [")
    service.process.send_signal(signal.SIGHUP)
    await until(lambda: "the config is not taken over" in service.read_log())
    await until(both, "what runs goes on")
    assert path.read_text() == "cameras: ["


async def test_a_trial_ends_with_the_service_and_only_one_runs_at_a_time(
    make_service: Callable[..., Service],
) -> None:
    service = make_service(cameras=[small_camera("cam0")])
    await service.start()
    before = (service.folder / "config.yaml").read_bytes()
    revision, values = await settings(service)
    values["cameras"].append({"id": "away", "kind": "rtsp", "url": "rtsp://user:hunter2@127.0.0.1:9/x"})
    trial = asyncio.create_task(apply(service, revision, values))

    async def tried() -> bool:
        return "away" in await states(service)

    await until(tried, "the camera is tried")
    status, error = await apply(service, revision, values)
    assert (status, error["message"]) == (409, "another change of the settings is under way")
    with pytest.raises(urllib.error.HTTPError) as refusal:
        await service.post("/api/cameras/cam0/enabled", {"on": False})
    refusal.value.close()
    assert refusal.value.code == 409
    assert await service.stop() == 0
    (told,) = await asyncio.gather(trial, return_exceptions=True)
    assert "does not run with these settings" not in str(told), "the trial was broken off, and not waited for"
    assert (service.folder / "config.yaml").read_bytes() == before
    assert [file.name for file in service.folder.glob("*config*")] == ["config.yaml"]
    assert "hunter2" not in service.read_log()
