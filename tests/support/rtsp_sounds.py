"""Sound for RTSP cameras: one second of a tone as RTP payloads, in the codecs that cameras send."""

import functools
import struct
from dataclasses import dataclass

from support import clips
from support.rtsp_packets import SOUND_TYPE

_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)


@dataclass(frozen=True)
class Sound:
    """A tone that is repeated without a break."""

    payloads: tuple[bytes, ...]
    ticks: int
    """RTP ticks that each payload lasts."""
    clock: int
    """RTP ticks a second."""
    payload_type: int
    rtpmap: str
    fmtp: str = ""

    def sdp(self) -> list[str]:
        """Its media description."""
        lines = [
            f"m=audio 0 RTP/AVP {self.payload_type}",
            f"a=rtpmap:{self.payload_type} {self.rtpmap}",
        ]
        return [*lines, f"a=fmtp:{self.payload_type} {self.fmtp}"] if self.fmtp else lines


@functools.cache
def sound(codec: str) -> Sound:
    """`pcmu`, `pcma`, `g726`, `l16`, `aac` or `opus`."""
    match codec:
        case "pcmu":
            return Sound(_cut(_tone(8000, "pcm_mulaw", "mulaw"), 160), 160, 8000, 0, "PCMU/8000")
        case "pcma":
            return Sound(_cut(_tone(8000, "pcm_alaw", "alaw"), 160), 160, 8000, 8, "PCMA/8000")
        case "g726":
            raw = _tone(8000, "g726le", "g726le", "-b:a", "32k")
            return Sound(_cut(raw, 80), 160, 8000, SOUND_TYPE, "G726-32/8000")
        case "l16":
            return Sound(_cut(_tone(16000, "pcm_s16be", "s16be"), 640), 320, 16000, SOUND_TYPE, "L16/16000/1")
        case "aac":
            return _aac(_tone(16000, "aac", "adts"))
        case "opus":
            packets = _ogg_packets(_tone(48000, "libopus", "ogg", "-frame_duration", "20"))[2:]
            return Sound(packets, 960, 48000, SOUND_TYPE, "opus/48000/2")
    raise ValueError(codec)


def _tone(rate: int, encoder: str, muxer: str, *more: str) -> bytes:
    source = ("-f", "lavfi", "-i", f"sine=frequency=440:sample_rate={rate}:duration=1.024")
    return clips.run("ffmpeg", "-v", "error", *source, "-c:a", encoder, *more, "-f", muxer, "-")


def _cut(raw: bytes, size: int) -> tuple[bytes, ...]:
    return tuple(raw[at : at + size] for at in range(0, len(raw) - size + 1, size))


def _aac(adts: bytes) -> Sound:
    """RFC 3640, mode AAC-hbr: one frame a packet."""
    payloads = []
    at = 0
    rate = _RATES[(adts[2] >> 2) & 0xF]
    channels = (adts[2] & 1) << 2 | adts[3] >> 6
    config = struct.pack(">H", 2 << 11 | _RATES.index(rate) << 7 | channels << 3).hex().upper()
    while at + 7 <= len(adts):
        size = (adts[at + 3] & 3) << 11 | adts[at + 4] << 3 | adts[at + 5] >> 5
        frame = adts[at + 7 : at + size]
        payloads.append(struct.pack(">HH", 16, len(frame) << 3) + frame)
        at += size
    fmtp = (
        f"streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;"
        f"config={config}"
    )
    return Sound(tuple(payloads), 1024, rate, SOUND_TYPE, f"MPEG4-GENERIC/{rate}/{channels}", fmtp)


def _ogg_packets(ogg: bytes) -> tuple[bytes, ...]:
    """The packets of an Ogg file (RFC 3533)."""
    packets, packet, at = [], b"", 0
    while at < len(ogg):
        assert ogg[at : at + 4] == b"OggS"
        count = ogg[at + 26]
        body = at + 27 + count
        for size in ogg[at + 27 : at + 27 + count]:
            packet += ogg[body : body + size]
            body += size
            if size < 255:
                packets.append(packet)
                packet = b""
        at = body
    return tuple(packets)
