"""Notices that a copied stream changed its size or profile in mid-stream, by its sequence parameter sets.

A camera that is reconfigured sends other parameter sets with its next keyframe, while the init segment still
describes the old ones; a file that held both could not be played. H.264: ITU-T H.264 7.3.2.1, NAL type 7;
H.265: ITU-T H.265 7.3.2.2, NAL type 33. Samples hold NAL units with 4-byte lengths (ISO/IEC 14496-15).
"""

from livecam_nvr.domain.media import Fragment

_LOOK_AT_BYTES = 4096  # parameter sets stand before the picture


class FormatWatch:
    """Looks at the keyframes of one run. The first in-band parameter set seen is the run's own."""

    def __init__(self) -> None:
        self._sps: bytes | None = None

    def changed(self, fragment: Fragment) -> bool:
        """True if this keyframe belongs to another format than the run's first one."""
        if not fragment.keyframe:
            return False
        sps = find_sps(fragment)
        if sps is None:
            return False
        if self._sps is None:
            self._sps = sps
        return sps != self._sps


def find_sps(fragment: Fragment) -> bytes | None:
    """The sequence parameter set in front of a keyframe's picture, or None if there is none in-band."""
    hevc = fragment.init.video.codec.startswith(("hvc1", "hev1"))
    sps_type, pictures = (33, range(32)) if hevc else (7, range(1, 6))
    data = fragment.data
    at = data.find(b"mdat") + 4
    end = min(len(data), at + _LOOK_AT_BYTES)
    while at + 5 < end:
        size = int.from_bytes(data[at : at + 4], "big")
        kind = (data[at + 4] >> 1) & 0x3F if hevc else data[at + 4] & 0x1F
        if kind == sps_type:
            return data[at + 4 : at + 4 + size]
        if kind in pictures:
            return None
        at += 4 + size
    return None
