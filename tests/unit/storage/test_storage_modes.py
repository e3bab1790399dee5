"""A chosen mode survives until the config says something else."""

import json
from pathlib import Path

import pytest

from livecam_nvr.domain.status import RecordingMode
from livecam_nvr.storage.remembered.modes import ModeFile

CONFIGURED = {"cam0": RecordingMode.SWITCHED, "cam1": RecordingMode.ALWAYS}


async def test_a_chosen_mode_is_loaded_again(tmp_path: Path) -> None:
    path = tmp_path / "data" / "modes.json"
    memory = ModeFile(path, CONFIGURED)
    assert memory.load() == CONFIGURED
    memory.save("cam0", RecordingMode.EVENTS)
    await memory.stop()
    assert ModeFile(path, CONFIGURED).load() == CONFIGURED | {"cam0": RecordingMode.EVENTS}


async def test_another_mode_in_the_config_counts_again_and_others_are_not_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "modes.json"
    memory = ModeFile(path, CONFIGURED)
    memory.save("cam0", RecordingMode.EVENTS)
    memory.save("cam1", RecordingMode.SWITCHED)
    await memory.stop()
    changed = CONFIGURED | {"cam0": RecordingMode.ALWAYS}
    again = ModeFile(path, changed)
    assert again.load() == {"cam0": RecordingMode.ALWAYS, "cam1": RecordingMode.SWITCHED}
    again.save("cam1", RecordingMode.EVENTS)
    await again.stop()
    assert ModeFile(path, CONFIGURED).load() == CONFIGURED | {"cam1": RecordingMode.EVENTS}


async def test_a_camera_that_is_gone_is_of_no_concern(tmp_path: Path) -> None:
    path = tmp_path / "modes.json"
    memory = ModeFile(path, CONFIGURED)
    memory.save("cam1", RecordingMode.EVENTS)
    await memory.stop()
    assert ModeFile(path, {"cam0": RecordingMode.ALWAYS}).load() == {"cam0": RecordingMode.ALWAYS}


@pytest.mark.parametrize(
    "modes", [[], {"cam0": "events"}, {"cam0": {"chosen": "never", "configured": "switched"}}, {"cam0": {}}]
)
def test_a_damaged_file_is_as_good_as_none(
    tmp_path: Path, modes: object, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "modes.json"
    path.write_text(json.dumps({"version": 1, "modes": modes}))
    assert ModeFile(path, CONFIGURED).load() == CONFIGURED
    assert "cannot be read" in caplog.text
