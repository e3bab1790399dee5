"""RTP and RTCP as cameras send them: RFC 3550, 6184 (H.264), 7798 (H.265), 3640 (AAC), 7587 (Opus)."""

import base64
import struct
from collections.abc import Iterator, Sequence

MTU = 1400
VIDEO_TYPE, SOUND_TYPE = 96, 97
_NTP_EPOCH = 2_208_988_800
_HEADER = struct.Struct(">BBHII")


class Sender:
    """One RTP stream: numbers its packets and counts them for its reports."""

    def __init__(self, payload_type: int, ssrc: int, first_sequence: int = 65_500) -> None:
        self._type = payload_type
        self._ssrc = ssrc
        self._sequence = first_sequence
        self._packets = self._bytes = 0

    def packets(self, payloads: Sequence[bytes], stamp: int) -> Iterator[bytes]:
        """One frame's packets; the last has the marker."""
        for number, payload in enumerate(payloads, 1):
            marker = 0x80 if number == len(payloads) else 0
            yield (
                _HEADER.pack(0x80, marker | self._type, self._sequence, stamp & 0xFFFFFFFF, self._ssrc) + payload
            )
            self._sequence = (self._sequence + 1) & 0xFFFF
            self._packets += 1
            self._bytes += len(payload)

    def report(self, stamp: int, utc_s: float) -> bytes:
        """A sender report (with the obligatory description): what has this stamp was taken at this time."""
        ntp = round((utc_s + _NTP_EPOCH) * (1 << 32)) & 0xFFFF_FFFF_FFFF_FFFF
        sr = struct.pack(
            ">BBHIQIII", 0x80, 200, 6, self._ssrc, ntp, stamp & 0xFFFFFFFF, self._packets, self._bytes
        )
        return sr + struct.pack(">BBHI", 0x81, 202, 3, self._ssrc) + b"\1\6camera\0\0"[:8]


def payloads(codec: str, nals: Sequence[bytes]) -> list[bytes]:
    """An access unit's payloads: one a NAL unit, those that are too long in fragments."""
    return [part for nal in nals for part in (_fu_h265 if codec == "h265" else _fu_h264)(nal)]


def _fu_h264(nal: bytes) -> Iterator[bytes]:
    if len(nal) <= MTU:
        yield nal
        return
    for at in range(1, len(nal), MTU - 2):
        begin, end = 0x80 * (at == 1), 0x40 * (at + MTU - 2 >= len(nal))
        yield bytes((nal[0] & 0xE0 | 28, begin | end | nal[0] & 0x1F)) + nal[at : at + MTU - 2]


def _fu_h265(nal: bytes) -> Iterator[bytes]:
    if len(nal) <= MTU:
        yield nal
        return
    for at in range(2, len(nal), MTU - 3):
        begin, end = 0x80 * (at == 2), 0x40 * (at + MTU - 3 >= len(nal))
        kind = (nal[0] >> 1) & 0x3F
        head = bytes((nal[0] & 0x81 | 49 << 1, nal[1], begin | end | kind))
        yield head + nal[at : at + MTU - 3]


def video_sdp(codec: str, sets: Sequence[bytes]) -> list[str]:
    """The media description of a video stream; `sets` may be empty."""
    coded = [base64.b64encode(nal).decode() for nal in sets]
    if codec == "h265":
        names = ("sprop-vps", "sprop-sps", "sprop-pps")
        fmtp = ";".join(f"{name}={value}" for name, value in zip(names, coded, strict=False))
    else:
        fmtp = ";".join(["packetization-mode=1", *(["sprop-parameter-sets=" + ",".join(coded)] if coded else [])])
    return [
        f"m=video 0 RTP/AVP {VIDEO_TYPE}",
        f"a=rtpmap:{VIDEO_TYPE} {'H265' if codec == 'h265' else 'H264'}/90000",
        *([f"a=fmtp:{VIDEO_TYPE} {fmtp}"] if fmtp else []),
    ]
