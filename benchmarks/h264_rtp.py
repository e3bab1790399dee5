"""H.264 as RTP packets, made once and sent many times: splits a byte stream into pictures, and those into packets.

Pure. Byte stream: ITU-T H.264 annex B. Packets: RFC 6184 (single NAL units and FU-A), in RTSP's interleaved
framing (RFC 2326, section 10.12).
"""

import base64
import re
import struct
from dataclasses import dataclass

CLOCK_HZ = 90_000
_PAYLOAD_TYPE = 96
_MOST_BYTES = 1400
_SPS, _PPS, _AUD = 7, 8, 9
_FU_A = 28
_START_CODE = re.compile(b"\x00\x00\x00?\x01")
_HEAD = struct.Struct(">cBHBBHII")
_PATCH = struct.Struct(">HI")
_PATCH_AT = 6  # behind the interleaved framing's four bytes and RTP's first two


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture's packets, one after the other, and where each of them begins."""

    data: bytes
    packets: tuple[int, ...]

    def stamped(self, first_number: int, time: int) -> bytes:
        """The same packets with sequence numbers from `first_number` on and the RTP time `time`."""
        data = bytearray(self.data)
        for number, at in enumerate(self.packets, first_number):
            _PATCH.pack_into(data, at + _PATCH_AT, number & 0xFFFF, time & 0xFFFFFFFF)
        return bytes(data)


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip that begins with a keyframe, ready to be sent in a loop."""

    pictures: tuple[Picture, ...]
    sps: bytes
    pps: bytes

    def sdp(self, fps: int) -> str:
        """Its description for DESCRIBE (RFC 8866; parameters of RFC 6184, section 8.1)."""
        sets = ",".join(base64.b64encode(unit).decode() for unit in (self.sps, self.pps))
        shape = f"packetization-mode=1; profile-level-id={self.sps[1:4].hex()}; sprop-parameter-sets={sets}"
        lines = (
            "v=0",
            "o=- 0 0 IN IP4 127.0.0.1",
            "s=camera",
            "c=IN IP4 0.0.0.0",
            "t=0 0",
            "a=control:*",
            f"m=video 0 RTP/AVP {_PAYLOAD_TYPE}",
            f"a=rtpmap:{_PAYLOAD_TYPE} H264/{CLOCK_HZ}",
            f"a=fmtp:{_PAYLOAD_TYPE} {shape}",
            f"a=framerate:{fps}",
            "a=control:video",
        )
        return "".join(f"{line}\r\n" for line in lines)


def make_clip(stream: bytes) -> Clip:
    """A byte stream whose pictures each begin with an access unit delimiter, as a clip.

    Raises:
        ValueError: It has no parameter sets.
    """
    pictures: list[list[bytes]] = []
    sets: dict[int, bytes] = {}
    for unit in _START_CODE.split(stream)[1:]:
        kind = unit[0] & 0x1F
        if kind == _AUD:
            pictures.append([])
            continue
        if kind in {_SPS, _PPS}:
            sets.setdefault(kind, unit)
        pictures[-1].append(unit)
    if sets.keys() != {_SPS, _PPS}:
        raise ValueError("the stream has no parameter sets")
    return Clip(tuple(packets(units) for units in pictures), sets[_SPS], sets[_PPS])


def packets(units: list[bytes]) -> Picture:
    """One picture's NAL units as packets; the last one carries the marker."""
    payloads: list[bytes] = []
    for unit in units:
        payloads += [unit] if len(unit) <= _MOST_BYTES else _pieces(unit)
    data = bytearray()
    begins: list[int] = []
    for number, payload in enumerate(payloads):
        begins.append(len(data))
        marker = 0x80 if number == len(payloads) - 1 else 0
        data += _HEAD.pack(b"$", 0, 12 + len(payload), 0x80, marker | _PAYLOAD_TYPE, 0, 0, 0x4C495645) + payload
    return Picture(bytes(data), tuple(begins))


def _pieces(unit: bytes) -> list[bytes]:
    """A NAL unit that is too large for one packet, as FU-A: RFC 6184, section 5.8."""
    indicator, kind = unit[0] & 0xE0 | _FU_A, unit[0] & 0x1F
    step = _MOST_BYTES - 2
    pieces = [unit[at : at + step] for at in range(1, len(unit), step)]
    last = len(pieces) - 1
    return [
        bytes((indicator, (at == 0) << 7 | (at == last) << 6 | kind)) + piece for at, piece in enumerate(pieces)
    ]
