"""What a real broker hears and keeps while the service runs normally."""

from support.waiting import until

from livecam_nvr.core.events import CameraStateChanged, DiskChanged
from livecam_nvr.domain.status import (
    CameraState,
    DiskStatus,
    Fault,
    RecordingStatus,
    RetentionStatus,
    SegmentInfo,
)

HUB = "homeassistant/device/livecam-nvr_home/config"
CAM0 = "homeassistant/device/livecam-nvr_home_cam0/config"
CAM1 = "homeassistant/device/livecam-nvr_home_cam1/config"
BASE = "livecam-nvr/home"


async def test_everything_is_announced_at_once_in_order_and_kept(homes, broker, ear, what_is_kept):
    home = homes(broker.port)
    home.source.retention = RetentionStatus(48_200_000_000, 1_795_253_400 * 10**9, 5e9, 9.5)
    await home.service.start()
    await ear.hears(f"{BASE}/cam1/snapshot")
    await ear.hears(f"{BASE}/cam1/coverage")
    order = [h.topic for h in ear.heard]
    assert order[1:5] == [HUB, CAM0, CAM1, f"{BASE}/status"]
    assert all(h.qos == (0 if h.topic.endswith("/snapshot") else 1) for h in ear.heard)
    found = await what_is_kept()
    assert {topic: found[topic].payload for topic in found if "/device/" not in topic} == {
        f"{BASE}/status": b"online",
        f"{BASE}/instance": found[f"{BASE}/instance"].payload,
        f"{BASE}/service": (
            b'{"install_id":"11111111111111111111111111111111","name":"My home","version":"1.2.3","api":1,'
            b'"url":"http://192.0.2.7:8001/"}'
        ),
        f"{BASE}/disk/free": b"12.3",
        f"{BASE}/disk": b'{"used_gb":51.7,"free_gb":12.3,"total_gb":64.0,"percent":80.7}',
        f"{BASE}/figures": b'{"cpu":null,"memory_mb":null,"started":"1970-01-01T00:00:00+00:00"}',
        f"{BASE}/update": (
            b'{"installed_version":"1.2.3","latest_version":"1.2.3","title":"livecam-nvr","release_summary":""}'
        ),
        f"{BASE}/disk/problem": b'{"problem":"OFF","reason":"","hint":"","level":"ok","trouble":"none"}',
        f"{BASE}/retention": (
            b'{"days_held":9.5,"days_until_full":null,"oldest":"2026-11-21T09:30:00+00:00","gb":48.2,"gb_per_day":5.0}'
        ),
        **{
            f"{BASE}/{camera}/{what}": payload
            for camera in ("cam0", "cam1")
            for what, payload in {
                "availability": b"online",
                "status": b'{"state":"LIVE","error":"","hint":""}',
                "stats": b'{"fps":30.0,"bitrate_mbps":2.01,"size":"","dropped":0}',
                "resolution": b"720p",
                "frame_rate": b"30",
                "problem": b'{"problem":"OFF","complaints":[]}',
                "enabled": b"ON",
                "motion": b"None",
                "recording": b"ON",
                "recording/active": b'{"active":"ON","reason":""}',
                "recording_mode": b"switched",
                "coverage": b'{"hour":100.0,"day":100.0,"of_wanted":100.0,"gaps":0,"last_gap":null}',
                "snapshot": found[f"{BASE}/{camera}/snapshot"].payload,
            }.items()
        },
    }
    assert found[f"{BASE}/cam0/snapshot"].payload.startswith(b"\xff\xd8\xffcam0")
    assert {HUB, CAM0, CAM1} <= set(found)
    assert found[CAM0].json["device"]["via_device"] == found[HUB].json["device"]["identifiers"][0]


async def test_changes_are_told_at_once_and_only_what_changed(homes, broker, ear):
    home = homes(broker.port)
    await home.connected()
    await ear.hears(f"{BASE}/cam1/snapshot")
    await ear.hears(f"{BASE}/cam1/coverage")
    ear.heard.clear()
    fault = Fault("rtsp://me:hunter2@10.0.0.9/ does not answer", "is it on?")
    home.bus.publish(CameraStateChanged("cam1", CameraState.OFFLINE, fault))
    home.bus.publish(DiskChanged(DiskStatus("x", 1, 1, problem=True, reason="only 0.10 GB free")))
    ended = SegmentInfo("cam0/261121/a.mp4", 1_795_253_400 * 10**9, 30 * 10**9, 900, 1)
    home.recording.become("cam0", RecordingStatus(wanted=True, active=False, last_segment=ended))
    await ear.hears(f"{BASE}/cam0/last_segment")
    assert {h.topic: h.payload for h in ear.heard} == {
        f"{BASE}/cam1/availability": b"offline",
        f"{BASE}/cam1/status": (
            b'{"state":"OFFLINE","error":"rtsp://me:***@10.0.0.9/ does not answer","hint":"is it on?"}'
        ),
        f"{BASE}/disk/problem": (
            b'{"problem":"ON","reason":"only 0.10 GB free","hint":"","level":"ok","trouble":"none"}'
        ),
        f"{BASE}/cam0/recording/active": b'{"active":"OFF","reason":"waiting for the camera"}',
        f"{BASE}/cam0/last_segment": b'{"finished":"2026-11-21T09:30:30+00:00","file":"cam0/261121/a.mp4"}',
    }


async def test_what_is_held_is_not_told_before_it_is_known_but_told_when_it_is_gone(homes, broker, ear):
    topic = f"{BASE}/retention"
    await ear.say(topic, "from before", retain=True)
    home = homes(broker.port)
    await home.connected()
    await ear.hears(f"{BASE}/cam1/snapshot")  # pictures go behind all else
    assert [h.payload for h in ear.on(topic)] == [b"from before"]

    for known, gb in ((RetentionStatus(48_200_000_000), b'"gb":48.2'), (RetentionStatus(), b'"gb":0.0')):
        home.source.retention = known

        async def is_told_after_a_birth(gb: bytes = gb) -> bool:
            await ear.say("homeassistant/status", "online")
            return gb in ear.on(topic)[-1].payload

        await until(is_told_after_a_birth, what="what is held")


async def test_coverage_that_cannot_be_told_is_unknown(homes, broker, ear):
    home = homes(broker.port)
    home.past.has_index = False
    await home.connected()
    told = await ear.hears(f"{BASE}/cam0/coverage")
    assert set(told.json.values()) == {None}


async def test_an_idle_service_is_nearly_silent(homes, broker, ear):
    home = homes(broker.port)
    home.pictures.without.add("cam1")
    await home.connected()
    await ear.hears(f"{BASE}/cam0/snapshot")
    await ear.hears(f"{BASE}/cam1/coverage")
    settled = len(ear.heard)
    for camera in home.source.cameras.values():
        object.__setattr__(camera, "fps", 12.0)
    object.__setattr__(home.source.cameras["cam0"], "width", 640)
    object.__setattr__(home.source.cameras["cam1"], "width", 640)
    await until(lambda: len(ear.heard) >= settled + 2, "one look at the figures")
    home.pictures.without.clear()
    await ear.hears(f"{BASE}/cam1/snapshot")  # pictures go behind all else
    told = [f"{BASE}/{what}" for what in ("cam0/stats", "cam1/stats", "cam1/snapshot")]
    assert [h.topic for h in ear.heard[settled:]] == told


async def test_pictures_come_regularly_and_a_camera_without_one_is_said_once(homes, broker, ear, caplog):
    caplog.set_level("INFO")
    home = homes(broker.port, snapshot_seconds=1)
    home.pictures.without.add("cam1")
    await home.connected()
    await until(lambda: len(ear.on(f"{BASE}/cam0/snapshot")) >= 3, what="three pictures")
    await until(lambda: home.pictures.taken >= 6, what="several attempts at cam1")
    assert not ear.on(f"{BASE}/cam1/snapshot")
    # A camera that is only just being opened is nothing to tell of; one that had a picture before is.
    assert "cam1: no picture" not in caplog.text
    home.pictures.without.add("cam0")
    taken = home.pictures.taken
    await until(lambda: home.pictures.taken >= taken + 6, what="several attempts at both")
    assert caplog.text.count("cam0: no picture") == 1
    home.pictures.without.discard("cam0")
    first_s, *_, third_s = home.pictures.taken_s["cam0"][:3]
    assert third_s - first_s > 0.99  # one that is late may be followed soon, by no more than one
    home.pictures.without.clear()
    await ear.hears(f"{BASE}/cam1/snapshot")


async def test_stop_says_offline_and_is_idempotent(homes, broker, ear, what_is_kept):
    home = homes(broker.port)
    await home.connected()
    await ear.hears(f"{BASE}/status", b"online")
    await home.service.stop()
    await home.service.stop()
    assert not home.service.status().connected
    assert (await what_is_kept())[f"{BASE}/status"].payload == b"offline"
    await ear.say("test/stopped", "behind what the service said last")
    await ear.hears("test/stopped")
    assert len(ear.on(f"{BASE}/status", b"offline")) == 1
    ear.heard.clear()
    home.recording.become("cam0", RecordingStatus(wanted=False, active=False))
    await ear.say("test/changed", "behind what it might have said")
    await ear.hears("test/changed")
    assert not [h.topic for h in ear.heard if h.topic.startswith(BASE)]
