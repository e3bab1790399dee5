"""What sound adds to the command lines, and what each leg gets of it."""

import pytest
from fakes.runtime_clock import FakeClock

from livecam_nvr.config import models
from livecam_nvr.core.ports import PublishTarget
from livecam_nvr.domain.media import Fragment, InitSegment, Track
from livecam_nvr.media.capture_clock import CaptureClock
from livecam_nvr.media.ffmpeg import command
from livecam_nvr.media.figures import StreamFigures
from livecam_nvr.media.sound import Audio, beeps
from livecam_nvr.media.sources import Source, source
from livecam_nvr.media.timestamps import Timeline

PIPE = (
    r"[select=\'v,a:0\':f=mp4:movflags=+empty_moov+default_base_moof+frag_discont:frag_duration=1:use_editlist=0"
    ":avoid_negative_ts=disabled:max_interleave_delta=500000:flush_packets=1]pipe:1"
)
FILTER = (
    r"aselect=expr=not(between(prev_selected_t+samples_n/sample_rate/2-t\,0\,10))"
    ",aformat=sample_rates=48000:channel_layouts=mono|stereo"
)
RTSP = PublishTarget("rtsp", "rtsp://127.0.0.1:8554/cam0", (("rtsp_transport", "tcp"),))
MPEGTS = PublishTarget("mpegts", "udp://127.0.0.1:5000?pkt_size=1316")


def options(audio: Audio, target: PublishTarget | None = None) -> tuple[dict[str, str], list[str], str]:
    """The output options, what is mapped, and the legs."""
    arguments = command(Source(url="rtsp://camera/", audio=audio), target)
    output = arguments[len(arguments) - arguments[::-1].index("-i") + 1 :]
    pairs = list(zip(output[:-1:2], output[1:-1:2], strict=True))
    return {k: v for k, v in pairs if k != "-map"}, [v for k, v in pairs if k == "-map"], output[-1]


@pytest.mark.parametrize("target", [None, MPEGTS], ids=["alone", "gstreamer"])
@pytest.mark.parametrize(
    ("codec", "encoder"), [("aac", "copy"), ("pcm_mulaw", "aac"), ("opus", "aac"), ("", "aac")]
)
def test_recordings_pages_and_mpegts_get_aac(codec: str, encoder: str, target: PublishTarget | None) -> None:
    given, mapped, legs = options(Audio(codec), target)
    assert mapped == ["0:v", "0:a:0"]
    assert given["-c:a:0"] == encoder
    assert given.get("-filter:a:0") == (None if encoder == "copy" else FILTER)
    assert (given["-c:v"], given["-f"], given["-output_ts_offset"]) == ("copy", "tee", "1")
    assert "-c:a:1" not in given
    assert legs.rpartition("|")[2] == PIPE


@pytest.mark.parametrize(
    ("codec", "aac", "opus"),
    [("aac", "copy", "libopus"), ("opus", "aac", "copy"), ("pcm_alaw", "aac", "libopus")],
)
def test_where_webrtc_is_served_opus_is_the_second_track(codec: str, aac: str, opus: str) -> None:
    given, mapped, legs = options(Audio(codec), RTSP)
    assert mapped == ["0:v", "0:a:0", "0:a:0"]
    assert (given["-c:a:0"], given["-c:a:1"]) == (aac, opus)
    live, _, pipe = legs.partition("|")
    assert pipe == PIPE
    # All tracks go there; and pictures do not wait for sound that no longer comes.
    assert "select" not in live
    assert r"queue_size=300\\\:max_interleave_delta=500000" in live


def test_a_microphone_is_an_input_of_its_own_whose_times_are_kept() -> None:
    audio = Audio("pcm_s16le", "hw:1,0", {"f": "alsa", "itsoffset": "-7"}, absolute=True)
    arguments = command(Source(url="pipe:7", options={"itsoffset": "-7"}, audio=audio), None)
    inputs = arguments[arguments.index("-progress") + 2 : arguments.index("-map")]
    assert inputs == ["-itsoffset", "-7", "-i", "pipe:7", "-f", "alsa", "-itsoffset", "-7", "-i", "hw:1,0"]
    assert "1:a:0" in arguments
    assert "-copyts" in arguments[: arguments.index("-i")]


def test_a_test_camera_beeps_at_a_pitch_of_its_own() -> None:
    camera = models.TestCamera(id="cam0", kind="test", sound=True)
    made = source(camera)
    assert made.audio == beeps("cam0")
    assert made.audio != beeps("cam1")
    assert ("enable", "lt(mod(t,1),0.1)") in [argument for _, arguments in made.filters for argument in arguments]
    assert "-copyts" not in command(made, None)


@pytest.mark.parametrize("kind", ["test", "rtsp", "file"])
def test_without_sound_nothing_of_it_is_there(kind: str) -> None:
    more = {"rtsp": {"url": "rtsp://camera/"}, "file": {"path": "/v/a.mp4"}}.get(kind, {})
    camera = models.CAMERA_KINDS[kind].model_validate({"id": "c", "kind": kind, **more})
    arguments = command(source(camera), RTSP)  # type: ignore[arg-type]
    assert not [a for a in arguments if a.startswith(("-c:a", "-b:a", "-filter:a")) or "a:0" in a or "beep" in a]


def fragment(number: int, frames: int, arrived_s: float) -> Fragment:
    init = InitSegment(b"", (Track(1, "video", "avc1.42c00c", 90_000), Track(2, "audio", "mp4a.40.2", 48_000)))
    return Fragment(init, b"x" * 10, number, False, frames, 0, 6000 * frames, (), arrived_s, 0)


def test_sound_alone_is_counted_as_bytes_and_not_as_a_sign_of_life() -> None:
    figures = StreamFigures()
    figures.on_fragment(fragment(0, 1, 10.0))
    figures.on_fragment(fragment(1, 0, 11.0))
    assert (figures.frames, figures.bytes, figures.last_arrived_s) == (1, 20, 10.0)


def test_sound_does_not_tell_when_frames_were_taken() -> None:
    clock = FakeClock()
    capture = CaptureClock(clock)
    capture.stamp(5.0, 0.04)
    capture.stamp(500.0, None)
    capture.stamp(0.0, None)
    assert capture.lag_s == 0
    clock.advance(0.04)
    capture.stamp(5.04, 0.04)
    assert capture.lag_s == pytest.approx(0, abs=1e-6)


def test_sound_that_was_squeezed_stays_where_it_says() -> None:
    line = Timeline(48_000, sound=True)
    time = 0
    for number in range(200):
        lasts = 1 if 100 <= number < 114 else 1024
        assert line.place(time, lasts, number * 1024 / 48_000) == (time, lasts)
        time += lasts
