"""Which camera is meant."""

import pytest

from livecam_nvr.media.picam.child.refusal import Refused
from livecam_nvr.media.picam.child.selecting import choose, describe, facts_of

PI_5 = "Raspberry Pi 5 Model B Rev 1.0"
RP1 = "/base/axi/pcie@1000120000/rp1"
TWO = [
    facts_of(0, {"Model": "ov5647", "Id": f"{RP1}/i2c@88000/ov5647@36", "Location": 2, "Rotation": 180}, PI_5),
    facts_of(1, {"Model": "ov5647", "Id": f"{RP1}/i2c@80000/ov5647@36"}, PI_5),
]


def test_tells_the_connector_on_a_pi_5():
    assert [camera["connector"] for camera in TWO] == ["CAM0", "CAM1"]
    assert (TWO[0]["location"], TWO[0]["rotation"], TWO[1]["location"]) == ("external", 180, "")


@pytest.mark.parametrize(
    ("board", "identifier"),
    [
        ("Raspberry Pi 4 Model B Rev 1.4", "/base/soc/i2c0mux/i2c@1/ov5647@36"),
        ("Raspberry Pi Compute Module 5 Rev 1.0", f"{RP1}/i2c@88000/ov5647@36"),
        ("", "Virtual0"),
    ],
)
def test_says_nothing_about_connectors_elsewhere(board, identifier):
    assert facts_of(0, {"Model": "ov5647", "Id": identifier}, board)["connector"] == ""


@pytest.mark.parametrize(
    ("selector", "number"),
    [("0", 0), ("1", 1), ("i2c@80000", 1), (f"{RP1}/i2c@88000/ov5647@36", 0), ("I2C@88000", 0)],
)
def test_chooses(selector, number):
    assert choose(selector, TWO)["number"] == number


def test_a_model_chooses_where_there_is_one_of_it():
    assert choose("OV5647", TWO[1:])["number"] == 1


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("2", "there is no camera '2'"),
        ("imx708", "there is no camera 'imx708'"),
        ("ov5647", "'ov5647' fits 2 cameras"),
        ("²", "there is no camera '²'"),
    ],
)
def test_names_those_that_are_there(selector, message):
    with pytest.raises(Refused, match=message) as caught:
        choose(selector, TWO)
    assert all(describe(camera) in caught.value.hint for camera in TWO)
    assert "0: ov5647 at CAM0" in caught.value.hint


def test_no_camera_at_all():
    with pytest.raises(Refused, match="no camera is connected"):
        choose("0", [])
