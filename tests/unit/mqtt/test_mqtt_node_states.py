import json
from dataclasses import replace

from livecam_nvr.domain.segment import NS
from livecam_nvr.domain.status import (
    BrokerStatus,
    DiskLevel,
    DiskStatus,
    DiskTrouble,
    MediaServerStatus,
    ProcessStatus,
    RetentionStatus,
    ServerState,
    ServiceStatus,
)
from livecam_nvr.mqtt.tell import node_states
from livecam_nvr.mqtt.topics import Topics

TOPICS = Topics("b", "homeassistant", "n")
STATUS = ServiceStatus(
    "Home",
    "1.2.3",
    1_795_253_400 * NS,
    1.0,
    (),
    MediaServerStatus("none", ServerState.READY),
    BrokerStatus(configured=True),
    DiskStatus("recordings"),
)


def test_the_disk_s_problem_says_what_and_how_bad():
    disk = DiskStatus(
        "/r",
        9,
        1,
        problem=True,
        reason="little room",
        hint="free some",
        level=DiskLevel.WARNING,
        trouble=DiskTrouble.SPACE,
    )
    assert json.loads(node_states.disk_problem(TOPICS, disk)["b/n/disk/problem"]) == {
        "problem": "ON",
        "reason": "little room",
        "hint": "free some",
        "level": "warning",
        "trouble": "space",
    }


def test_retention_in_days_and_gigabytes():
    known = RetentionStatus(1_500_000_000, 1_795_253_400 * NS, 864e6, 12.34, None)
    assert json.loads(node_states.retention(TOPICS, known)["b/n/retention"]) == {
        "days_held": 12.3,
        "days_until_full": None,
        "oldest": "2026-11-21T09:30:00+00:00",
        "gb": 1.5,
        "gb_per_day": 0.9,
    }
    assert json.loads(node_states.retention(TOPICS, RetentionStatus())["b/n/retention"])["oldest"] is None


def test_how_much_room_there_is():
    assert node_states.room(TOPICS, DiskStatus("x")) == {}
    assert node_states.room(TOPICS, DiskStatus("x", 10**12, 12_340_000_000)) == {
        "b/n/disk/free": b"12.3",
        "b/n/disk": b'{"used_gb":987.7,"free_gb":12.3,"total_gb":1000.0,"percent":98.8}',
    }
    told = node_states.disk_problem(TOPICS, DiskStatus("x", problem=True, reason="a" * 2000))
    assert json.loads(told["b/n/disk/problem"])["reason"] == "a" * 500


def test_what_the_service_costs_is_rounded_so_that_an_idle_one_is_silent():
    def told(cpu: float | None, memory: int | None) -> bytes:
        status = replace(STATUS, process=ProcessStatus(cpu, memory, 3))
        return node_states.figures(TOPICS, status)["b/n/figures"]

    rounded = b'{"cpu":12,"memory_mb":235,"started":"2026-11-21T09:30:00+00:00"}'
    assert told(11.6, 233_000_000) == told(12.4, 236_500_000) == rounded
    assert json.loads(told(None, None))["cpu"] is None


def test_an_update_is_what_lies_on_the_disk_and_does_not_run_yet():
    def told(**status: str) -> dict[str, str]:
        found = json.loads(node_states.update(TOPICS, replace(STATUS, **status))["b/n/update"])
        assert found.pop("title") == "livecam-nvr"
        return found

    same = {"installed_version": "1.2.3", "latest_version": "1.2.3", "release_summary": ""}
    assert told() == told(installed_version="1.2.3") == same
    waits = told(installed_version="1.3.0")
    assert (waits["installed_version"], waits["latest_version"]) == ("1.2.3", "1.3.0")
    assert "restart" in waits["release_summary"]


def test_how_the_integration_finds_the_service():
    found = node_states.about(TOPICS, "ab12", "Home", "1.2.3", "http://192.0.2.7:8001/")
    assert {topic: json.loads(payload) for topic, payload in found.items()} == {
        "b/n/service": {
            "install_id": "ab12",
            "name": "Home",
            "version": "1.2.3",
            "api": 1,
            "url": "http://192.0.2.7:8001/",
        }
    }
