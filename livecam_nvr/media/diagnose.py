"""Turns what ffmpeg said last into a reason in words and a hint. Pure."""

import re
from collections.abc import Sequence

from livecam_nvr.domain.errors import ErrorKind, LivecamError

# The first pattern that fits any of the last lines counts. UNAVAILABLE: the camera is away (OFFLINE);
# MEDIA: it is there, but what it sends, or what we do with it, fails (ERROR).
_REASONS: tuple[tuple[str, ErrorKind, str, str], ...] = (
    (
        r"401 Unauthorized|authorization failed|403 Forbidden",
        ErrorKind.UNAVAILABLE,
        "{what} refuses user or password",
        "check user and password in the camera's url; percent-encode special characters",
    ),
    (
        r"method \w+ failed: (?:453|503)",
        ErrorKind.UNAVAILABLE,
        "{what} has no room for one more viewer",
        "end other programs that watch it, or use the address of its smaller stream; else restart it",
    ),
    (
        r"method SETUP failed: 461|Nonmatching transport",
        ErrorKind.UNAVAILABLE,
        "{what} does not send its stream by this transport",
        "set `transport` of the camera to the other one of tcp and udp",
    ),
    (
        r"method (\w+ failed: 5.*)|Server returned (5\w\w \w.*)",
        ErrorKind.UNAVAILABLE,
        "{what} reports a failure of its own ({said})",
        "restart the camera if this stays",
    ),
    (
        r"404 (?:Stream )?Not Found",
        ErrorKind.UNAVAILABLE,
        "{what} does not know this stream address",
        "check the path in the camera's url against the camera's manual",
    ),
    (
        r"method (\w+ failed: 4.*)|Server returned (4\w\w \w.*)",
        ErrorKind.UNAVAILABLE,
        "{what} refuses the request ({said})",
        "check the path in the camera's url against the camera's manual; restart the camera if it is right",
    ),
    (
        r"Failed to resolve hostname|Name or service not known|Temporary failure in name resolution",
        ErrorKind.UNAVAILABLE,
        "the host name of {what} is not known",
        "check the host name, or use the camera's IP address",
    ),
    (
        r"Connection refused",
        ErrorKind.UNAVAILABLE,
        "nothing answers at the port of {what} (connection refused)",
        "check the port in the url and that RTSP is enabled in the camera",
    ),
    (
        r"No route to host|Network is unreachable|Host is unreachable",
        ErrorKind.UNAVAILABLE,
        "{what} cannot be reached",
        "check the camera's power and network",
    ),
    (
        r"Connection timed out|Operation timed out",
        ErrorKind.UNAVAILABLE,
        "{what} does not answer (timed out)",
        "check the camera's power, network and address",
    ),
    (
        r"Device or resource busy",
        ErrorKind.UNAVAILABLE,
        "another program is using {what}",
        "end that program, or give it this service's RTSP address instead",
    ),
    (
        r"No such file or directory|No such device|Cannot open video device",
        ErrorKind.UNAVAILABLE,
        "{what} is not there",
        "check the path, and that the camera is plugged in",
    ),
    (
        r"Permission denied|Operation not permitted",
        ErrorKind.UNAVAILABLE,
        "{what} may not be opened (permission denied)",
        "for a USB camera: add the service's user to the group video; for a file: make it readable",
    ),
    (
        r"Could not find tag for codec|codec not currently supported in container|incompatible with output codec",
        ErrorKind.MEDIA,
        "the codec of {what} cannot be recorded without re-encoding",
        "set the camera to H.264 or H.265",
    ),
    (
        r"matches no streams|does not contain any stream",
        ErrorKind.MEDIA,
        "{what} sends no video",
        "check the stream address; it may be of the sound alone",
    ),
    (
        # What ffmpeg says of a camera that is silent, hangs up, or speaks something else.
        # Up to ffmpeg 6 the address itself begins the line.
        r"^rtsps?://.*: (?:Invalid data|End of file|Input/output error)|Failed reading RTSP data: End of file",
        ErrorKind.UNAVAILABLE,
        "{what} does not answer as an RTSP camera does",
        "check address and port; if they are right, restart the camera, and see that no others use up its streams",
    ),
    (
        r"Invalid data found when processing input|moov atom not found|End of file",
        ErrorKind.MEDIA,
        "{what} sends data that is no video",
        "check that the address or file is a video that ffmpeg can play",
    ),
    (
        # ffmpeg looks for twelve seconds, or until the camera hangs up.
        r"Could not write header.*incorrect codec parameters",
        ErrorKind.UNAVAILABLE,
        "{what} sends no picture that can be decoded",
        "check that it sends H.264 or H.265 with a keyframe at least every 10 s; if its transport is udp, try tcp",
    ),
    (
        r"Unknown encoder|No such filter",
        ErrorKind.MEDIA,
        "this ffmpeg lacks an encoder or filter that is needed",
        "install the distribution's ffmpeg; `livecam-nvr doctor` says what is missing",
    ),
    (
        r"Not enough bandwidth|No space left on device",
        ErrorKind.MEDIA,
        "the USB bus or the disk has no room left",
        "use another USB port, a smaller size or fewer frames",
    ),
)
# The media server's leg fails and recovers by itself: its lines say nothing about the camera.
_OTHER_LEG = re.compile(r"\[(?:fifo|rtsp|mpegts|udp) @|\[tcp @.*127\.0\.0\.1|tee @|frame=|^\w+=")
_LONGEST = 300
# Only a viewer asks for these; a media server that refuses our stream refuses ANNOUNCE or RECORD.
_ASKED = re.compile(r"\[rtsp @.*method (?:DESCRIBE|SETUP|PLAY) failed|Nonmatching transport")


def diagnose(lines: Sequence[str], returncode: int, what: str = "the camera") -> LivecamError:
    """Why a camera's ffmpeg ended, from its last lines (redacted) and its exit status; `what` names the source."""
    if returncode < 0:  # whoever sent it; what ffmpeg said before is another story
        return LivecamError(ErrorKind.MEDIA, f"ffmpeg was ended by signal {-returncode}", "it is restarted")
    own = [line for line in lines if _ASKED.search(line) or not _OTHER_LEG.search(line)]
    # An address that cannot be opened is named by ffmpeg itself at the end of all: `URL: Connection refused`.
    last = [line for line in lines[-1:] if not line.startswith("[")]
    for pattern, kind, message, hint in _REASONS:
        for line in (*own[-20:], *last):
            if found := re.search(pattern, line, re.IGNORECASE):
                said = next((group for group in found.groups() if group), "")
                return LivecamError(kind, message.format(what=what, said=said)[:_LONGEST], hint)
    said = next((line for line in reversed(own) if line.strip()), "")
    if returncode == 0:
        return LivecamError(ErrorKind.UNAVAILABLE, "the stream ended", "it is opened again")
    return LivecamError(
        ErrorKind.MEDIA, f"ffmpeg failed with status {returncode}: {said}"[:_LONGEST], "it is restarted"
    )
