"""The switches survive, as a whole or not at all."""

import json
from pathlib import Path

import pytest
from support.waiting import until

from livecam_nvr.core.ports import Switch
from livecam_nvr.storage.remembered.switches import SwitchFile

ON, OFF = Switch(True, "MQTT"), Switch(False, "the page")
DAMAGED = ([], {"cam0": "off"}, {"cam0": {"on": 1, "by": ""}}, {"cam0": {"on": True}}, None, 1)


async def test_what_was_saved_last_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "data" / "switches.json"
    memory = SwitchFile(path)
    assert memory.load() == {}
    for switch in (ON, OFF, ON, OFF):
        memory.save({"cam0": switch, "cam1": ON})
    await memory.stop()
    assert SwitchFile(path).load() == {"cam0": OFF, "cam1": ON}
    assert [p.name for p in path.parent.iterdir()] == ["switches.json"]


async def test_a_change_is_on_disk_without_being_asked(tmp_path: Path) -> None:
    path = tmp_path / "switches.json"
    memory = SwitchFile(path)
    memory.save({"cam0": OFF})
    await until(lambda: SwitchFile(path).load() == {"cam0": OFF})
    memory.save({"cam0": ON})
    await until(lambda: SwitchFile(path).load() == {"cam0": ON})
    await memory.stop()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"version": 1}', '{"version": 2, "recording": {}}']
    + [
        json.dumps({"version": 1, "recording": value})
        for value in ([], {"cam0": "off"}, {"cam0": {"on": 1, "by": ""}}, {"cam0": {"on": True}}, None, 1)
    ],
)
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "switches.json"
    path.write_text(text)
    assert SwitchFile(path).load() == {}
    assert "cannot be read" in caplog.text


async def test_a_disk_that_refuses_is_logged_and_tried_once_more_at_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "data").write_text("a file stands where the folder should be")
    memory = SwitchFile(tmp_path / "data" / "switches.json")
    memory.save({"cam0": ON})
    await until(lambda: "cannot be remembered" in caplog.text)
    (tmp_path / "data").unlink()
    await memory.stop()
    assert memory.load() == {"cam0": ON}


def test_what_was_written_before_names_nobody(tmp_path: Path) -> None:
    path = tmp_path / "switches.json"
    path.write_text(json.dumps({"version": 1, "recording": {"cam0": False, "cam1": True}}))
    assert SwitchFile(path).load() == {"cam0": Switch(False), "cam1": Switch(True)}
