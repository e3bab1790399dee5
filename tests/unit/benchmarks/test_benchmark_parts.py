"""The benchmark of cameras measures what it says: its packets, its counts, its pictures."""

import io
import struct
import subprocess
import sys

import pytest

from benchmarks.cameras import lost
from benchmarks.h264_rtp import make_clip, packets
from benchmarks.jpeg_over_http import read_picture
from benchmarks.measure import cpu_s
from benchmarks.rtsp_sources import Sent

SPS, PPS, KEY, OTHER = b"\x67\x64\x00\x1f", b"\x68\xee", b"\x65" + b"k" * 5000, b"\x41" + b"o" * 1399


def received(data: bytes) -> list[tuple[int, int, bool, bytes]]:
    """Number, time, marker and payload of each interleaved packet."""
    found = []
    while data:
        dollar, channel, size = struct.unpack_from(">cBH", data)
        assert (dollar, channel) == (b"$", 0)
        _, kind, number, time, _ = struct.unpack_from(">BBHII", data, 4)
        found.append((number, time, bool(kind & 0x80), data[16 : 4 + size]))
        data = data[4 + size :]
    return found


def units(payloads: list[bytes]) -> list[bytes]:
    """The NAL units in payloads: RFC 6184, sections 5.6 and 5.8."""
    found: list[bytes] = []
    for payload in payloads:
        if payload[0] & 0x1F != 28:
            found.append(payload)
        elif payload[1] & 0x80:
            found.append(bytes((payload[0] & 0xE0 | payload[1] & 0x1F,)) + payload[2:])
        else:
            found[-1] += payload[2:]
    return found


def test_packets_hold_what_went_in_and_the_last_one_of_a_picture_is_marked() -> None:
    given = [SPS, PPS, KEY, OTHER]
    found = received(packets(given).stamped(65534, 1 << 32))
    assert units([payload for *_, payload in found]) == given
    assert max(len(payload) for *_, payload in found) <= 1400
    assert [number for number, *_ in found] == [(65534 + n) % 65536 for n in range(len(found))]
    assert {time for _, time, *_ in found} == {0}
    assert [marker for _, _, marker, _ in found] == [False] * (len(found) - 1) + [True]


def test_a_clip_has_a_picture_for_each_delimiter_and_tells_its_parameter_sets() -> None:
    aud = b"\0\0\0\1\x09\xf0"
    clip = make_clip(aud + b"".join(b"\0\0\1" + unit for unit in (SPS, PPS, KEY)) + aud + b"\0\0\1" + OTHER)
    shown = [units([payload for *_, payload in received(picture.data)]) for picture in clip.pictures]
    assert shown == [[SPS, PPS, KEY], [OTHER]]
    assert "profile-level-id=64001f; sprop-parameter-sets=Z2QAHw==,aO4=" in clip.sdp(15)
    with pytest.raises(ValueError, match="no parameter sets"):
        make_clip(aud + b"\0\0\1" + OTHER)


def test_no_camera_makes_up_for_the_lost_frames_of_another() -> None:
    sent = {"a": Sent(frames=10), "b": Sent(frames=10), "c": Sent(frames=3)}
    assert lost(sent, {"a": 10, "b": 12, "c": 3}) == 0
    assert lost(sent, {"a": 9, "b": 11}) == 4


def test_a_picture_is_read_by_its_length() -> None:
    part = b"--ffmpeg\r\nContent-type: image/jpeg\r\nContent-length: 6\r\n\r\n\xff\xd8\n\r\xff\xd9\r\n"
    stream = io.BytesIO(part * 2)
    assert [read_picture(stream) for _ in range(3)] == [b"\xff\xd8\n\r\xff\xd9"] * 2 + [b""]


def test_cpu_time_of_another_process_is_seen() -> None:
    work = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", work], stdin=-1, stdout=-1) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert 0.2 <= cpu_s(process.pid) < 2
        process.communicate(b"\n")
    assert cpu_s(process.pid) == 0.0
