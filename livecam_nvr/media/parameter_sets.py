"""Keeps a copied stream's description true to the parameter sets that the camera sends with its keyframes.

A camera that is reconfigured sends other parameter sets with its next keyframe, while the init segment still
describes the old ones; and some describe another picture over RTSP than they send. Players that believe the
description show nothing then. H.264: ITU-T H.264 7.3.2.1, NAL types 7 and 8; H.265: ITU-T H.265 7.3.2, NAL types
32 to 34. Samples hold NAL units with 4-byte lengths, `avcC` and `hvcC` the parameter sets: ISO/IEC 14496-15.
"""

from collections.abc import Iterator, Sequence

from livecam_nvr.domain.media import InitSegment
from livecam_nvr.media.boxes import children, name_hvc1, parse_moov, with_configuration
from livecam_nvr.media.sps import DamagedError, Sps, parse_sps

_HEVC = ("hvc1", "hev1")
_H264 = ("avc1", "avc3")
_H264_SPS, _H264_PPS, _HEVC_SPS = 7, 8, 33
_SETS = {False: (_H264_SPS, _H264_PPS), True: (32, _HEVC_SPS, 34)}
_PICTURES = {False: range(1, 6), True: range(32)}
_MOST_SETS, _LONGEST_SET = 31, 0xFFFF  # what fits into an avcC
# Profiles whose avcC says chroma and bit depth, too (ISO/IEC 14496-15, 5.3.3.1.2).
_WITH_DEPTH = (100, 110, 122, 144)


def restated(init: InitSegment, keyframe: bytes, *, first: bool) -> InitSegment | None:
    """What `init` has to be for a stream that goes on with the keyframe in this fragment's bytes.

    None if `init` describes it well enough, or if the keyframe brings no (sound) parameter sets of its own.

    Args:
        init: What describes the stream now.
        keyframe: The bytes of a fragment.
        first: Whether it is the run's first one. Later, the picture parameter sets alone are no reason: some
            encoders change those from keyframe to keyframe, and every player follows.
    """
    video = init.video
    hevc = video.codec.startswith(_HEVC)
    if not hevc and not video.codec.startswith(_H264):
        return None
    found = list(dict.fromkeys(_in_band(keyframe, hevc=hevc)))
    sets = [[nal for nal in found if _kind(nal, hevc=hevc) == kind] for kind in _SETS[hevc]]
    if not all(0 < len(nals) <= _MOST_SETS and max(map(len, nals)) <= _LONGEST_SET for nals in sets):
        return None
    try:
        sps = parse_sps(sets[-2][0], hevc=hevc)
    except DamagedError:
        return None
    # In the description, every parameter set stands whole and unescaped.
    telling = found if first else sets[-2]
    if (sps.width, sps.height) == (video.width, video.height) and all(nal in init.data for nal in telling):
        return None
    begin, end = next((at - 8, end) for kind, at, end in children(init.data, 0, len(init.data)) if kind == b"moov")
    box, content = (b"hvcC", _hvcc(sps, sets)) if hevc else (b"avcC", _avcc(sps, sets))
    moov = with_configuration(init.data[begin:end], video.track_id, (sps.width, sps.height), box, content)
    if hevc:
        moov = name_hvc1(moov)
    return InitSegment(init.data[:begin] + moov + init.data[end:], parse_moov(moov, 8, len(moov)))


def _in_band(data: bytes, *, hevc: bool) -> Iterator[bytes]:
    """The parameter sets in front of the picture in a fragment's bytes (`moof` and `mdat`)."""
    at = int.from_bytes(data[:4], "big") + 8
    while at + 5 < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kind = _kind(data[at + 4 : at + 5], hevc=hevc)
        if size and kind in _SETS[hevc]:
            yield data[at + 4 : at + 4 + size].rstrip(b"\0")
        elif kind in _PICTURES[hevc]:
            return
        at += 4 + size


def _kind(nal: bytes, *, hevc: bool) -> int:
    return (nal[0] >> 1) & 0x3F if hevc else nal[0] & 0x1F


def _avcc(sps: Sps, sets: Sequence[Sequence[bytes]]) -> bytes:
    """AVCDecoderConfigurationRecord, ISO/IEC 14496-15, 5.3.3.1.2."""
    (all_sps, all_pps) = sets
    record = b"\x01" + sps.profile + b"\xff" + _counted(0xE0 | len(all_sps), all_sps)
    record += _counted(len(all_pps), all_pps)
    if sps.profile[0] in _WITH_DEPTH:
        record += bytes((0xFC | sps.chroma, 0xF8 | (sps.luma_bits - 8), 0xF8 | (sps.chroma_bits - 8), 0))
    return record


def _hvcc(sps: Sps, sets: Sequence[Sequence[bytes]]) -> bytes:
    """HEVCDecoderConfigurationRecord, ISO/IEC 14496-15, 8.3.3.1.2; all arrays complete."""
    depth = bytes((0xFC | sps.chroma, 0xF8 | (sps.luma_bits - 8), 0xF8 | (sps.chroma_bits - 8)))
    layers = bytes((0, 0, sps.layers << 3 | sps.nested << 2 | 3))
    record = b"\x01" + sps.profile + b"\xf0\0\xfc" + depth + layers + bytes((len(sets),))
    for kind, nals in zip(_SETS[True], sets, strict=True):
        record += bytes((0x80 | kind, 0)) + _counted(len(nals), nals)
    return record


def _counted(number: int, nals: Sequence[bytes]) -> bytes:
    return bytes((number,)) + b"".join(len(nal).to_bytes(2, "big") + nal for nal in nals)
