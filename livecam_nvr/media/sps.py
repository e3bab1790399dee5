"""Reads sequence parameter sets: the size of the pictures, and what an MP4 repeats of them. Pure.

H.264: ITU-T H.264 7.3.2.1.1 and E.1; H.265: ITU-T H.265 7.3.2.2 and 7.3.3.
"""

from dataclasses import dataclass

# More comes from damaged bytes: pixels of a side, bits of a sample, kinds of chroma.
_MOST_PIXELS, _MOST_BITS, _MOST_CHROMA = 16_384, 16, 3
# Profiles whose parameter sets tell of chroma and bit depth (H.264 7.3.2.1.1).
_HIGH = frozenset((44, 83, 86, 100, 110, 118, 122, 128, 134, 138, 139, 244))


class DamagedError(ValueError):
    """The bytes are no parameter set."""


@dataclass(frozen=True, slots=True)
class Sps:
    """What a sequence parameter set says."""

    width: int
    height: int
    chroma: int
    """chroma_format_idc."""
    luma_bits: int
    chroma_bits: int
    profile: bytes
    """H.264: profile, compatibility, level (3 bytes). H.265: profile_tier_level's 12 bytes."""
    layers: int = 1
    """H.265: temporal layers."""
    nested: bool = False
    """H.265: sps_temporal_id_nesting_flag."""


def parse_sps(nal: bytes, *, hevc: bool) -> Sps:
    """What a sequence parameter set NAL unit says.

    Raises:
        DamagedError: It is none, or says what cannot be.
    """
    bits = _Bits(nal[2 if hevc else 1 :])
    try:
        sps = _hevc(bits) if hevc else _h264(bits)
    except IndexError:
        raise DamagedError("it ends too soon") from None
    if not (0 < sps.width <= _MOST_PIXELS and 0 < sps.height <= _MOST_PIXELS):
        raise DamagedError(f"{sps.width}x{sps.height} pixels")
    if sps.chroma > _MOST_CHROMA or max(sps.luma_bits, sps.chroma_bits) > _MOST_BITS:
        raise DamagedError(f"chroma {sps.chroma}, {sps.luma_bits} and {sps.chroma_bits} bits")
    return sps


class _Bits:
    """Bits of a NAL unit's payload, without the bytes that keep start codes out of it."""

    def __init__(self, escaped: bytes) -> None:
        self._data = escaped.replace(b"\0\0\3", b"\0\0")
        self._at = 0

    def take(self, number: int) -> int:
        """The next bits as a number. Raises IndexError at the end."""
        end = self._at + number
        if end > 8 * len(self._data):
            raise IndexError
        first, last = self._at // 8, (end + 7) // 8
        value = int.from_bytes(self._data[first:last], "big") >> (8 * last - end)
        self._at = end
        return value & ((1 << number) - 1)

    def golomb(self) -> int:
        """ue(v): an Exp-Golomb code."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """se(v)."""
        value = self.golomb()
        return (value + 1) // 2 if value & 1 else -(value // 2)


def _h264(bits: _Bits) -> Sps:
    profile = bytes(bits.take(8) for _ in range(3))
    bits.golomb()  # its own id
    chroma, luma_bits, chroma_bits, separate = 1, 8, 8, False
    if profile[0] in _HIGH:
        chroma = bits.golomb()
        separate = chroma == 3 and bool(bits.take(1))  # noqa: PLR2004 - 4:4:4
        luma_bits, chroma_bits = 8 + bits.golomb(), 8 + bits.golomb()
        bits.take(1)
        if bits.take(1):
            _skip_scaling_lists(bits, 12 if chroma == 3 else 8)  # noqa: PLR2004
    bits.golomb()
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(bits.golomb()):
            bits.signed()
    bits.golomb()
    bits.take(1)
    width = 16 * (bits.golomb() + 1)
    rows = bits.golomb() + 1
    frames_only = bits.take(1)
    height = 16 * rows * (2 - frames_only)
    if not frames_only:
        bits.take(1)
    bits.take(1)
    if bits.take(1):
        across, down = _chroma_steps(0 if separate else chroma)
        width -= across * (bits.golomb() + bits.golomb())
        height -= down * (2 - frames_only) * (bits.golomb() + bits.golomb())
    return Sps(width, height, chroma, luma_bits, chroma_bits, profile)


def _skip_scaling_lists(bits: _Bits, number: int) -> None:
    for index in range(number):
        if bits.take(1):
            last = following = 8
            for _ in range(16 if index < 6 else 64):  # noqa: PLR2004 - the first six are 4x4
                if following:
                    following = (last + bits.signed()) % 256
                last = following or last


def _hevc(bits: _Bits) -> Sps:
    bits.take(4)
    more_layers = bits.take(3)
    nested = bool(bits.take(1))
    profile = bytes(bits.take(8) for _ in range(12))
    if more_layers:
        present = [(bits.take(1), bits.take(1)) for _ in range(more_layers)]
        bits.take(2 * (8 - more_layers))
        for has_profile, has_level in present:
            bits.take(88 * has_profile + 8 * has_level)
    bits.golomb()
    chroma = bits.golomb()
    separate = chroma == 3 and bool(bits.take(1))  # noqa: PLR2004 - 4:4:4
    width, height = bits.golomb(), bits.golomb()
    if bits.take(1):
        across, down = _chroma_steps(0 if separate else chroma)
        width -= across * (bits.golomb() + bits.golomb())
        height -= down * (bits.golomb() + bits.golomb())
    luma_bits, chroma_bits = 8 + bits.golomb(), 8 + bits.golomb()
    return Sps(width, height, chroma, luma_bits, chroma_bits, profile, more_layers + 1, nested)


def _chroma_steps(chroma: int) -> tuple[int, int]:
    """Luma samples to a chroma sample, across and down: the unit in which pictures are cropped."""
    return {1: (2, 2), 2: (2, 1)}.get(chroma, (1, 1))
