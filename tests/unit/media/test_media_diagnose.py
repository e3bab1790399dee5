import pytest

from livecam_nvr.domain.errors import ErrorKind
from livecam_nvr.media.diagnose import diagnose

UNAVAILABLE, MEDIA = ErrorKind.UNAVAILABLE, ErrorKind.MEDIA
FOUR = "4XX Client Error, but not one of 40{0,1,3,4}"
FIVE = "5XX Server Error reply"
# What the other leg says while no media server is there; it is none of the camera's business.
NO_SERVER = [
    "[tcp @ 0x5581] Connection to tcp://127.0.0.1:8554?timeout=0 failed: Connection refused",
    "[fifo @ 0x5582] Error opening rtsp://live:***@127.0.0.1:8554/cam0: Connection refused",
]


@pytest.mark.parametrize(
    ("lines", "kind", "said"),
    [
        (
            ["[rtsp @ 0x1] method DESCRIBE failed: 401 Unauthorized",
             "rtsp://me:***@cam/x: Server returned 401 Unauthorized (authorization failed)"],
            UNAVAILABLE,
            "the yard refuses user or password",
        ),
        (["rtsp://cam/x: Server returned 404 Not Found"], UNAVAILABLE, "the yard does not know this stream"),
        (["rtsp://cam/x?a=b: Server returned 400 Bad Request"], UNAVAILABLE,
         "the yard refuses the request (400 Bad Request)"),
        (
            ["[rtsp @ 0x1] Could not find codec parameters for stream 0 (Video: h264, none): unspecified size",
             "[tee @ 0x1] dimensions not set",
             "Could not write header for output file #0 (incorrect codec parameters ?): Invalid argument",
             "Error initializing output stream 0:0 -- ", ""],
            UNAVAILABLE,
            "the yard sends no picture that can be decoded",
        ),
        (
            ["[mp4 @ 0x1] Could not find tag for codec vp8 in stream #0, codec not currently supported",
             "Could not write header for output file #0 (incorrect codec parameters ?): Invalid argument"],
            MEDIA,
            "the codec of the yard cannot be recorded",
        ),
        (["[rtsp @ 0x1] method ANNOUNCE failed: 453 Not Enough Bandwidth", "something new"], MEDIA,
         "ffmpeg failed with status 1: something new"),
        (["rtsp://cam/x?a=b: what?"], MEDIA, "ffmpeg failed with status 1: rtsp://cam/x?a=b: what?"),
        (["something new", "", "frame=1"], MEDIA, "ffmpeg failed with status 1: something new"),
        (
            ["[tcp @ 0x1] Failed to resolve hostname nowhere: Name or service not known",
             "rtsp://nowhere/x: Input/output error"],
            UNAVAILABLE,
            "the host name of the yard is not known",
        ),
        (
            ["[tcp @ 0x1] Connection attempt to 10.0.0.5 port 554 failed: No route to host", "it: I/O error"],
            UNAVAILABLE,
            "the yard cannot be reached",
        ),
        (["rtsp://cam/x?a=b: Connection refused"], UNAVAILABLE, "nothing answers at the port of the yard"),
        (
            ["rtsp://cam/x: Invalid data found when processing input"],
            UNAVAILABLE,
            "the yard does not answer as an RTSP camera does",
        ),
        (["rtsp://cam/x: No route to host"], UNAVAILABLE, "the yard cannot be reached"),
        (["rtsp://cam/x: Connection timed out"], UNAVAILABLE, "the yard does not answer"),
        (["/dev/video0: Device or resource busy"], UNAVAILABLE, "another program is using the yard"),
        (["/dev/video9: No such file or directory"], UNAVAILABLE, "the yard is not there"),
        (["/dev/video0: Permission denied"], UNAVAILABLE, "the yard may not be opened"),
        (["Stream map '0:v' matches no streams."], MEDIA, "the yard sends no video"),
        (["file:/x: Invalid data found when processing input"], MEDIA, "the yard sends data that is no video"),
        (["Unknown encoder 'libx264'"], MEDIA, "this ffmpeg lacks an encoder"),
        (["something new"], MEDIA, "ffmpeg failed with status 1: something new"),
        ([*NO_SERVER, "something new"], MEDIA, "ffmpeg failed with status 1: something new"),
        (NO_SERVER, MEDIA, "ffmpeg failed with status 1: "),
        ([], MEDIA, "ffmpeg failed with status 1: "),
        (["x" * 5000], MEDIA, "ffmpeg failed with status 1: xxx"),
    ],
)  # fmt: skip
def test_table(lines: list[str], kind: ErrorKind, said: str) -> None:
    error = diagnose(lines, 1, "the yard")
    assert error.message.startswith(said)
    assert error.kind is kind
    assert error.hint
    assert len(error.message) <= 300


@pytest.mark.parametrize("lines", [[], NO_SERVER, ["rtsp://cam/x: Connection refused"]])
def test_a_signal_is_the_reason_whatever_was_said_before(lines: list[str]) -> None:
    error = diagnose(lines, -9)
    assert (error.kind, error.message) == (MEDIA, "ffmpeg was ended by signal 9")


def test_an_end_without_a_reason_is_the_end_of_the_stream() -> None:
    assert diagnose(NO_SERVER, 0).message == "the stream ended"
    assert diagnose([], 0).kind is UNAVAILABLE


@pytest.mark.parametrize(
    ("method", "answer", "summary", "said"),
    [
        ("DESCRIBE", "403 Forbidden", "403 Forbidden (access denied)", "refuses user or password"),
        ("DESCRIBE", "404 Stream Not Found", "404 Not Found", "does not know this stream"),
        ("DESCRIBE", "453 Not Enough Bandwidth", FOUR, "has no room for one more viewer"),
        ("PLAY", "503 Service Unavailable", FIVE, "has no room for one more viewer"),
        ("SETUP", "461 Unsupported Transport", FOUR, "does not send its stream by this transport"),
        ("DESCRIBE", "500 Boom", FIVE, "reports a failure of its own (DESCRIBE failed: 500 Boom)"),
        ("PLAY", "454 Session Not Found", FOUR, "refuses the request (PLAY failed: 454 Session Not Found)"),
    ],
)
def test_a_camera_that_answers_with_an_error(method: str, answer: str, summary: str, said: str) -> None:
    lines = [f"[rtsp @ 0x1] method {method} failed: {answer}", f"rtsp://cam/x?a=b: Server returned {summary}"]
    error = diagnose(lines, 1, "the yard")
    assert error.message.startswith(f"the yard {said}")
    assert error.kind is UNAVAILABLE
