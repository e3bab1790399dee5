"""H.264 as a Matroska stream whose times are whole microseconds, one cluster a frame. Pure.

Matroska (RFC 9559, on EBML: RFC 8794) and not picamera2's own muxing through PyAV, because that opens a second
encoder for the header, whose parameter sets are not the stream's; not MPEG-TS, because a reader of that has a
frame only when the next one begins; not NUT through ffmpeg, because its clock is rounded to the frame rate.
"""

from __future__ import annotations

_START_CODE = b"\x00\x00\x01"
_SPS, _PPS = 7, 8
# Profiles whose decoder configuration says the chroma format, too: ISO/IEC 14496-15, 5.3.3.1.2.
_HIGH_PROFILES = (100, 110, 122, 144)
_TICK_NS = 1000


def nal_units(annex_b: bytes) -> list[bytes]:
    """The NAL units of a frame with start codes (ITU-T H.264, annex B), without those."""
    found = []
    at = annex_b.find(_START_CODE)
    while at >= 0:
        begin = at + len(_START_CODE)
        at = annex_b.find(_START_CODE, begin)
        # A start code may have a zero more in front, which belongs to no unit.
        unit = annex_b[begin:] if at < 0 else annex_b[begin:at].rstrip(b"\x00")
        if unit:
            found.append(unit)
    return found


def decoder_configuration(units: list[bytes]) -> bytes | None:
    """The `avcC` for a keyframe's parameter sets (ISO/IEC 14496-15, 5.3.3.1); None if it has none."""
    sps = next((unit for unit in units if unit[0] & 31 == _SPS), None)
    pps = next((unit for unit in units if unit[0] & 31 == _PPS), None)
    if sps is None or pps is None:
        return None
    sets = b"\xe1" + len(sps).to_bytes(2, "big") + sps + b"\x01" + len(pps).to_bytes(2, "big") + pps
    # 4:2:0 with 8 bits: what a camera's encoder makes.
    chroma = b"\xfd\xf8\xf8\x00" if sps[1] in _HIGH_PROFILES else b""
    return b"\x01" + sps[1:4] + b"\xff" + sets + chroma


def header(size: tuple[int, int], fps: float, configuration: bytes) -> bytes:
    """What the stream begins with: one track of H.264, of unknown length."""
    ebml = _element(
        "1A45DFA3",
        _number("4286", 1),
        _number("42F7", 1),
        _number("42F2", 4),
        _number("42F3", 8),
        _element("4282", b"matroska"),
        _number("4287", 4),
        _number("4285", 2),
    )
    info = _element(
        "1549A966", _number("2AD7B1", _TICK_NS), _element("4D80", b"livecam"), _element("5741", b"livecam")
    )
    track = _element(
        "AE",
        _number("D7", 1),
        _number("73C5", 1),
        _number("83", 1),
        _number("9C", 0),
        _number("23E383", round(1e9 / fps)),
        _element("86", b"V_MPEG4/ISO/AVC"),
        _element("63A2", configuration),
        _element("E0", _number("B0", size[0]), _number("BA", size[1])),
    )
    segment = bytes.fromhex("18538067") + b"\x01" + b"\xff" * 7
    return ebml + segment + info + _element("1654AE6B", track)


def cluster(time_us: int, units: list[bytes], *, keyframe: bool) -> bytes:
    """One frame."""
    frame = b"".join(part for unit in units for part in (len(unit).to_bytes(4, "big"), unit))
    block = _element("A3", b"\x81\x00\x00" + (b"\x80" if keyframe else b"\x00"), frame)
    return _element("1F43B675", _element("E7", time_us.to_bytes(8, "big")), block)


def _element(identifier: str, *content: bytes) -> bytes:
    length = sum(map(len, content))
    return bytes.fromhex(identifier) + (length | 1 << 56).to_bytes(8, "big") + b"".join(content)


def _number(identifier: str, value: int) -> bytes:
    return _element(identifier, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))
