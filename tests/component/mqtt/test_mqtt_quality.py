"""Quality, restart and complaints through a real broker."""

import asyncio
import json
from dataclasses import replace

from support.waiting import until

from livecam_nvr.core.events import ComplaintsChanged, StreamStarted
from livecam_nvr.domain.errors import ErrorKind, LivecamError
from livecam_nvr.domain.status import Complaint

CAM0 = "livecam-nvr/home/cam0"
CONFIG = "homeassistant/device/livecam-nvr_home_{}/config"
LAST_THING_SENT = "livecam-nvr/home/cam1/snapshot"
FAILED = LivecamError(ErrorKind.UNAVAILABLE, "1080p at 30 frames a second failed: no", "it is set back")


async def listens(home, ear):
    """Returns when the service hears commands and has nothing left to say."""
    await home.connected()
    await ear.hears(LAST_THING_SENT)
    while not home.control.restarts:
        await ear.say(f"{CAM0}/restart/set", "PRESS")
        await asyncio.sleep(0.05)
    await ear.say(f"{CAM0}/frame_rate/set", "25")  # behind all of them on the same connection
    await ear.hears(f"{CAM0}/frame_rate", b"25")
    home.control.settle("cam0")
    await ear.hears(f"{CAM0}/frame_rate", b"30")
    home.control.orders.clear()
    home.control.restarts.clear()
    ear.heard.clear()


async def test_a_change_is_told_when_it_is_proven_and_not_before(homes, broker, ear):
    home = homes(broker.port)
    await listens(home, ear)
    home.control.hold = True
    await ear.say(f"{CAM0}/resolution/set", "480p")
    await until(lambda: home.control.is_changing("cam0"))
    await ear.say(f"{CAM0}/frame_rate/set", "15")
    await ear.say(f"{CAM0}/restart/set", "PRESS")
    await until(lambda: home.control.restarts == [("cam0", "MQTT")])
    assert not ear.on(f"{CAM0}/resolution")
    home.control.hold = False
    home.bus.publish(StreamStarted("cam0", "avc1", 848, 480))
    home.control.finish("cam0")
    await ear.hears(f"{CAM0}/resolution", b"480p")
    # What was asked for meanwhile came next.
    await ear.hears(f"{CAM0}/frame_rate", b"15")
    assert home.control.orders == [("cam0", 480, None, "MQTT"), ("cam0", None, 15, "MQTT")]


async def test_a_failure_leaves_the_old_state_and_says_it_again(homes, broker, ear, caplog):
    home = homes(broker.port)
    await listens(home, ear)
    home.control.hold = True
    await ear.say(f"{CAM0}/resolution/set", "1080p")
    await until(lambda: home.control.is_changing("cam0"))
    home.control.finish("cam0", FAILED)
    await ear.hears(f"{CAM0}/resolution", b"720p")
    home.control.settle("cam0")
    assert not ear.on(f"{CAM0}/resolution", b"1080p")
    assert "ignored" not in caplog.text


async def test_what_cannot_be_done_is_one_line_each(homes, broker, ear, caplog):
    home = homes(broker.port, copied=("cam1",), camera_ids=("cam0",))
    await home.connected()
    await ear.hears(f"{CAM0}/snapshot")
    while not home.control.restarts:
        await ear.say(f"{CAM0}/restart/set", "PRESS")
        await asyncio.sleep(0.05)
    for topic, payload in (
        ("cam0/resolution", "700p"),
        ("cam0/frame_rate", "fast"),
        ("cam1/resolution", "480p"),
        ("cam9/restart", "PRESS"),
    ):
        await ear.say(f"livecam-nvr/home/{topic}/set", payload)
    await until(lambda: caplog.text.count("MQTT command ignored") == 4)
    for words in ("no height of 700", "no number of frames", "stream of cam1 is copied", "no camera 'cam9'"):
        assert words in caplog.text


async def test_kept_commands_are_never_obeyed(homes, broker, ear, caplog):
    for what, payload in (("resolution", "480p"), ("frame_rate", "5"), ("restart", "PRESS")):
        await ear.say(f"{CAM0}/{what}/set", payload, retain=True)
    home = homes(broker.port)
    await home.connected()
    await until(lambda: caplog.text.count("keeps an old command") == 3)
    assert not home.control.orders
    assert not home.control.restarts


async def test_copied_cameras_have_no_such_entities_and_lose_those_they_had(homes, broker, ear, what_is_kept):
    home = homes(broker.port, ("cam0",), ("cam0",))
    await home.connected()
    copied = (await ear.hears(CONFIG.format("cam0"))).json["components"]
    assert copied["resolution"] == {"platform": "select"}
    assert copied["frame_rate"] == {"platform": "number"}
    assert copied["restart"]["command_topic"] == f"{CAM0}/restart/set"
    await ear.hears(f"{CAM0}/snapshot")
    assert f"{CAM0}/resolution" not in await what_is_kept()
    await home.service.stop()

    home = homes(broker.port, ("cam0",))
    await home.connected()
    await ear.hears(f"{CAM0}/resolution", b"720p")
    options = (await ear.hears(CONFIG.format("cam0"))).json["components"]["resolution"]["options"]
    assert options == ["480p", "720p", "1080p"]
    # A USB camera may turn out to send H.264 itself, which is copied then: told at the next look.
    home.control.now["cam0"] = replace(home.control.now["cam0"], changeable=False, heights=())
    await until(
        lambda: ear.on(CONFIG.format("cam0"))[-1].json["components"]["resolution"] == {"platform": "select"}
    )
    await ear.hears(f"{CAM0}/resolution", b"")
    assert f"{CAM0}/resolution" not in await what_is_kept()


async def test_complaints_are_told_at_once(homes, broker, ear):
    home = homes(broker.port)
    await listens(home, ear)
    black = Complaint("black", "the picture is black", "is its lens covered?", 1)
    home.bus.publish(ComplaintsChanged("cam0", (black,)))
    home.bus.publish(ComplaintsChanged("elsewhere", (black,)))
    told = (await ear.hears(f"{CAM0}/problem")).payload
    assert json.loads(told) == {
        "problem": "ON",
        "complaints": [{"kind": "black", "message": "the picture is black", "hint": "is its lens covered?"}],
    }
    home.bus.publish(ComplaintsChanged("cam0", ()))
    await ear.hears(f"{CAM0}/problem", b'{"problem":"OFF","complaints":[]}')
    assert len(ear.on(f"{CAM0}/problem")) == 2
    assert not ear.on("livecam-nvr/home/elsewhere/problem")
