"""What `discover` prints, from odd cameras."""

import json
from pathlib import Path

from livecam_nvr.cli.found_cameras import PLACE, Seen, as_json, as_text, as_yaml
from livecam_nvr.config.load import load_config
from livecam_nvr.core.ptz import FoundCamera
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.onvif.address import parse_address
from livecam_nvr.onvif.profiles import CameraDescription, Profile


def seen(name: str = "", host: str = "10.0.0.1", uri: str = "rtsp://10.0.0.1/a", **more: object) -> Seen:
    profile = Profile("t", codec="h264", width=640, height=360, stream_uri=uri)
    told = CameraDescription("Acme", "ACME Eye", "", (profile,), clock_offset_s=-7300)
    values = {
        "address": parse_address(f"http://{host}").as_user("u", "hunter2"),
        "description": told,
        **more,
    }
    return Seen(FoundCamera(host, (), name, endpoint="urn:uuid:1"), **values)  # type: ignore[arg-type]


def test_ids_are_slugs_and_differ(tmp_path: Path) -> None:
    names = ["Tür 1!", "tür 1", "", "漢字", "cam_sub", "x" * 90, "---", 'a"b: #\\c', "-2 leading"]
    text = as_yaml([seen(name, f"10.0.0.{at}") for at, name in enumerate(names)])
    (tmp_path / "c.yaml").write_text(text.replace(PLACE, "p"), "utf-8")
    cameras = load_config(tmp_path / "c.yaml", tmp_path).cameras
    assert len({camera.id for camera in cameras}) == len(names)
    assert cameras[7].name == 'a"b: #\\c'
    assert cameras[3].name == "漢字"
    assert "hunter2" not in text


def test_a_host_that_is_ipv6(tmp_path: Path) -> None:
    text = as_yaml([seen("door", "[fd00::1]", "rtsp://[fd00::1]:554/a")])
    (tmp_path / "c.yaml").write_text(text.replace(PLACE, "p"), "utf-8")
    assert '"http://u:PASSWORD@[fd00::1]/onvif/device_service"' in text
    assert load_config(tmp_path / "c.yaml", tmp_path).cameras[0].id == "door"


def test_text_tells_what_is_wrong() -> None:
    jpeg = CameraDescription(profiles=(Profile("j", codec="jpeg", stream_uri="rtsp://h/j"),), clock_offset_s=7)
    error = LivecamError(ErrorKind.MEDIA, "it smokes", "switch it off")
    text = as_text(
        [seen("Door"), seen("Attic", description=jpeg), seen("Cellar", description=None, error=error)],
        asked_as="u",
    )
    assert "Door, 10.0.0.1, ACME Eye\n" in text
    assert "its clock is wrong by -2.0 h" in text
    assert "its clock is wrong by +7 s" in text
    assert "none of its streams is H.264 or H.265" in text
    assert "  it smokes\n  switch it off" in text
    assert text.count("kind: rtsp") == 1
    assert "hunter2" not in text


def test_json_has_no_password() -> None:
    text = as_json([seen("Door", uri="rtsp://10.0.0.1/a?user=x&password=hunter2"), seen("b", description=None)])
    assert "hunter2" not in text
    assert [camera["name"] for camera in json.loads(text)["cameras"]] == ["Door", "b"]
