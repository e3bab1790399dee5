"""The exact command lines: whoever changes one sees here what else that changes."""

from pathlib import Path

import pytest

from livecam_nvr.config import models
from livecam_nvr.config.models import Camera, FileCamera, RtspCamera, V4l2Camera
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
FLAGS = ("-fflags", "+genpts", "-probesize", "1000000", "-rtsp_transport")
COPY = ["-map", "0:v", "-f", "tee", "-c", "copy"]
KEYFRAMES = "expr:gte(t,if(lt(n_forced,8),n_forced/4,n_forced-6))"


def encode(kbps: int, gop: int) -> list[str]:
    rate = f"{kbps}k"
    return [
        *("-f", "tee", "-b:v", rate, "-bufsize", rate, "-c:v", "libx264", "-flags", "+global_header"),
        *("-force_key_frames", KEYFRAMES, "-g", str(gop), "-maxrate", rate, "-pix_fmt", "yuv420p"),
        *("-preset", "ultrafast", "-sc_threshold", "0", "-tune", "zerolatency"),
    ]


def text(line: str, y: int) -> str:
    style = "box=1:boxborderw=3:boxcolor=black@0.6:font=DejaVu Sans Mono:fontcolor=white:fontsize=12"
    return f"drawtext={style}:text={line}:x=6:y={y}"


def burnt_in() -> str:
    clock = r"%{localtime\\:%Y-%m-%d %H\\\\\\:%M\\\\\\:%S.%3N}"
    strip = "drawbox=color=black:h=13:t=fill:w=312:x=0:y=ih-13"
    bits = [
        rf"drawbox=color=white:enable=bitand(n\,{1 << bit}):h=13:t=fill:w=13:x={13 * bit}:y=ih-13"
        for bit in range(24)
    ]
    filters = [text("Yard", 6), text(clock, 30), text("frame %{n}", 54), strip, *bits]
    names = ["0:v", *(f"s{n}" for n in range(len(filters)))]
    return ";".join(f"[{names[n]}]{one}[{names[n + 1]}]" for n, one in enumerate(filters))


CAMERAS: dict[str, tuple[Camera, str, list[str]]] = {
    "test": (
        models.TestCamera(id="c", kind="test", name="Yard", size="320x180", fps=15, bitrate_kbps=300),
        "h264",
        [
            *("-f", "lavfi", "-re", "-i", "testsrc2=size=320x180:rate=15"),
            *("-filter_complex", burnt_in(), "-map", "[s27]", *encode(300, 30)),
        ],
    ),
    "rtsp": (
        RtspCamera(id="c", kind="rtsp", url=URL),
        "h264",
        ["-analyzeduration", "1000000", *FLAGS, "tcp", "-timeout", "5000000", "-i", URL, *COPY],
    ),
    "rtsp over udp": (
        RtspCamera(id="c", kind="rtsp", url=URL, transport="udp", stall_seconds=2.5),
        "h264",
        [
            *("-analyzeduration", "1000000", "-buffer_size", "2097152", *FLAGS, "udp"),
            *("-timeout", "2500000", "-i", URL, *COPY),
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
    "v4l2": (
        V4l2Camera(id="c", kind="v4l2", device=Path("/dev/video2"), size="640x480", fps=12.5, bitrate_kbps=900),
        "h264",
        [
            *("-f", "v4l2", "-video_size", "640x480", "-framerate", "12.5", "-i", "/dev/video2", "-map", "0:v"),
            *encode(900, 25),
        ],
    ),
}


@pytest.mark.parametrize("kind", CAMERAS)
@pytest.mark.parametrize(("target", "legs"), LEGS, ids=["alone", "rtsp", "mpegts"])
def test_table(kind: str, target: PublishTarget | None, legs: str) -> None:
    camera, codec, arguments = CAMERAS[kind]
    assert command(source(camera, file_codec=codec), target) == [*HEAD, *arguments, legs]


def test_redacted_it_shows_no_password() -> None:
    shown = redact(" ".join(command(source(CAMERAS["rtsp"][0]), RTSP_TARGET)))
    assert "p%40w" not in shown
    assert ":pw@" not in shown


def test_a_camera_that_sends_one_frame_a_second_gets_keyframes() -> None:
    slow = V4l2Camera(id="c", kind="v4l2", fps=1)
    arguments = command(source(slow), None)
    assert arguments[arguments.index("-g") + 1] == "2"
