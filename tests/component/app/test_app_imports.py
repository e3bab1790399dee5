"""What the cameras have to wait for at a start, and what not."""

import subprocess
import sys

LATER = {
    *("aiohttp", "zeroconf", "paho", "aiomqtt", "onvif"),
    *("livecam_nvr.app.front", "livecam_nvr.app.checks", "livecam_nvr.mqtt.service", "livecam_nvr.web.server"),
}


def test_no_camera_waits_for_the_libraries_of_the_web() -> None:
    code = f"import sys, livecam_nvr.app; print(sorted({LATER!r} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
