"""H.264 with start codes becomes Matroska that readers understand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livecam_nvr.media.picam.child.matroska import cluster, decoder_configuration, header, nal_units

SPS, PPS, IDR, SLICE = b"\x67\x42\xc0\x1e\xaa", b"\x68\xce\x38\x80", b"\x65\x88\x84", b"\x41\x9a\x21"


@given(
    st.lists(
        # Inside of a unit there is never a start code, and never a zero at the end (H.264, 7.4.1).
        st.binary(min_size=1, max_size=40).filter(lambda unit: b"\x00\x00" not in unit and unit[-1] != 0),
        min_size=1,
        max_size=6,
    ),
    st.lists(st.sampled_from([b"\x00\x00\x01", b"\x00\x00\x00\x01"]), min_size=6, max_size=6),
)
def test_units_come_back_whatever_start_codes_stand_between(units, codes):
    assert nal_units(b"".join(code + unit for code, unit in zip(codes, units, strict=False))) == units


def test_what_has_no_start_code_is_no_unit():
    assert nal_units(b"") == []
    assert nal_units(b"\x65\x88") == []


def test_configuration_is_that_of_the_streams_own_parameter_sets():
    assert decoder_configuration([SPS, PPS, IDR]) == (
        b"\x01\x42\xc0\x1e\xff\xe1\x00\x05" + SPS + b"\x01\x00\x04" + PPS
    )


def test_high_profile_says_its_chroma_format():
    high = b"\x67\x64" + SPS[2:]
    found = decoder_configuration([high, PPS])
    assert found is not None
    assert found.endswith(PPS + b"\xfd\xf8\xf8\x00")


@pytest.mark.parametrize("units", [[], [IDR], [SPS, IDR], [PPS, IDR]])
def test_no_configuration_without_both_parameter_sets(units):
    assert decoder_configuration(units) is None


def test_one_cluster_a_frame_of_known_length_with_its_own_time():
    time_us = 1_795_266_941_249_716
    data = cluster(time_us, [IDR, SLICE], keyframe=True)
    assert data[:4] == bytes.fromhex("1f43b675")
    assert int.from_bytes(data[4:12], "big") & ~(1 << 56) == len(data) - 12
    assert data[12] == 0xE7
    assert int.from_bytes(data[21:29], "big") == time_us
    assert data.endswith(b"\x81\x00\x00\x80\x00\x00\x00\x03" + IDR + b"\x00\x00\x00\x03" + SLICE)
    assert b"\x81\x00\x00\x00\x00\x00\x00\x03" in cluster(0, [SLICE], keyframe=False)


def test_header_ends_with_its_track_in_a_segment_of_unknown_length():
    data = header((1280, 720), 30.0, b"CONFIGURATION")
    assert data.startswith(bytes.fromhex("1a45dfa3"))
    assert bytes.fromhex("1853806701ffffffffffffff") in data
    assert b"V_MPEG4/ISO/AVC" in data
    assert b"CONFIGURATION" in data
