"""What the network is told."""

import pytest

from livecam_nvr.announce.card import SERVICE_TYPE, ServiceCard, addresses_of
from livecam_nvr.runtime.addresses import Address

ID = "0123456789abcdef0123456789abcdef"
OWN = [
    Address("eth0", "192.0.2.5"),
    Address("docker0", "172.17.0.1"),
    Address("br-0123456789ab", "172.18.0.1"),
    Address("wlan0", "192.0.2.6"),
    Address("eth0", "2001:db8::5"),
]


def card(name: str = "Home") -> ServiceCard:
    return ServiceCard(ID, "livecam", name, "1.2.3", 8001, https=True)


def test_its_texts() -> None:
    assert card("집").texts == {
        "id": ID,
        "node": "livecam",
        "version": "1.2.3",
        "api": "1",
        "https": "1",
        "name": "집",
    }
    assert ServiceCard(ID, "livecam", "Home", "1", 80, https=False).texts["https"] == "0"


@pytest.mark.parametrize(
    ("name", "instance"),
    [
        ("Home", "Home (012345)"),
        ("우리 집", "우리 집 (012345)"),
        ("cam.example. \t x", "cam example x (012345)"),
        ("...", "livecam-nvr (012345)"),
        ("\x07\u202e", "livecam-nvr (012345)"),
        (64 * "x", f"{54 * 'x'} (012345)"),
        (64 * "집", f"{18 * '집'} (012345)"),
    ],
)
def test_its_name_is_one_label(name: str, instance: str) -> None:
    made = card(name)
    assert made.instance == f"{instance}.{SERVICE_TYPE}"
    label = made.instance.removesuffix(f".{SERVICE_TYPE}")
    assert "." not in label
    assert len(label.encode()) <= 63
    assert all(len(f"{key}={text}".encode()) <= 255 for key, text in made.texts.items())


def test_the_longest_name_there_can_be() -> None:
    text = card(64 * "\U0001f3e0").texts["name"]
    assert text == 62 * "\U0001f3e0"


def test_its_host_is_not_the_machines() -> None:
    assert card().server == "livecam-nvr-012345.local."


@pytest.mark.parametrize(
    ("listen", "addresses"),
    [
        ("127.0.0.1", ()),
        ("127.0.0.2", ()),
        ("::1", ()),
        ("0.0.0.0", ("192.0.2.5", "192.0.2.6")),
        ("::", ("2001:db8::5",)),
        ("192.0.2.6", ("192.0.2.6",)),
        ("172.17.0.1", ("172.17.0.1",)),
    ],
)
def test_where_it_is(listen: str, addresses: tuple[str, ...]) -> None:
    assert addresses_of(listen, OWN) == addresses


def test_networks_inside_the_machine_are_better_than_none() -> None:
    assert addresses_of("0.0.0.0", OWN[1:3]) == ("172.17.0.1", "172.18.0.1")
    assert addresses_of("0.0.0.0", []) == ()
