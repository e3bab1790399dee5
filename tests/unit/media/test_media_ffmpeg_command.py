"""The exact command lines: whoever changes one sees here what else that changes."""

from pathlib import Path

import pytest

from livecam_nvr.config import models
from livecam_nvr.config.models import Camera, FileCamera, RtspCamera
from livecam_nvr.core.ports import PublishTarget
from livecam_nvr.domain.redact import redact
from livecam_nvr.media.ffmpeg import command
from livecam_nvr.media.sources import source

HEAD = [
    *("ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "warning", "-nostats"),
    *("-stats_period", "2", "-progress", "pipe:3"),
]
PIPE = "[f=mp4:movflags=+frag_every_frame+empty_moov+default_base_moof:flush_packets=1]pipe:1"
FIFO = (
    r"onfail=ignore:use_fifo=1:fifo_options=attempt_recovery=1\\\:recover_any_error=1\\\:recovery_wait_time=1"
    r"\\\:restart_with_keyframe=1\\\:drop_pkts_on_overflow=1\\\:queue_size=300"
)
RTSP_TARGET = PublishTarget("rtsp", "rtsp://pub:pw@127.0.0.1:8554/cam0", (("rtsp_transport", "tcp"),))
MPEGTS_TARGET = PublishTarget("mpegts", "udp://127.0.0.1:5000?pkt_size=1316")
LEGS: list[tuple[PublishTarget | None, str]] = [
    (None, PIPE),
    (RTSP_TARGET, f"[f=rtsp:{FIFO}:rtsp_transport=tcp]rtsp://pub:pw@127.0.0.1:8554/cam0|{PIPE}"),
    (MPEGTS_TARGET, f"[f=mpegts:{FIFO}]udp://127.0.0.1:5000?pkt_size=1316|{PIPE}"),
]

URL = "rtsp://me:p%40w@10.0.0.5/s?channel=1"
LOOK = ("-allowed_media_types", "video", "-analyzeduration", "12000000")
FLAGS = ("-fflags", "+genpts", "-fpsprobesize", "0", "-probesize", "20000000", "-rtsp_transport")
FIRST = "setts=pts='if(eq(PTS,NOPTS),-DURATION,PTS)':dts='if(eq(PTS,NOPTS),-DURATION,DTS)'"
COPY_RTSP = ["-map", "0:v", "-f", "tee", "-bsf:v", FIRST, "-c", "copy", "-copytb", "1"]
COPY = ["-map", "0:v", "-f", "tee", "-c", "copy", "-copytb", "1"]
KEYFRAMES = (
    "expr:not(eq(floor((t+0.001)*if(lt(n_forced,8),4,1)),floor((prev_forced_t+0.001)*if(lt(n_forced,8),4,1))))"
)


def encode(kbps: int, gop: int) -> list[str]:
    rate = f"{kbps}k"
    return [
        *("-f", "tee", "-b:v", rate, "-bufsize", rate, "-c:v", "libx264", "-enc_time_base:v", "1:90000"),
        *("-flags", "+global_header", "-force_key_frames", KEYFRAMES, "-fps_mode", "vfr"),
        *("-g", str(gop), "-maxrate", rate, "-pix_fmt", "yuv420p"),
        *("-preset", "ultrafast", "-sc_threshold", "0", "-tune", "zerolatency"),
    ]


DRAWN = "what is drawn has tests of its own"


CAMERAS: dict[str, tuple[Camera, str, list[str]]] = {
    "test": (
        models.TestCamera(id="c", kind="test", name="Yard", size="320x180", fps=15, bitrate_kbps=300),
        "h264",
        [
            *("-f", "lavfi", "-re", "-i", "testsrc2=size=320x180:rate=15"),
            *("-filter_complex", DRAWN, "-map", DRAWN, *encode(300, 30)),
        ],
    ),
    "rtsp": (
        RtspCamera(id="c", kind="rtsp", url=URL),
        "h264",
        [*LOOK, *FLAGS, "tcp", "-timeout", "5000000", "-i", URL, *COPY_RTSP],
    ),
    "rtsp over udp": (
        RtspCamera(id="c", kind="rtsp", url=URL, transport="udp", stall_seconds=2.5),
        "h264",
        [
            *(*LOOK, "-buffer_size", "2097152", *FLAGS, "udp"),
            *("-timeout", "2500000", "-i", URL, *COPY_RTSP),
        ],
    ),
    "file that is copied": (
        FileCamera(id="c", kind="file", path=Path("/v/a b's.mp4")),
        "h264",
        ["-fflags", "+genpts", "-re", "-stream_loop", "-1", "-i", "file:/v/a b's.mp4", *COPY, "-tag:v", "avc1"],
    ),
    "file of H.265": (
        FileCamera(id="c", kind="file", path=Path("/v/a.mkv")),
        "hevc",
        ["-fflags", "+genpts", "-re", "-stream_loop", "-1", "-i", "file:/v/a.mkv", *COPY, "-tag:v", "hvc1"],
    ),
    "file that is encoded": (
        FileCamera(id="c", kind="file", path=Path("/v/a.avi")),
        "mpeg4",
        [
            "-fflags",
            "+genpts",
            "-re",
            "-stream_loop",
            "-1",
            "-i",
            "file:/v/a.avi",
            "-map",
            "0:v",
            *encode(2000, 60),
        ],
    ),
}


@pytest.mark.parametrize("kind", CAMERAS)
@pytest.mark.parametrize(("target", "legs"), LEGS, ids=["alone", "rtsp", "mpegts"])
def test_table(kind: str, target: PublishTarget | None, legs: str) -> None:
    camera, codec, arguments = CAMERAS[kind]
    found = command(source(camera, file_codec=codec), target)
    if "-filter_complex" in found:
        at = found.index("-filter_complex")
        found[at + 1] = found[at + 3] = DRAWN
    assert found == [*HEAD, *arguments, legs]


def test_redacted_it_shows_no_password() -> None:
    shown = redact(" ".join(command(source(CAMERAS["rtsp"][0]), RTSP_TARGET)))
    assert "p%40w" not in shown
    assert ":pw@" not in shown


def test_a_camera_that_sends_one_frame_a_second_gets_keyframes() -> None:
    slow = models.TestCamera(id="c", kind="test", fps=1)
    arguments = command(source(slow), None)
    assert arguments[arguments.index("-g") + 1] == "2"
