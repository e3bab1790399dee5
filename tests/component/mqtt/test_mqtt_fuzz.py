"""Whatever comes on a command topic: one line, one answer, and everything as it was."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.waiting import until

from livecam_nvr.mqtt.obey.orders import Refusal, parse
from livecam_nvr.mqtt.topics import Topics

BASE = "livecam-nvr/home"
TOPICS = Topics("livecam-nvr", "homeassistant", "home")
COMMANDS = (
    *("recording", "recording_mode", "keep", "event", "resolution", "frame_rate", "restart", "enabled"),
    "snapshot",
)

# A broker throws out whoever sends control characters in a topic.
words = st.text(st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters="/+#"), max_size=30)
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
).map(lambda value: json.dumps(value).encode())


class Long(bytes):
    """Is not printed as a whole when an example has failed."""

    def __repr__(self) -> str:
        return f"{bytes(self[:10])!r}... ({len(self)} bytes)"


odd = st.sampled_from(
    [
        b"",
        b"on",
        b"ON ",
        b"OFF\x00",
        b"press",
        b"NaN",
        b"-1",
        b"1e999",
        Long(b"9" * 5000),
        Long(b"[" * 4000),
        b'{"label": NaN}',
        Long(b'{"a":' * 800),
        b"\xff\xfe\x00",
        Long(b"x" * 300_000),
        '{"label": "motion", "state": "begin", "lasted_s": -1}'.encode("utf-16"),
    ]
)
messages = st.tuples(
    st.builds(
        lambda camera, what: f"{BASE}/{camera}/{what}/set",
        st.sampled_from(["cam0", "cam1", "cam9"]) | words,
        st.sampled_from(COMMANDS) | words,
    ),
    odd | json_values | st.binary(max_size=60) | st.just(b"PRESS"),
)


def is_wrong(message: tuple[str, bytes]) -> bool:
    """Orders to cameras that there are would be obeyed."""
    topic, payload = message
    return isinstance(parse(TOPICS, topic, payload), Refusal) or not topic.startswith(
        (f"{BASE}/cam0", f"{BASE}/cam1")
    )


async def said_all(home, ear) -> None:
    """Returns when whatever was sent before has been read, and answered."""
    before = len(home.events.told)
    await ear.say(f"{BASE}/cam0/event/set", "fence")
    await until(lambda: len(home.events.told) > before, what="the fence")


async def settled(what_is_kept) -> dict[str, bytes]:
    """What the broker keeps once the service has said all: the broker may still keep what one before it said."""
    kept: list[dict[str, bytes]] = []

    async def all_said() -> bool:
        kept.append({topic: heard.payload for topic, heard in (await what_is_kept()).items()})
        whole = {f"{BASE}/cam1/{what}" for what in ("snapshot", "coverage", "recording")} <= kept[-1].keys()
        return whole and kept[-1].get(f"{BASE}/status") == b"online" and kept[-2:-1] == kept[-1:]

    await until(all_said, what="all that the service has to say")
    return kept[-1]


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(sent=st.lists(messages.filter(is_wrong), min_size=60, max_size=110))
async def test_whatever_comes_is_refused_and_answered_and_changes_nothing(
    homes, broker, ears, what_is_kept, caplog, *, sent
):
    home = homes(broker.port)
    async with ears(broker.port) as ear:
        await home.connected()
        await until(lambda: home.events.told or said_all(home, ear), what="the first command")
        before = await settled(what_is_kept)
        ear.heard.clear()
        caplog.clear()
        for topic, payload in sent:
            await ear.say(topic, payload)
        await said_all(home, ear)
        await until(lambda: len(ear.on(f"{BASE}/event")) >= len(sent), what="an answer to each")
        answers = [heard.json for heard in ear.on(f"{BASE}/event")]
        assert len(answers) == len(sent)
        assert [a["topic"] for a in answers] == [topic[:120] for topic, _ in sent]
        assert all(a["event_type"] == "refused" and a["reason"] and a["hint"] for a in answers)
        lines = [r.getMessage() for r in caplog.records if r.name == "livecam_nvr.mqtt.obey.refusals"]
        assert len(lines) == len(sent)
        assert max(map(len, lines)) < 700
        assert before == {topic: heard.payload for topic, heard in (await what_is_kept()).items()}
        nothing = (
            *(home.recording.orders, home.recording.modes, home.control.orders, home.control.restarts),
            *(home.clips.kept, home.power.orders, [told for told in home.events.told if told[2] != "fence"]),
        )
        assert not any(nothing)
    await home.service.stop()
