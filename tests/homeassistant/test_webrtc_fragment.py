"""Candidates as the service takes them: RFC 8840, section 9."""

import pytest
from custom_components.livecam_nvr.webrtc import ice_fragment
from webrtc_models import RTCIceCandidateInit

_LINES = [
    "v=0",
    "o=- 1 2 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0 1",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "a=ice-ufrag:abcd",
    "a=ice-pwd:secretsecretsecretsecret",
    "a=mid:0",
    "m=video 9 UDP/TLS/RTP/SAVPF 96",
    "a=ice-ufrag:abcd",
    "a=ice-pwd:secretsecretsecretsecret",
    "a=mid:v1",
    "",
]
_OFFER = "\r\n".join(_LINES)
_HOST = "candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host generation 0"
_OTHER = "candidate:2 1 udp 2122260222 192.0.2.2 54322 typ host"


def test_candidates_stand_below_their_media_with_the_offers_user_and_password() -> None:
    candidates = [
        RTCIceCandidateInit(_OTHER, sdp_mid="v1", sdp_m_line_index=1),
        RTCIceCandidateInit(_HOST, sdp_mid="0", sdp_m_line_index=0),
    ]
    assert ice_fragment(_OFFER, candidates) == "\r\n".join(
        [
            "a=ice-ufrag:abcd",
            "a=ice-pwd:secretsecretsecretsecret",
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            "a=mid:0",
            f"a={_HOST}",
            "m=video 9 UDP/TLS/RTP/SAVPF 96",
            "a=mid:v1",
            f"a={_OTHER}",
            "",
        ]
    )


@pytest.mark.parametrize(
    "candidate", [RTCIceCandidateInit(_HOST, sdp_m_line_index=1), RTCIceCandidateInit(_HOST, sdp_mid="v1")]
)
def test_either_of_index_and_name_is_enough(candidate: RTCIceCandidateInit) -> None:
    fragment = ice_fragment(_OFFER, [candidate])
    assert f"a=mid:v1\r\na={_HOST}\r\n" in fragment
    assert "m=audio" not in fragment


@pytest.mark.parametrize(
    "candidate",
    [
        RTCIceCandidateInit(_HOST, sdp_m_line_index=2),
        RTCIceCandidateInit(""),
        RTCIceCandidateInit("a=ice-pwd:other", sdp_mid="0"),
        RTCIceCandidateInit(f"{_HOST}\r\nm=audio 9 RTP/AVP 0", sdp_mid="0"),
        RTCIceCandidateInit(f"{_HOST}\na=ice-pwd:other", sdp_mid="0"),
    ],
)
def test_what_is_no_candidate_of_the_offer_is_left_out(candidate: RTCIceCandidateInit) -> None:
    assert ice_fragment(_OFFER, [candidate]) == ""
