"""The benchmark of MQTT measures what it says: a real broker, the real service, real commands."""

from pathlib import Path

from benchmarks.mqtt import Plan, measure


async def test_everything_is_measured(tmp_path: Path) -> None:
    told: list[str] = []
    result = await measure(tmp_path, Plan(starts=1, commands=4, settled_s=0, idle_s=2), told.append)
    assert told[1] == "starting the service 1 times …"
    assert 0.2 < result["entities_available_s"] == result["entities_available_worst_s"]
    assert 0 < result["command_to_state_ms"] <= result["command_to_state_worst_ms"]
    assert result["idle_messages_per_minute"] >= 0
    assert result["idle_kilobytes_per_minute"] >= 0
