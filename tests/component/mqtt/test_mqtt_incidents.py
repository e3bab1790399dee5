"""Attempts to break in, and who ordered what, through a real broker."""

import signal

import pytest
from support.waiting import until

from livecam_nvr.core.access import Deed
from livecam_nvr.core.events import BreakInAttempt

TOPIC = "livecam-nvr/home/break_in"
HUB = "homeassistant/device/livecam-nvr_home/config"


async def test_an_attempt_is_told_as_home_assistant_wants_it_and_not_kept(homes, broker, ear, what_is_kept):
    home = homes(broker.port)
    await home.connected()
    entity = (await ear.hears(HUB)).json["components"]["break_in"]
    assert (entity["platform"], entity["state_topic"]) == ("event", TOPIC)
    home.bus.publish(BreakInAttempt("anna", "192.0.2.66", 12, "http"))
    heard = await ear.hears(TOPIC)
    told = heard.json
    assert told.pop("at").endswith("+00:00")
    assert told == {
        "event_type": "break_in_attempt",
        "address": "192.0.2.66",
        "user": "anna",
        "failures": 12,
        "door": "http",
    }
    assert told["event_type"] in entity["event_types"]
    assert (heard.qos, heard.retain) == (1, False)
    assert TOPIC not in await what_is_kept()


async def test_what_happens_while_the_broker_is_away_is_told_when_it_is_back(homes, broker, ears):
    broker.kill()
    broker.users(me="another", listener="hears")
    broker.start()
    home = homes(broker.port, username="me", password="secret")
    await home.service.start()
    await until(lambda: home.service.status().fault, what="a refusal")
    async with ears(broker.port, username="listener", password="hears") as ear:
        for count in range(20):
            home.bus.publish(BreakInAttempt("x" * 1000, "192.0.2.66", count, "rtsp"))
        broker.users(me="secret", listener="hears")
        broker.signal(signal.SIGHUP)
        await until(lambda: len(ear.on(TOPIC)) == 16, "the newest sixteen")
        assert [heard.json["failures"] for heard in ear.on(TOPIC)] == list(range(4, 20))
        assert {len(heard.json["user"]) for heard in ear.on(TOPIC)} == {64}


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("recording OFF", (Deed.RECORDING, "cam0", True, "off")),
        ("recording maybe", (Deed.RECORDING, "cam0", False, "what was sent is neither ON nor OFF")),
        ("resolution 480p", (Deed.QUALITY, "cam0", True, "480p")),
        ("resolution 481p", (Deed.QUALITY, "cam0", False, "481p: there is no height of 481 lines")),
    ],
)
async def test_commands_are_noted_with_what_became_of_them(homes, broker, ear, said, line):
    home = homes(broker.port)
    await home.connected()
    what, payload = said.split()

    def noted() -> list[tuple[Deed, str, bool, str]]:
        return [(e.deed, e.target, e.ok, e.detail) for e in home.audit.entries]

    async def asked_again() -> bool:
        """The service may not listen yet."""
        await ear.say(f"livecam-nvr/home/cam0/{what}/set", payload)
        return line in noted()

    await until(asked_again, what=f"{line}")
    assert set(noted()) == {line}
