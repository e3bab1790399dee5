"""The benchmark's cameras, watched by a real ffmpeg: every frame that was sent is there, at its time."""

import subprocess
import time
from pathlib import Path

from support import clips
from support.waiting import PATIENCE_S

from benchmarks.rtsp_sources import sources

FPS = 50


def test_all_frames_sent_arrive_also_where_the_clip_begins_anew(tmp_path: Path) -> None:
    clip = tmp_path / "clip.h264"
    clips.make(clip, seconds=1, fps=FPS, gop=FPS, extra=("-x264-params", "aud=1", "-f", "h264"))
    out = tmp_path / "out.mp4"
    with sources(clip, FPS) as played:
        given = ["-rtsp_transport", "tcp", "-probesize", "32768", "-analyzeduration", "100000"]
        argv = ["ffmpeg", "-v", "error", *given, "-i", played.url("one"), "-c", "copy", "-t", "60"]
        fragments = ["-f", "mp4", "-movflags", "+frag_every_frame+empty_moov", "-flush_packets", "1"]
        with subprocess.Popen([*argv, *fragments, str(out)]) as player:
            end_s = time.monotonic() + PATIENCE_S
            while not (out.exists() and out.read_bytes().count(b"moof") > 2 * FPS):
                assert time.monotonic() < end_s
                assert player.poll() is None
                time.sleep(0.05)
            sent = played.stop()
            assert player.wait(PATIENCE_S) == 0
    assert set(sent) == {"one"}
    assert (sent["one"].connections, sent["one"].most_waiting_bytes) == (1, 0)
    found = clips.probe(out)
    assert found["packets"] == sent["one"].frames > 2 * FPS
    assert abs(float(str(found["format_duration"])) - sent["one"].frames / FPS) < 0.1
