"""The status as JSON."""

import json

from livecam_nvr.domain.status import (
    BrokerStatus,
    CameraState,
    CameraStatus,
    DiskStatus,
    Fault,
    MediaServerStatus,
    RecordingStatus,
    SegmentInfo,
    ServerState,
    ServiceStatus,
    StreamAddresses,
)
from livecam_nvr.web.status import plain, service_json

AT_NS = 1_795_000_000_123_456_789


def make_status() -> ServiceStatus:
    segment = SegmentInfo("cam0/261118/cam0_20261118_110640.mp4", AT_NS, 30_000_000_000, 900, 7_000_000)
    camera = CameraStatus(
        id="cam0",
        name="{host}",
        kind="test",
        state=CameraState.ERROR,
        fault=Fault("it failed", "mend it", AT_NS),
        recording=RecordingStatus(wanted=True, active=False, last_segment=segment),
        addresses=StreamAddresses("rtsp://{host}:8554/cam0", webrtc="http://{host}:8889/cam0/whep"),
    )
    return ServiceStatus(
        name="Home",
        version="1",
        started_utc_ns=AT_NS,
        uptime_s=1.5,
        cameras=(camera,),
        media_server=MediaServerStatus("none", ServerState.STOPPED),
        broker=BrokerStatus(configured=False),
        disk=DiskStatus("/x"),
    )


def test_times_are_strings_and_numbers() -> None:
    result = json.loads(json.dumps(service_json(make_status(), "nvr.local")))
    assert result["started_utc"] == "2026-11-18T11:06:40.123Z"
    assert result["started_utc_s"] == 1_795_000_000.123
    camera = result["cameras"][0]
    assert camera["state"] == "ERROR"
    assert camera["fault"]["at_utc"] == "2026-11-18T11:06:40.123Z"
    assert camera["recording"]["last_segment"]["duration_s"] == 30
    assert camera["recording"]["since_utc"] is None
    assert "_ns" not in json.dumps(result)


def test_a_fault_at_no_known_time() -> None:
    assert plain({"at_utc_ns": 0}) == {"at_utc": None, "at_utc_s": None}


def test_addresses_name_the_host_as_the_viewer_does() -> None:
    camera = service_json(make_status(), "[::1]")["cameras"][0]
    assert camera["addresses"] == {
        "rtsp": "rtsp://[::1]:8554/cam0",
        "webrtc": "http://[::1]:8889/cam0/whep",
        "ll_hls": None,
        "rtsps": None,
    }
    assert camera["name"] == "{host}"
