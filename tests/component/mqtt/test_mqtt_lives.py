"""Brokers that come late, die, forget, hang or refuse; Home Assistant that restarts or deletes; two of us."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from fakes.mqtt_home import Home
from support.own_time import within_own_time
from support.ports import free_port
from support.waiting import until

from livecam_nvr.config.models import MqttConfig, NodeConfig
from livecam_nvr.core.events import BrokerChanged
from livecam_nvr.mqtt.checks import BrokerCheck

HUB = "homeassistant/device/livecam-nvr_home/config"
CAM0 = "homeassistant/device/livecam-nvr_home_cam0/config"
CAM1 = "homeassistant/device/livecam-nvr_home_cam1/config"
STATUS = "livecam-nvr/home/status"
PICTURE = "livecam-nvr/home/cam1/snapshot"
TESTS = Path(__file__).parents[2]


async def test_a_killed_service_is_offline_by_its_will(broker, ear, what_is_kept):
    env = {**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}"}
    argv = [sys.executable, "-m", "fakes.mqtt_home", str(broker.port)]
    child = subprocess.Popen(argv, env=env, cwd=TESTS)
    try:
        await ear.hears(STATUS, b"online")
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    await ear.hears(STATUS, b"offline")
    found = (await what_is_kept())[STATUS]
    assert (found.payload, found.qos) == (b"offline", 1)


async def test_a_broker_that_comes_late_gets_everything(homes, broker, ears, caplog):
    broker.kill()
    home = homes(broker.port)
    told = []
    home.bus.subscribe(BrokerChanged, told.append)
    await home.service.start()
    await until(lambda: home.service.status().fault, what="a fault")
    fault = home.service.status().fault
    assert fault.message == f"no broker listens on 127.0.0.1:{broker.port}"
    assert "mosquitto" in fault.hint
    await until(lambda: home.service._supervisor.restarts >= 3, what="several attempts")
    assert caplog.text.count("no broker listens") == 1
    broker.start()
    await until(lambda: home.service.status().connected)
    async with ears(broker.port) as ear:
        await ear.hears(CAM1)
        await ear.hears(PICTURE)
    assert [event.status.connected for event in told] == [False, True]
    assert home.service.status().fault is None


async def test_a_broker_that_forgot_everything_is_told_everything_again(homes, broker, ears, what_is_kept):
    home = homes(broker.port)
    await home.connected()
    async with ears(broker.port) as ear:
        await ear.hears("livecam-nvr/home/cam0/snapshot")
        await ear.hears(PICTURE)
    before = await what_is_kept()
    broker.kill()
    await until(lambda: not home.service.status().connected, what="the loss noticed")
    assert "was lost" in home.service.status().fault.message
    home.recording.set_recording("cam0", on=False, by="the page")
    broker.start()
    await until(lambda: home.service.status().connected)
    async with ears(broker.port) as ear:
        await ear.hears("livecam-nvr/home/cam0/snapshot")
        await ear.hears(PICTURE)
    after = await what_is_kept()
    assert before.keys() == after.keys()
    assert before[CAM0].payload == after[CAM0].payload
    assert after["livecam-nvr/home/cam0/recording"].payload == b"OFF"
    async with ears(broker.port) as ear:  # and it obeys again
        await ear.say("livecam-nvr/home/cam0/recording/set", "ON")
        await ear.hears("livecam-nvr/home/cam0/recording", b"ON")


async def test_a_wrong_password_is_said_without_it_and_heals(homes, broker, ears, caplog):
    caplog.set_level("DEBUG")
    broker.kill()
    broker.users(me="right-one-4711")
    broker.start()
    home = homes(broker.port, username="me", password="hunter2-secret")
    await home.service.start()
    await until(lambda: home.service.status().fault, what="a fault")
    assert home.service.status().fault.message == (
        f"the broker 127.0.0.1:{broker.port} refuses the user 'me' or the password"
    )
    broker.users(me="hunter2-secret")
    broker.signal(signal.SIGHUP)
    await until(lambda: home.service.status().connected)
    async with ears(broker.port, username="me", password="hunter2-secret") as ear:
        await ear.hears(HUB)
    assert home.service.status().fault is None
    assert "hunter2" not in caplog.text
    assert "hunter2" not in str(home.service.status())
    nameless = await BrokerCheck(
        MqttConfig(host="127.0.0.1", port=broker.port), NodeConfig(id="home", name="x")
    ).check()
    assert [(c.ok, c.mend) for c in nameless] == [(False, "set mqtt.username and mqtt.password")]


async def test_a_name_that_nobody_has(homes):
    home = homes(1883, host="no-such-broker.invalid")
    await home.service.start()
    await until(lambda: home.service.status().fault, what="a fault")
    assert home.service.status().fault.message == "no machine called 'no-such-broker.invalid' can be found"


async def test_no_broker_configured_is_fine(homes):
    home = homes(1883, host="")
    await home.service.start()
    assert not home.service.status().configured
    await home.service.stop()


async def stops_within_a_second(home: Home) -> None:
    async with within_own_time(1.0, "the stop"):
        await home.service.stop()


def is_being_called(port: int) -> bool:
    """Whether a connection to this port of loopback waits for its first answer (state SYN_SENT, see proc(5))."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[2].endswith(f":{port:04X}") and row[3] == "02" for row in rows)


async def test_stop_is_prompt_while_a_connect_hangs(homes):
    with socket.socket() as silent, socket.socket() as filler:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0)  # one connection fills its queue; what comes then is never answered
        filler.connect(silent.getsockname())
        home = homes(silent.getsockname()[1])
        await home.service.start()
        await until(lambda: is_being_called(silent.getsockname()[1]), what="an attempt that hangs")
        await stops_within_a_second(home)


async def test_stop_is_prompt_while_a_broker_never_answers_and_leaves_no_connection(homes):
    open_connections = set()

    async def accept(reader, writer):
        open_connections.add(writer)
        await reader.read(-1)
        open_connections.discard(writer)
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        home = homes(server.sockets[0].getsockname()[1])
        await home.service.start()
        await until(lambda: open_connections, what="a connection")
        await stops_within_a_second(home)
        await until(lambda: not open_connections, what="the connection closed")


async def test_something_else_on_the_port_is_said(homes):
    async def accept(reader, writer):
        writer.write(b"SSH-2.0-OpenSSH_9.2p1\r\n")
        await reader.read(-1)
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        home = homes(server.sockets[0].getsockname()[1])
        await home.service.start()
        await until(lambda: home.service.status().fault, what="a fault")
        assert "does not answer as an MQTT broker" in home.service.status().fault.message
        await home.service.stop()


async def test_stop_is_prompt_while_the_broker_hangs(homes, broker, ear):
    home = homes(broker.port)
    await home.connected()
    await ear.hears(PICTURE)
    broker.signal(signal.SIGSTOP)
    await stops_within_a_second(home)
    broker.signal(signal.SIGCONT)


async def test_birth_sends_everything_again_once(homes, broker, ear):
    await ear.plant()
    home = homes(broker.port, snapshot_seconds=1)
    await home.connected()
    await ear.hears("livecam-nvr/home/cam0/snapshot")
    home.pictures.without.add("cam0")  # no new ones: only what is said again
    await ear.found_that_it_was_cleared()
    await ear.hears(PICTURE)
    everything = {h.topic for h in ear.heard if "planted" not in h.topic}
    ear.heard.clear()
    await asyncio.gather(*(ear.say("homeassistant/status", "online") for _ in range(5)))
    await ear.say("homeassistant/status", "offline")
    await ear.hears(HUB)
    seen = len(ear.on(PICTURE))
    # One comes again, and a new one each second: no pause before an answer is longer than that.
    await until(lambda: len(ear.on(PICTURE)) >= seen + 3, what="pictures")

    def again() -> list[str]:
        mine = [h.topic for h in ear.heard if h.topic.startswith(("livecam-nvr/", "homeassistant/device"))]
        return [topic for topic in mine if topic != PICTURE]

    await until(lambda: set(again()) == everything - {PICTURE}, "everything")
    # Births that come together are answered together; a machine that stands still may pull them apart.
    assert max(Counter(again()).values()) < 5
    assert again()[1:5] == [HUB, CAM0, CAM1, STATUS]


async def test_a_camera_that_is_gone_is_cleared_and_nobody_elses(homes, broker, ear, what_is_kept):
    earlier = homes(broker.port, ("cam0", "cam1", "old_one"))
    await earlier.connected()
    await ear.hears("livecam-nvr/home/old_one/snapshot")
    await earlier.service.stop()
    foreign = {
        "homeassistant/device/livecam-nvr_home_x/config": b'{"origin": {"name": "zigbee2mqtt"}}',
        "homeassistant/device/livecam-nvr_home_y/config": b"{not json",
        "homeassistant/device/livecam-nvr_home__2_cam7/config": b'{"origin": {"name": "livecam-nvr"}}',
        "homeassistant/device/livecam-nvr_house_cam7/config": b'{"origin": {"name": "livecam-nvr"}}',
        "homeassistant/device/0x00158d/config": b'{"o": {"name": "zigbee2mqtt"}}',
    }
    for topic, payload in foreign.items():
        await ear.say(topic, payload, retain=True)
    await homes(broker.port, ("cam0", "cam1")).connected()
    await ear.hears("livecam-nvr/home/old_one/status", b"")
    cleared = [h.topic for h in ear.heard if "old_one" in h.topic and not h.payload]
    assert cleared[0] == "homeassistant/device/livecam-nvr_home_old_one/config"
    found = await what_is_kept()
    assert not [topic for topic in found if "old_one" in topic]
    assert {topic: found[topic].payload for topic in foreign} == foreign
    assert {HUB, CAM0, CAM1} <= set(found)


async def test_what_the_user_deleted_stays_deleted_until_birth(homes, broker, ears):
    home = homes(broker.port)
    async with ears(broker.port) as ear:
        await ear.plant()
        await home.connected()
        await ear.found_that_it_was_cleared()
        await ear.hears(PICTURE)
        await ear.say(CAM0, b"", retain=True)
        ear.heard.clear()
        await ear.say("livecam-nvr/home/cam0/recording/set", "ON")
        await ear.hears("livecam-nvr/home/cam0/recording")  # behind what it was told before
    broker.kill()
    broker.start()
    await until(lambda: home.service.status().connected)
    async with ears(broker.port) as ear:
        await ear.hears(PICTURE)
        assert ear.on(HUB)
        assert not ear.on(CAM0)

        async def is_back_after_a_birth() -> bool:
            await ear.say("homeassistant/status", "online")
            return bool(ear.on(CAM0))

        await until(is_back_after_a_birth, what="the announcement after a birth")


@pytest.mark.parametrize("away", [False, True])
async def test_doctor_looks_and_disturbs_nobody(homes, broker, ear, away):
    home = homes(broker.port)
    await home.connected()
    await ear.hears(PICTURE)
    ear.heard.clear()
    port = free_port() if away else broker.port
    (found,) = await BrokerCheck(MqttConfig(host="127.0.0.1", port=port), NodeConfig(id="home", name="x")).check()
    assert found.ok is not away
    assert bool(found.mend) is away
    assert not ear.heard
    assert home.service.status().connected
